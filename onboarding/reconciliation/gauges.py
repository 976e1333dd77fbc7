"""Gauges of reconciliation: how long ago accounts were last compared, and what the last night found."""

from collections.abc import Mapping

from onboarding.models import ReconciliationRun
from portal.gauges import seconds_since
from portal.metrics import register_gauge

Kind = ReconciliationRun.Kind
NAMES = ("agree", "differ", "missing", "unknown", "not_answered", "under_way")


def _last() -> ReconciliationRun | None:
    finished = ReconciliationRun.objects.filter(kind=Kind.READING, status=ReconciliationRun.Status.FINISHED)
    return finished.order_by("-pk").first()


def _age() -> Mapping[str, float]:
    last = _last()
    return {"accounts": seconds_since(last.finished_at if last else None)}


def _found() -> Mapping[str, float]:
    last = _last()
    return {name: float(getattr(last, name) if last else 0) for name in NAMES}


def register() -> None:
    """Name the gauges."""
    register_gauge("portal_reconciliation_age_seconds", "Since accounts were last compared", "what", _age)
    register_gauge("portal_reconciliation_accounts", "What the last comparison found", "outcome", _found)
