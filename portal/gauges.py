"""The platform's own gauges: what waits in outbox and mail, when was last sealed, which parts live."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count, Min

from portal import audit_check, clock
from portal.heartbeat import QUEUES, workers
from portal.metrics import register_gauge
from portal.models import AuditSeal, Heartbeat, MailMessage, OutboundCall

#: Finished calls are not counted: they are many, and no number to act on.
OPEN_CALLS = ("queued", "sending", "unknown", "needs_person")


def seconds_since(moment: datetime | None) -> float:
    """How long ago; 0 for never, as for "nothing waits"."""
    return (clock.now() - moment).total_seconds() if moment else 0.0


def _outbox_depth() -> Mapping[str, float]:
    found = OutboundCall.objects.filter(status__in=OPEN_CALLS).values_list("status").annotate(Count("pk"))
    return dict.fromkeys(OPEN_CALLS, 0.0) | {status: float(count) for status, count in found.order_by()}


def _outbox_oldest() -> Mapping[str, float]:
    found = OutboundCall.objects.filter(status__in=OPEN_CALLS).values_list("status")
    ages = {status: seconds_since(moment) for status, moment in found.annotate(Min("created_at")).order_by()}
    return dict.fromkeys(OPEN_CALLS, 0.0) | ages


def _mail_waiting() -> Mapping[str, float]:
    return {"mail": float(MailMessage.objects.filter(state=MailMessage.State.QUEUED).count())}


def _heartbeats() -> Mapping[str, float]:
    return {row.name: seconds_since(row.at) for row in Heartbeat.objects.filter(name__in=QUEUES)}


def _workers() -> Mapping[str, float]:
    return {row.name: seconds_since(row.at) for row in workers()}


def _last_seal() -> Mapping[str, float]:
    last = AuditSeal.objects.order_by("-seq").first()
    return {"audit": seconds_since(last.at if last else None)}


def _check_age() -> Mapping[str, float]:
    last = audit_check.last_check()
    return {"audit": seconds_since(last.started_at if last else None)}


def _check_problems() -> Mapping[str, float]:
    last = audit_check.last_check()
    return {"audit": float(last.problem_count if last else 0)}


register_gauge("portal_outbox_calls", "Outbound calls that are not finished", "status", _outbox_depth)
register_gauge("portal_outbox_oldest_seconds", "Age of the oldest unfinished call", "status", _outbox_oldest)
register_gauge("portal_mail_waiting", "Messages not yet handed over", "kind", _mail_waiting)
register_gauge("portal_heartbeat_age_seconds", "Since a worker last took a task of it", "queue", _heartbeats)
register_gauge("portal_worker_heartbeat_age_seconds", "Since its loop last came round", "worker", _workers)
register_gauge("portal_audit_seal_age_seconds", "Since audit entries were last sealed", "trail", _last_seal)
register_gauge("portal_audit_check_age_seconds", "Since the last whole check began", "trail", _check_age)
register_gauge("portal_audit_problems", "What the last whole check found", "trail", _check_problems)
