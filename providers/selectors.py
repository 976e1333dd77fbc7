"""Reads for the staff pages of webhooks, outbound calls and operations, by the viewer's permission."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse

from portal import clock, permissions
from portal.errors import NotFound
from portal.models import OutboundCall, User
from portal.pages import Page, keyset
from portal.revealing import Holder
from providers.models import CallLog, ExpectedEvent, HostCircuit, InboundEvent, ProviderOutage

#: The body of a webhook, as the field that staff may reveal.
BODY = "providers.inboundevent.body"


def holder_of_body(event_id: UUID) -> Holder | None:
    """The webhook as what its body belongs to. Reading them is the task of whoever may."""
    event = InboundEvent.objects.defer("body").filter(pk=event_id).first()
    if event is None:
        return None
    url = reverse("inbox:detail", args=[event.pk])
    return Holder(event, f"Webhook {str(event.pk)[-8:]}", url, has_task=lambda _: True)


@dataclass(frozen=True)
class EventFilter:
    """The webhook list's filters. `text`: an account reference, the provider's request id, an event's id."""

    text: str = ""
    status: str = ""
    provider: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None


def events(actor: User, chosen: EventFilter) -> QuerySet[InboundEvent]:
    """The webhooks that match, bodies left sealed. Raises Forbidden."""
    permissions.require(actor, "webhook.view")
    exact = {"status": chosen.status, "provider": chosen.provider, "kind": chosen.kind}
    rows = InboundEvent.objects.defer("body").filter(
        **{name: value for name, value in exact.items() if value}
    )
    if chosen.since:
        rows = rows.filter(received_at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(received_at__lt=chosen.until)
    return rows.filter(_matches(chosen.text.strip())) if chosen.text.strip() else rows


def _matches(text: str) -> Q:
    found = Q(party_ref__in={text, text.upper()}) | Q(provider_request_id=text)
    try:
        return found | Q(pk=UUID(text))
    except ValueError:
        return found


def events_page(
    actor: User, chosen: EventFilter, *, after: str = "", before: str = "", size: int = 25
) -> Page[InboundEvent]:
    """One page of the webhooks that match, newest first, never counted. Raises Forbidden."""
    return keyset(events(actor, chosen), after=after, before=before, size=size)


def event(actor: User, event_id: UUID) -> InboundEvent:
    """One webhook. Raises Forbidden or NotFound."""
    permissions.require(actor, "webhook.view")
    found = InboundEvent.objects.filter(pk=event_id).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def calls_page(actor: User, *, status: str = "", after: str = "", before: str = "") -> Page[OutboundCall]:
    """One page of outbound calls, newest first."""
    permissions.require(actor, "outbox.view")
    rows = OutboundCall.objects.defer("body").select_related("actor")
    if status in OutboundCall.Status.values:
        rows = rows.filter(status=status)
    return keyset(rows, after=after, before=before)


def call(actor: User, call_id: UUID) -> OutboundCall:
    """One outbound call, its body left sealed. Raises Forbidden or NotFound."""
    permissions.require(actor, "outbox.view")
    found = OutboundCall.objects.defer("body").filter(pk=call_id).first()
    if found is None:
        raise NotFound("There is no such call.")
    return found


def attempts_of(found: OutboundCall) -> QuerySet[CallLog]:
    """Every attempt of a call as the transport logged it, newest first."""
    return CallLog.objects.filter(outbound_call_id=found.pk).order_by("-at")


def calls_waiting() -> dict[str, int]:
    """How many outbound calls are not finished, by status."""
    return _counts(OutboundCall.objects.exclude(status__in=OutboundCall.FINAL))


def events_waiting() -> dict[str, int]:
    """How many webhooks wait to be processed or for a person, by status."""
    return _counts(InboundEvent.objects.filter(status__in=["received", "quarantined", "failed"]))


def answers_late() -> int:
    """How many expected answers are late."""
    return ExpectedEvent.objects.filter(state="late").count()


def answers_recovered() -> dict[str, int]:
    """How many answers did not come and were found by reading, in the last `day` and the last `week`."""
    moment = clock.now()
    recovered = ExpectedEvent.objects.filter(
        state=ExpectedEvent.State.RECOVERED, settled_at__gte=moment - timedelta(days=7)
    )
    return recovered.aggregate(
        day=Count("pk", filter=Q(settled_at__gte=moment - timedelta(days=1))), week=Count("pk")
    )


def outages_lately() -> QuerySet[ProviderOutage]:
    """The last ten outages, newest first."""
    return ProviderOutage.objects.select_related("noted_by").order_by("-started_at")[:10]


def outage(actor: User, outage_id: UUID) -> ProviderOutage:
    """One outage. Raises Forbidden or NotFound."""
    permissions.require(actor, "operations.view")
    found = ProviderOutage.objects.filter(pk=outage_id).first()
    if found is None:
        raise NotFound("There is no such outage.")
    return found


def oldest_unsent() -> timedelta | None:
    """How long the oldest unfinished outbound call has waited."""
    oldest = OutboundCall.objects.exclude(status__in=OutboundCall.FINAL).aggregate(at=Min("created_at"))["at"]
    return clock.now() - oldest if oldest else None


def circuits() -> list[HostCircuit]:
    """Every host we call with the state of its circuit."""
    return list(HostCircuit.objects.order_by("host"))


def _counts(rows: QuerySet[InboundEvent] | QuerySet[OutboundCall]) -> dict[str, int]:
    return dict(rows.order_by().values_list("status").annotate(Count("pk")))
