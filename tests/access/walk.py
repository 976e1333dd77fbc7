"""Every address of the site, and what each role is answered there."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from tests.access.world import WORDS


def patterns(
    resolver: URLResolver | None = None, spaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, URLPattern]]:
    """(name, pattern) of each; the whole pattern in place of a name where there is none."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            yield ":".join([*spaces, pattern.name or str(pattern.pattern)]), pattern
        else:
            yield from patterns(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)


def address(name: str, pattern: URLPattern, things: dict[str, Any]) -> str:
    """Where it is, of the things of the world; of nothing that is there where the world has none."""
    space, _, last = name.rpartition(":")
    given = {}
    for argument, converter in pattern.pattern.converters.items():
        found = things.get(f"{last}/{argument}", things.get(f"{space}/{argument}", things.get(argument)))
        if found is None:
            found = uuid4() if type(converter).__name__ == "UUIDConverter" else WORDS.get(argument, "status")
        given[argument] = found
    try:
        return reverse(name, kwargs=given)
    except NoReverseMatch:
        return ""


class Undone(Exception):
    """Takes back what a request did."""


def answer(client: Client, method: str, path: str) -> int:
    """The status; 401 for a way to the sign-in. Nothing of the request stays."""
    found = 500
    try:
        with transaction.atomic():
            response = client.generic(method, path, b"", content_type="application/x-www-form-urlencoded")
            found = response.status_code
            if found == 302 and "/account/login/" in response["Location"]:
                found = 401
            raise Undone
    except Undone:
        pass
    except ImproperlyConfigured:
        return 200  # No provider is set up here; it came as far as asking it.
    return found
