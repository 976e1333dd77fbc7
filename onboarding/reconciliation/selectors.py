"""Reads for the page of reconciliation."""

from uuid import UUID

from django.db.models import Count

from compliance.models import Case
from compliance.selectors import UNDONE
from onboarding.models import ReconciliationRun
from onboarding.reconciliation import comparing, unknown
from portal import permissions
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page, keyset

VIEW = "operations.view"
Kind = ReconciliationRun.Kind
#: So many nights are drawn.
NIGHTS = 14


def runs_page(actor: User, *, after: str = "", before: str = "") -> Page[ReconciliationRun]:
    """Runs of both kinds, newest first. Raises Forbidden."""
    permissions.require(actor, VIEW)
    return keyset(ReconciliationRun.objects.select_related("started_by"), after=after, before=before, size=15)


def run_for_staff(actor: User, run_id: UUID) -> ReconciliationRun:
    """One run. Raises Forbidden and NotFound."""
    permissions.require(actor, VIEW)
    run = ReconciliationRun.objects.select_related("started_by").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such reconciliation.")
    return run


def running() -> list[ReconciliationRun]:
    """What is under way, at most one of each kind."""
    return list(ReconciliationRun.objects.filter(status=ReconciliationRun.Status.RUNNING).order_by("kind"))


def last_nights() -> list[ReconciliationRun]:
    """The readings that ended last, oldest first."""
    ended = ReconciliationRun.objects.filter(kind=Kind.READING, finished_at__isnull=False)
    return list(ended.order_by("-pk")[:NIGHTS])[::-1]


def open_cases() -> dict[str, int]:
    """How many cases wait, by kind."""
    kinds = (comparing.KIND, unknown.KIND)
    rows = Case.objects.filter(UNDONE, kind__in=kinds).order_by().values_list("kind").annotate(Count("pk"))
    return dict.fromkeys(kinds, 0) | dict(rows)
