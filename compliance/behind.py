"""The lists behind the numbers of the dashboard: the marks or the cases that a number counts."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from compliance import measures, ordering, selectors
from compliance.figures import DAY, begin_of
from compliance.models import Case, CaseMark
from portal import clock
from portal.errors import Forbidden
from portal.models import User
from portal.pages import Page
from portal.permissions import can_do

MARKS = frozenset(CaseMark.Measure.values)
NONE = "none"


@dataclass(frozen=True)
class Behind:
    """Which number: what it counts, of which days, narrowed."""

    measure: str
    first: date | None = None
    last: date | None = None
    queue: str = ""
    person: UUID | None = None
    met: str = ""
    verdict: str = ""
    kind: str = ""
    code: str = ""
    reason: str = ""
    #: Of the backlog: opened at least so many days ago, and fewer than so many.
    older: int = 0
    younger: int = 0


def marks_behind(actor: User, chosen: Behind, *, after: str, before: str, size: int = 25) -> Page[CaseMark]:
    """What the number counts, oldest first, of cases the actor may see; who sees only their own line, their own."""
    person = _person(actor, chosen.person)
    rows = CaseMark.objects.filter(measure=chosen.measure).select_related("case", "queue", "person")
    rows = rows.filter(case__in=selectors.cases_visible_to(actor))
    if chosen.first:
        rows = rows.filter(at__gte=begin_of(chosen.first))
    if chosen.last:
        rows = rows.filter(at__lt=begin_of(chosen.last + DAY))
    given: dict[str, Any] = {"person_id": person, "kind": chosen.kind, "code": chosen.code}
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    if chosen.code:
        rows = rows.filter(reason=chosen.reason)
    if chosen.verdict:
        rows = rows.filter(verdict="" if chosen.verdict == measures.OTHER else chosen.verdict)
    if chosen.met:
        rows = rows.filter(is_met=chosen.met == "yes")
    return ordering.ordered(
        rows.filter(_queue(chosen.queue)),
        ordering.Order("", key=F("at")),
        after=after,
        before=before,
        size=size,
    )


def cases_behind(actor: User, chosen: Behind, *, after: str, before: str, size: int = 25) -> Page[Case]:
    """The backlog, oldest first, as far as the actor may see it."""
    if not can_do(actor, "dashboard.view"):
        raise Forbidden("Your role sees its own line of the dashboard. Ask a compliance manager for more.")
    rows = selectors.cases_visible_to(actor).filter(selectors.UNDONE).select_related("queue", "assignee")
    now = clock.now()
    if chosen.older:
        rows = rows.filter(opened_at__lte=now - timedelta(days=chosen.older))
    if chosen.younger:
        rows = rows.filter(opened_at__gt=now - timedelta(days=chosen.younger))
    order = ordering.Order("", key=F("opened_at"))
    return ordering.ordered(rows.filter(_queue(chosen.queue)), order, after=after, before=before, size=size)


def _person(actor: User, person: UUID | None) -> UUID | None:
    if can_do(actor, "dashboard.view"):
        return person
    if not can_do(actor, "dashboard.view_own") or person != actor.pk:
        raise Forbidden("Your role sees its own line of the dashboard. Ask a compliance manager for more.")
    return person


def _queue(queue: str) -> Q:
    if queue == NONE:
        return Q(queue__isnull=True)
    return Q(queue=UUID(queue)) if queue else Q()
