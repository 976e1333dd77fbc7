"""Which reveals of personal data are unusual: this table is the whole of it. A weekly digest tells the managers.

Nobody is accused by it: each line opens the reveals behind it, with their reasons, for a person to look at.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from compliance.models import Queue
from compliance.worktime import Hours
from portal import clock, mail, permissions
from portal.models import AuditEntry, Reveal, RevealDigest, User
from portal.pages import Page, keyset
from portal.permissions import TABLE

#: So many reveals by one person in a week are many: a person who decides thirty cases a week needs fewer.
MANY_IN_A_WEEK = 60
WEEK = timedelta(days=7)
#: Working hours where no queue has a calendar.
USUAL_HOURS = Hours(settings.TIME_ZONE, frozenset(range(5)), time(8), time(18))
REFUSED = "pii.reveal_refused"


@dataclass(frozen=True)
class Kind:
    """One way to be unusual: what lists call it, and which of a week's reveals are it."""

    code: str
    title: str
    is_it: Callable[[Reveal, Hours], bool]


KINDS: tuple[Kind, ...] = (
    Kind("no_task", "Of people with no case or task of theirs", lambda row, _: not row.had_task),
    Kind("off_hours", "Outside working hours", lambda row, hours: not _works_at(hours, row.at)),
    Kind("colleague", "Of a colleague, by name or address", lambda row, _: row.relation == "colleague"),
    Kind("self", "Of themselves, by name or address", lambda row, _: row.relation == "self"),
)
MANY = Kind("many", f"More than {MANY_IN_A_WEEK} in the week", lambda *_: True)
LIMIT = Kind("limit", "Reached the hourly limit", lambda *_: False)
BY_CODE = {kind.code: kind for kind in (*KINDS, MANY, LIMIT)}


@dataclass(frozen=True)
class Line:
    """What one person did of one kind, how often."""

    actor: User
    kind: Kind
    count: int


def monday(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def _span(week: date) -> tuple[datetime, datetime]:
    begin = timezone.make_aware(datetime.combine(week, time.min))
    return begin, timezone.make_aware(datetime.combine(week + WEEK, time.min))


def working_hours() -> Hours:
    """The hours of the queue that takes what no rule claims; the usual ones where it has no calendar."""
    queue = Queue.objects.filter(is_default=True).select_related("calendar").first()
    return queue.calendar.hours() if queue is not None and queue.calendar else USUAL_HOURS


def _works_at(hours: Hours, at: datetime) -> bool:
    return hours.between(at, at + timedelta(seconds=1)) > timedelta()


def _reveals(week: date) -> QuerySet[Reveal]:
    begin, end = _span(week)
    return Reveal.objects.filter(at__gte=begin, at__lt=end)


def _refusals(week: date) -> QuerySet[AuditEntry]:
    begin, end = _span(week)
    return AuditEntry.objects.filter(action=REFUSED, at__gte=begin, at__lt=end)


def lines_of(week: date) -> tuple[int, list[Line]]:
    """How many reveals there were in the week, and what of it is unusual, most first."""
    hours = working_hours()
    counts: Counter[tuple[UUID, str]] = Counter()
    total = 0
    for row in _reveals(week).only("actor", "at", "had_task", "relation").iterator(chunk_size=2000):
        total += 1
        counts[row.actor_id, MANY.code] += 1
        for kind in KINDS:
            if kind.is_it(row, hours):
                counts[row.actor_id, kind.code] += 1
    for actor_id in _refusals(week).values_list("actor", flat=True).iterator():
        if actor_id is not None:
            counts[actor_id, LIMIT.code] += 1
    people = User.objects.in_bulk({actor_id for actor_id, _ in counts})
    found = [
        Line(people[actor_id], BY_CODE[code], count)
        for (actor_id, code), count in counts.items()
        if code != MANY.code or count > MANY_IN_A_WEEK
    ]
    return total, sorted(found, key=lambda line: (-line.count, line.actor.label, line.kind.code))


def week_for(viewer: User, week: date) -> tuple[int, list[Line]]:
    """The week as the viewer may see it. Raises Forbidden."""
    permissions.require(viewer, "pii.review")
    return lines_of(week)


def refusals_behind(viewer: User, week: date, actor_id: UUID) -> QuerySet[AuditEntry]:
    """The times the person reached the limit in the week, newest first. Raises Forbidden."""
    permissions.require(viewer, "pii.review")
    return _refusals(week).filter(actor=actor_id).order_by("-at")[:200]


def behind(
    viewer: User, week: date, actor_id: UUID, kind: Kind, *, after: str = "", before: str = ""
) -> Page[Reveal]:
    """The reveals behind a line, newest first, paged by key. Raises Forbidden."""
    permissions.require(viewer, "pii.review")
    rows = _reveals(week).filter(actor=actor_id)
    if kind is not MANY:
        hours = working_hours()
        facts = rows.only("pk", "at", "had_task", "relation")
        rows = rows.filter(pk__in=[row.pk for row in facts.iterator() if kind.is_it(row, hours)])
    return keyset(rows, after=after, before=before)


# --- The digest ---------------------------------------------------------------------------------------------


def digest() -> RevealDigest | None:
    """Look through last week, once, and write to the managers; None when that was done.

    The row and the letters are one transaction, so a worker that dies did both or neither.
    """
    week = monday(clock.today()) - WEEK
    if RevealDigest.objects.filter(week=week).exists():
        return None
    total, lines = lines_of(week)
    with transaction.atomic():
        row, is_new = RevealDigest.objects.get_or_create(
            week=week, defaults={"reveals": total, "unusual": sum(line.count for line in lines)}
        )
        if not is_new:
            return None
        for address in _managers():
            mail.send(
                to=address,
                subject="Reveals of personal data, last week",
                template="reveal_digest",
                context={"week": week, "total": total, "kinds": list(_by_kind(lines))},
            )
    return row


def _managers() -> list[str]:
    roles = [role for role, words in TABLE.items() if {"pii.review", "case.manage"} <= words]
    return list(User.objects.filter(role__in=roles, is_active=True).values_list("email", flat=True))


def _by_kind(lines: list[Line]) -> Iterator[tuple[str, int]]:
    """Counts alone: who it was stands on the page."""
    for kind in BY_CODE.values():
        count = sum(line.count for line in lines if line.kind is kind)
        if count:
            yield kind.title, count
