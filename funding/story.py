"""What happened to a transfer, as its customer reads it."""

from dataclasses import dataclass
from datetime import datetime

from funding import standing
from funding.models import Transfer
from portal.models import StatusChange

Status = Transfer.Status
_WORDS = {
    Status.REQUESTED: ("Approved; we pass it on", "check"),
    Status.SENT: ("The provider has it", "send"),
    Status.PENDING: ("On its way between the banks", "clock"),
    Status.COMPLETED: ("Complete", "circle-check"),
    Status.DECLINED: ("Not made", "circle-x"),
    Status.FAILED: ("Not made", "circle-x"),
    Status.RETURNED: ("Returned by the bank", "undo-2"),
    Status.CANCELLED: ("Cancelled", "ban"),
}
_WITH_REASON = frozenset({Status.DECLINED, Status.FAILED, Status.RETURNED})


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: datetime
    title: str
    icon: str
    tone: str
    body: str = ""
    actor: str = ""
    details: str = ""


def of(transfer: Transfer) -> list[Event]:
    """Every step so far, newest first."""
    by = {
        Transfer.Origin.CUSTOMER: "You asked for it",
        Transfer.Origin.APP: "You asked for it in the app",
        Transfer.Origin.STAFF: "We entered it for you",
        Transfer.Origin.PROVIDER: "The provider told us of it",
    }[Transfer.Origin(transfer.origin)]
    events = [Event(transfer.created_at, by, "plus", "info")]
    moves = StatusChange.objects.filter(
        subject_type=transfer._meta.label_lower, subject_id=transfer.pk
    ).order_by("at", "pk")
    for move in moves:
        status = Status(move.new)
        title, icon = _WORDS[status]
        body = standing.reason_of(transfer).customer if status in _WITH_REASON else ""
        events.append(Event(move.at, title, icon, standing.TONES[status], body))
    return events[::-1]
