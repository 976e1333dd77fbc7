"""One search for people and what is theirs: by name, e-mail, phone, tax number or its last four, reference, account id.

What was typed is read once (`read`) and handed to the finders that the apps register when they start. It is sent in
the body of a request, never in an address, and kept nowhere: the audit trail says by what sort of thing somebody
searched and how much they found. Searches by number are counted, since four digits are quickly gone through.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import transaction

from portal import audit, clock
from portal.ball import Ball
from portal.errors import Conflict, Invalid
from portal.models import AuditEntry, User
from portal.permissions import require

#: Of each sort of thing so many are shown; who gets more narrows the search.
MOST = 20
LONGEST = 200
SEARCHED, BY_NUMBER, REFUSED = "person.search", "person.search_number", "person.search_refused"


class By(StrEnum):
    """By what somebody searches."""

    LAST_FOUR = "last four of the tax number"
    NUMBER = "tax number"
    EMAIL = "e-mail"
    PHONE = "phone"
    REFERENCE = "reference"
    NAME = "name or account id"


@dataclass(frozen=True)
class Term:
    """What was typed, and what it was taken for."""

    text: str
    by: By


@dataclass(frozen=True)
class Hit:
    """Something found: how it is called, what else tells it apart, its page, and who has the ball."""

    title: str
    note: str
    url: str = ""
    ball: Ball | None = None
    badge: tuple[str, str] = ("", "neutral")
    #: Whether the term names this one and no other.
    is_named: bool = False


@dataclass(frozen=True)
class Group:
    """What was found of one sort; `is_more` when there is more than is shown."""

    label: str
    hits: Sequence[Hit]
    is_more: bool = False


Subject = tuple[str, UUID]


@dataclass(frozen=True)
class Found:
    """What an app found: its groups, and the rows (a model's label, a key) that others may know something about."""

    groups: Sequence[Group] = ()
    subjects: Sequence[Subject] = ()


Finder = Callable[[User, Term, Sequence[Subject]], Found]


@dataclass
class _Finders:
    first: list[Finder] = field(default_factory=list)
    last: list[Finder] = field(default_factory=list)


_finders = _Finders()


def register(find: Finder, *, last: bool = False) -> None:
    """Have the search ask `find`; with `last` after the others, with the subjects that they found."""
    (_finders.last if last else _finders.first).append(find)


def read(text: str) -> Term:
    """What the text is. Raises Invalid for one that is too short or too long to search by."""
    text = " ".join(text.replace("\x00", "").split())
    # In some scripts one sign is a whole name.
    is_short = len(text) < 2 and text.isascii()
    if is_short or len(text) > LONGEST:
        problem = "Type at least two letters or digits." if is_short else f"Use at most {LONGEST} characters."
        raise Invalid(problem, fields={"find": [problem]})
    return Term(text, _by(text))


def _by(text: str) -> By:
    digits = re.sub(r"\D", "", text)
    if "@" in text:
        return By.EMAIL
    if re.fullmatch(r"[A-Za-z]{2}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}", text):
        return By.REFERENCE
    if re.fullmatch(r"[0-9]{4}", text):
        return By.LAST_FOUR
    if len(digits) == 9 and re.fullmatch(r"[0-9 -]+", text):
        return By.NUMBER
    if len(digits) >= 7 and re.fullmatch(r"[0-9 +().-]+", text):
        return By.PHONE
    return By.NAME


def person_search(*, actor: User, text: str, source: str = "page") -> tuple[Term, list[Group]]:
    """What the actor may find by this text. That they searched, and by what sort of thing, is recorded.

    Raises Forbidden, Invalid, and Conflict once the actor searched NUMBER_SEARCHES_PER_HOUR times by number.
    """
    require(actor, "person.search")
    term = read(text)
    is_number = term.by in {By.LAST_FOUR, By.NUMBER}
    if is_number:
        require(actor, "person.search_number")
        _count(actor, term, source)
    groups: list[Group] = []
    subjects: list[Subject] = []
    for find in [*_finders.first, *_finders.last]:
        found = find(actor, term, subjects)
        groups += [group for group in found.groups if group.hits]
        subjects += found.subjects
    if not is_number:
        audit.record(SEARCHED, subject=None, actor=actor, after={"by": term.by.value}, source=source)
    return term, groups


def _count(actor: User, term: Term, source: str) -> None:
    """Write the search down before it is made, unless it would be one too many."""
    with transaction.atomic():
        # One at a time for each person, so that two requests do not both find the last place of the hour.
        User.objects.select_for_update().only("pk").get(pk=actor.pk)
        lately = AuditEntry.objects.filter(
            actor=actor, action=BY_NUMBER, at__gt=clock.now() - timedelta(hours=1)
        )
        is_too_many = lately.count() >= settings.NUMBER_SEARCHES_PER_HOUR
        action = REFUSED if is_too_many else BY_NUMBER
        audit.record(action, subject=None, actor=actor, after={"by": term.by.value}, source=source)
    if is_too_many:
        raise Conflict(
            f"You have searched {settings.NUMBER_SEARCHES_PER_HOUR} times by number within an hour, which is all there "
            "is. Search by name, e-mail or reference, or go on later."
        )


def landing(groups: Sequence[Group]) -> str:
    """The page of the one thing that the term names; "" where it names none, or several."""
    named = [hit.url for group in groups for hit in group.hits if hit.is_named and hit.url]
    return named[0] if len(named) == 1 else ""
