"""The sandbox's stories, for the demo data: who is in them, and having one play for somebody who is about to apply.

The files are the sandbox's own (sandbox/stories); the portal asks for them over HTTP, as for everything of the sandbox.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings

#: A proxy set for the machine has no business between us and the sandbox.
_direct = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Story:
    """One story, and the person it is written for."""

    name: str
    account_type: str
    given: str
    family: str
    born: str


def stories() -> list[Story]:
    """Every story there is; none where no sandbox answers, so that demo data can be made without one."""
    if not settings.SANDBOX_URL:
        return []
    try:
        found = ask("stories")["stories"]
    except URLError:
        return []
    return [
        Story(one["name"], one["accountType"], one["givenName"], one["familyName"], one["dateOfBirth"])
        for one in found
    ]


def play(story: str, given: str, family: str, *, speed: float | None = None) -> None:
    """Have the story take over the next account that is opened for this name; at its own speed, or another."""
    who = {"givenName": given, "familyName": family}
    ask(f"stories/{story}/run", who | ({"speed": speed} if speed else {}))


def ask(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A call of the sandbox's control API, a POST with a body. Raises URLError where nothing answers."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"{settings.SANDBOX_URL}/sandbox/api/{path}", data=data, headers=headers)  # noqa: S310  (ours)
    with _direct.open(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
