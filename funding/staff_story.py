"""Everything that happened to a transfer, for staff: its own moves, calls, webhooks, bookings and looks, newest first.

A fixed number of queries whatever its length; no personal data beyond masks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from funding import standing
from funding.models import LedgerEntry, Transfer
from portal.models import OutboundCall, StatusChange
from portal.money import Money
from providers.models import CallLog, InboundEvent

#: So many of each kind at most.
MOST = 100
TRANSFER = Transfer._meta.label_lower


@dataclass(frozen=True)
class Event:
    """One happening, as the timeline component shows it."""

    at: datetime
    icon: str
    title: str
    actor: str = ""
    body: str = ""
    tone: str = "neutral"
    details: list[tuple[str, str]] = field(default_factory=list)
    url_name: str = ""
    url_id: UUID | None = None


def of(transfer: Transfer) -> list[Event]:
    """The story of a transfer."""
    asked = str(transfer.requested_by or transfer.get_origin_display())
    events = [Event(transfer.created_at, "plus", "Written down", asked, tone="info")]
    for read in (_moves, _calls, _webhooks, _entries):
        events += read(transfer)
    return sorted(events, key=lambda event: event.at, reverse=True)


def calls_of(transfer: Transfer) -> list[OutboundCall]:
    """The calls that were to bring it about or look it up, newest first."""
    rows = OutboundCall.objects.filter(subject_type=TRANSFER, subject_id=transfer.pk).defer("body")
    return list(rows.order_by("-created_at")[:MOST])


def _moves(transfer: Transfer) -> Iterable[Event]:
    rows = StatusChange.objects.filter(subject_type=TRANSFER, subject_id=transfer.pk).select_related("actor")
    for row in rows.order_by("-at")[:MOST]:
        old, new = (Transfer.Status(word).label for word in (row.old, row.new))
        source = {"webhook": "Webhook", "poll": "Read from the provider", "provider": "The provider's answer"}
        actor = str(row.actor) if row.actor else source.get(row.source, "")
        yield Event(
            row.at,
            "arrow-right",
            f"{old} → {new}",
            actor,
            row.reason,
            standing.TONES[Transfer.Status(row.new)],
        )


def _calls(transfer: Transfer) -> Iterable[Event]:
    keys = [call.pk for call in calls_of(transfer)]
    for row in CallLog.objects.filter(outbound_call_id__in=keys).order_by("-at")[:MOST]:
        outcome = str(row.outcome).replace("_", " ")
        details = [("HTTP status", str(row.status or "none")), ("Took", f"{row.duration_ms} ms")]
        yield Event(
            row.at,
            "send",
            f"Call: {outcome}",
            body=f"{row.method} {row.template}",
            details=details,
            url_name="operations:call",
            url_id=row.outbound_call_id,
        )


def _webhooks(transfer: Transfer) -> Iterable[Event]:
    rows = InboundEvent.objects.filter(subject_type=TRANSFER, subject_id=transfer.pk).defer("body")
    for row in rows.order_by("-received_at")[:MOST]:
        tone = "warning" if row.status in {"quarantined", "failed"} else "neutral"
        yield Event(
            row.received_at,
            "inbox",
            f"Webhook: {row.get_status_display().lower()}",
            body=row.outcome,
            tone=tone,
            url_name="inbox:detail",
            url_id=row.pk,
        )


def _entries(transfer: Transfer) -> Iterable[Event]:
    rows = LedgerEntry.objects.filter(transfer=transfer).prefetch_related("lines").order_by("-at")
    for row in rows[:MOST]:
        details = [
            (line.get_book_display(), Money(line.amount_minor, line.currency).format())
            for line in row.lines.all()
        ]
        yield Event(row.at, "file-text", "Booked", body=Transfer.Status(row.status).label, details=details)
