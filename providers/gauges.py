"""Gauges of the webhook inbox (what waits to be processed, what waits for a person) and of recent calls."""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import Count, Min

from portal import clock
from portal.gauges import seconds_since
from portal.metrics import register_gauge
from portal.ui.nav import register_common_count
from providers.models import CallLog, InboundEvent

#: Processed and ignored events are many, and no number to act on.
OPEN_EVENTS = ("received", "quarantined", "failed")
RECENT = timedelta(minutes=15)


def _inbox_depth() -> Mapping[str, float]:
    found = InboundEvent.objects.filter(status__in=OPEN_EVENTS).values_list("status").annotate(Count("pk"))
    return dict.fromkeys(OPEN_EVENTS, 0.0) | {status: float(count) for status, count in found.order_by()}


def _inbox_oldest() -> Mapping[str, float]:
    found = InboundEvent.objects.filter(status__in=OPEN_EVENTS).values_list("status")
    ages = {status: seconds_since(moment) for status, moment in found.annotate(Min("received_at")).order_by()}
    return dict.fromkeys(OPEN_EVENTS, 0.0) | ages


def _recent_calls() -> Mapping[str, float]:
    """From the call log, since the workers that make the calls serve no page of metrics."""
    recent = CallLog.objects.filter(at__gte=clock.now() - RECENT).values_list("outcome").annotate(Count("pk"))
    return dict.fromkeys(CallLog.Outcome.values, 0.0) | {
        outcome: float(count) for outcome, count in recent.order_by()
    }


register_gauge(
    "portal_provider_calls_recent", "Calls to providers in the last 15 minutes", "outcome", _recent_calls
)
register_gauge("portal_inbox_events", "Webhooks not settled", "status", _inbox_depth)
register_gauge(
    "portal_inbox_oldest_seconds", "Age of the oldest webhook not settled", "status", _inbox_oldest
)
register_common_count(
    "webhooks", lambda: InboundEvent.objects.filter(status__in=["quarantined", "failed"]).count()
)
