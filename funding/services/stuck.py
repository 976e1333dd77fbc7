"""A transfer of which nobody knows what became: what a person does about it once they have found out."""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from funding import after, expecting, operations
from funding import permissions as mine
from funding.locking import lock_transfer
from funding.models import Transfer
from portal import audit, outbox, permissions
from portal.errors import Conflict
from portal.models import OutboundCall, User

Status = Transfer.Status


def transfer_send_again(*, actor: User, transfer_id: UUID, reason: str) -> Transfer:
    """Send it once more under a new key, with the same reference: the person found that the provider has no
    record of it.

    Where the record can be read, it is read again right before: it may have come there meanwhile. Raises Forbidden,
    NotFound, Conflict when it does not wait for a person, or when the provider said that it is on its way.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        transfer = _stuck(transfer_id)
        if transfer.status == Status.PENDING:
            raise Conflict(
                "The provider said that it is on its way. Ask them; sent again it might move twice."
            )
        call, look_up = _waiting_call(transfer), bool(settings.BAKKT_TRANSACTION_READS)
        if call is not None:
            outbox.retry_by_person(actor=actor, call_id=call.pk, reason=reason, look_up=look_up)
        else:
            outbox.enqueue(
                operation=operations.TRANSFER, subject=transfer, body={}, actor=actor, look_up_first=look_up
            )
        transfer.stuck_at = None
        transfer.save(update_fields=["stuck_at"])
        audit.record("transfer.send_again", subject=transfer, actor=actor, reason=reason)
    return transfer


def transfer_found(*, actor: User, transfer_id: UUID, reason: str) -> Transfer:
    """It counts as sent: the person saw it at the provider. Nothing is sent; its outcome is expected.

    Raises as transfer_send_again.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        transfer = _stuck(transfer_id)
        call = _waiting_call(transfer)
        if call is not None:
            found = outbox.Succeeded({"found_by_person": True})
            outbox.conclude(call_id=call.pk, outcome=found, reason=reason, actor=actor, record=False)
        old, transfer.stuck_at = transfer.status, None
        transfer.save(update_fields=["stuck_at"])
        if old == Status.REQUESTED:
            transfer.move_to(Status.SENT, actor=actor, reason="Seen at the provider.", source="case")
        expecting.outcome(transfer)
        audit.record("transfer.found", subject=transfer, actor=actor, reason=reason)
    return transfer


def transfer_give_up(*, actor: User, transfer_id: UUID, reason: str) -> Transfer:
    """End it for good, its money free again: the person found that it had no effect and is not wanted any more.

    Raises as transfer_send_again.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        transfer = _stuck(transfer_id)
        call = _waiting_call(transfer)
        if call is not None:
            no = outbox.Refused("Given up for good.")
            outbox.conclude(call_id=call.pk, outcome=no, reason=reason, actor=actor, record=False)
        old, transfer.stuck_at = transfer.status, None
        transfer.save(update_fields=["stuck_at"])
        transfer.move_to(Status.CANCELLED, actor=actor, reason="It could not be passed on.", source="case")
        after.moved(transfer, old, source="case")
        audit.record("transfer.give_up", subject=transfer, actor=actor, reason=reason)
    return transfer


def _stuck(transfer_id: UUID) -> Transfer:
    # The call before the transfer, as the worker that records an answer takes them.
    list(_calls(transfer_id).select_for_update(of=("self",)).defer("body"))
    transfer = lock_transfer(transfer_id)
    if transfer.stuck_at is None:
        raise Conflict("This transfer does not wait for a person any more.")
    return transfer


def _calls(transfer_id: UUID) -> QuerySet[OutboundCall]:
    return OutboundCall.objects.filter(
        subject_type=Transfer._meta.label_lower, subject_id=transfer_id, operation=operations.TRANSFER
    )


def _waiting_call(transfer: Transfer) -> OutboundCall | None:
    return _calls(transfer.pk).filter(status=OutboundCall.Status.NEEDS_PERSON).first()
