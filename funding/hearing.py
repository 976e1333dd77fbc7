"""What the provider says of a transfer, by webhook or by reading its record, and what follows from it."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from funding import after
from funding.locking import lock_transfer
from funding.models import Transfer
from portal import clock

Status = Transfer.Status

#: How far along each status is; what is not further along than what is known is old news.
RANK = {
    Status.HELD: 0,
    Status.REQUESTED: 0,
    Status.SENT: 1,
    Status.PENDING: 2,
    Status.COMPLETED: 3,
    Status.RETURNED: 4,
    Status.DECLINED: 4,
    Status.FAILED: 4,
    Status.CANCELLED: 4,
}


@dataclass(frozen=True)
class Heard:
    """The provider's word on a transfer: what it means to us, the word itself, and its reason code."""

    status: str
    word: str
    reason_code: str = ""


def news(transfer: Transfer, status: str) -> bool | None:
    """Whether the status is further along than what is known; None where the two contradict each other.

    Late and repeated words change nothing. That money arrived after it failed is for a person.
    """
    known = Status(transfer.status)
    if transfer.may_move_to(status) and known != Status.HELD:
        return True
    if known == Status.HELD:
        return None
    if status == Status.COMPLETED and known in {Status.DECLINED, Status.FAILED, Status.CANCELLED}:
        return None
    if known == Status.COMPLETED and RANK[Status(status)] > RANK[known]:
        return None
    return False


def hear(transfer_id: UUID, heard: Heard, *, source: str) -> bool:
    """Apply the word to the transfer if it is news; whether it was. Harmless for what is known already."""
    with transaction.atomic():
        transfer = lock_transfer(transfer_id)
        if not news(transfer, heard.status):
            return False
        apply(transfer, heard, source=source)
    return True


def apply(transfer: Transfer, heard: Heard, *, source: str) -> None:
    """Move a locked transfer to where the news has it, with all that follows, in the caller's transaction."""
    old = transfer.status
    transfer.provider_word, transfer.heard_at = heard.word[:64], clock.now()
    transfer.reason_code = heard.reason_code[:64] or transfer.reason_code
    transfer.stuck_at = None
    fields = ["provider_word", "heard_at", "reason_code", "stuck_at"]
    if heard.status == Status.COMPLETED:
        transfer.completed_at = clock.now()
        fields.append("completed_at")
    transfer.save(update_fields=fields)
    transfer.move_to(
        heard.status, actor=None, reason=f"{heard.word} {heard.reason_code}".strip(), source=source
    )
    after.moved(transfer, old, source=source)
