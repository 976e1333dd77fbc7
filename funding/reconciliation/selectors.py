"""Reads for the pages of reconciliation."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from funding import permissions as mine
from funding.models import MoneyRun, ReconciliationItem
from onboarding import shut_away
from portal import permissions
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page, keyset

#: So many runs are drawn.
DRAWN = 14


@dataclass(frozen=True)
class ItemFilter:
    """What the list is narrowed to; empty ones narrow nothing. `status` "active" is all that waits."""

    kind: str = ""
    status: str = ""
    text: str = ""
    run: UUID | None = None


def runs_page(actor: User, *, after: str = "", before: str = "") -> Page[MoneyRun]:
    """Runs, newest first. Raises Forbidden."""
    permissions.require(actor, mine.VIEW)
    return keyset(MoneyRun.objects.select_related("started_by"), after=after, before=before, size=15)


def run_for(actor: User, run_id: UUID) -> MoneyRun:
    """One run. Raises Forbidden, NotFound."""
    permissions.require(actor, mine.VIEW)
    found = MoneyRun.objects.select_related("started_by").filter(pk=run_id).first()
    if found is None:
        raise NotFound("There is no such comparison.")
    return found


def running() -> MoneyRun | None:
    """What is under way."""
    return MoneyRun.objects.filter(status=MoneyRun.Status.RUNNING).first()


def last_ended() -> list[MoneyRun]:
    """The runs over all accounts that ended last, oldest first."""
    ended = MoneyRun.objects.filter(kind=MoneyRun.Kind.READING, finished_at__isnull=False)
    return list(ended.order_by("-pk")[:DRAWN])[::-1]


def waiting() -> dict[str, int]:
    """How many differences wait, by kind."""
    rows = ReconciliationItem.objects.filter(status__in=ReconciliationItem.ACTIVE).order_by()
    return dict.fromkeys(ReconciliationItem.Kind.values, 0) | dict(
        rows.values_list("kind").annotate(Count("pk"))
    )


def items_page(
    actor: User, chosen: ItemFilter, *, after: str = "", before: str = ""
) -> Page[ReconciliationItem]:
    """Differences that match, newest first. Raises Forbidden."""
    permissions.require(actor, mine.VIEW)
    return keyset(_matching(chosen), after=after, before=before)


def each(actor: User, chosen: ItemFilter) -> Iterator[ReconciliationItem]:
    """All that match, newest first, read as they are needed. Raises Forbidden."""
    permissions.require(actor, mine.VIEW)
    return _matching(chosen).order_by("-pk").iterator(chunk_size=1000)


def item_for(actor: User, item_id: UUID) -> ReconciliationItem:
    """One difference with its transfer. Raises Forbidden, NotFound."""
    permissions.require(actor, mine.VIEW)
    rows = ReconciliationItem.objects.select_related(
        "transfer",
        "account__application__customer",
        "run",
        "seen_run",
        "proposed_by",
        "resolved_by",
        "adjustment",
    )
    found = rows.filter(pk=item_id).first()
    if found is None:
        raise NotFound("There is no such difference.")
    if found.account is not None:
        shut_away.require_open(actor, found.account.application.customer)
    return found


def _matching(chosen: ItemFilter) -> QuerySet[ReconciliationItem]:
    # Also those of nobody's account; what is shut away is in no list (onboarding/shut_away.py).
    rows = ReconciliationItem.objects.select_related("account").filter(
        account__application__customer__restricted_at=None
    )
    if chosen.kind:
        rows = rows.filter(kind=chosen.kind)
    if chosen.status == "active":
        rows = rows.filter(status__in=ReconciliationItem.ACTIVE)
    elif chosen.status:
        rows = rows.filter(status=chosen.status)
    if chosen.run:
        rows = rows.filter(run=chosen.run)
    if chosen.text:
        rows = rows.filter(key=chosen.text) | rows.filter(party_ref=chosen.text)
    return rows
