"""Whom a note names: `@` and a colleague's name. Names are read from the text itself, so notes work without scripts."""

import re
from collections.abc import Iterable
from uuid import UUID

from django.core.cache import caches

from compliance import permissions, selectors
from compliance.models import Case
from portal.errors import Invalid
from portal.models import User

#: An @ at the beginning of a word; what follows a letter is an e-mail address.
_AT = re.compile(r"(?<![\w.@])@(?=\w)")


def names(people: Iterable[User]) -> dict[str, User]:
    """How each is called in a note. Of two with one name, each by the address's first part besides."""
    found: dict[str, list[User]] = {}
    for person in people:
        found.setdefault(str(person), []).append(person)
    return {
        name if len(same) == 1 else f"{name} ({person.email.split('@')[0]})": person
        for name, same in found.items()
        for person in same
    }


def read(case: Case, text: str) -> list[User]:
    """The people whom the text names. Raises Invalid with why not, for each who may not see the case or is nobody."""
    staff = names(selectors.staff())
    longest_first = sorted(staff, key=len, reverse=True)
    named: dict[str, User] = {}
    problems: list[str] = []
    for at in _AT.finditer(text):
        rest = text[at.end() :]
        name = next((name for name in longest_first if _begins(rest, name)), None)
        if name is None:
            word = rest.split(maxsplit=1)[0][:40]
            problems.append(f"Nobody is called “{word}”. Choose a colleague, or leave the @ out.")
        elif not permissions.may_see(staff[name], case):
            problems.append(
                f"{name} may not see this case, so cannot be told. Ask a manager to give it to them."
            )
        else:
            named[name] = staff[name]
    if problems:
        raise Invalid(
            "The note names somebody who cannot be told.", fields={"text": list(dict.fromkeys(problems))}
        )
    return list(named.values())


def _begins(rest: str, name: str) -> bool:
    following = rest[len(name) : len(name) + 1]
    return rest[: len(name)].casefold() == name.casefold() and not (following.isalnum() or following == "_")


def possible(actor: User, case: Case) -> list[str]:
    """The names that a note of the actor on this case may mention, in their order."""
    return [
        name
        for name, key, role in _offered()
        if key != str(actor.pk) and permissions.may_see(User(pk=UUID(key), role=role), case)
    ]


def _offered() -> list[tuple[str, str, str]]:
    """Names, keys and roles: each process remembers them for some seconds. Whom a note names is read from the rows."""
    found: list[tuple[str, str, str]] | None = caches["local"].get("people_to_mention")
    if found is None:
        there = names(selectors.staff())
        found = [(name, str(person.pk), person.role) for name, person in there.items()]
        caches["local"].set("people_to_mention", found, selectors.REMEMBERED_SECONDS)
    return found
