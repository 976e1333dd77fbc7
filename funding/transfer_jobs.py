"""The call that asks the provider to move money, and what came of it."""

from funding import after
from funding.calling import code_of, with_code
from funding.locking import lock_transfer
from funding.models import Transfer
from portal import outbox
from portal.models import OutboundCall
from providers.bakkt.fiat import FiatClient, Rail, TransferAccepted, TransferOrder, WireDetails
from providers.bakkt.fiat_events import Direction
from providers.clients import bakkt_fiat
from providers.errors import Conflict, Misconfigured, Rejected
from providers.outcomes import as_outcome

Status = Transfer.Status


class TransferSend:
    """The outbox handler of bakkt.fiat.transfer: one key per request, the same on every repeat (seed 001)."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Ask, under the call's key. What the provider spoke of meanwhile is not asked again."""
        ended = Transfer.ENDED_BADLY | {Status.COMPLETED}
        if Transfer.objects.filter(pk=call.subject_id, status__in=ended).exists():
            return outbox.Succeeded({"heard": True})
        order, party_ref = _order(call)
        return as_outcome(
            lambda: _asked(bakkt_fiat(), party_ref, order),
            lambda answer: {"replayed": answer.replayed},
            call=call,
            keyed=True,
        )

    def look_up(self, call: OutboundCall) -> outbox.Outcome | None:
        """What the provider's record says of our reference, after an answer that said nothing and spent the key.

        Where such reads are off, only a person can find out (contract, question 15).
        """
        transfer = Transfer.objects.select_related("account").get(pk=call.subject_id)
        client = bakkt_fiat()
        if not client.reads_transactions:
            return outbox.AskPerson("The key is spent, and the provider's record cannot be read from here.")
        there: list[bool] = []

        def look() -> bool:
            found = client.transaction(transfer.account.client_account_id, transfer.reference)
            there.append(found is not None)
            return found is not None

        outcome = as_outcome(look, lambda found: {"looked_up": found}, call=call)
        if isinstance(outcome, outbox.Refused):
            # That the record will not be read is no word on the transfer.
            return outbox.AskPerson(outcome.problem)
        return None if there == [False] else outcome

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Sent, or declined with the provider's reason. A word that came by webhook meanwhile stands."""
        transfer = lock_transfer(call.subject_id)
        # Sent already: a person had it sent again, since the provider knew nothing of it.
        if transfer.status not in {Status.REQUESTED, Status.SENT}:
            return
        old, transfer.stuck_at = transfer.status, None
        if isinstance(outcome, outbox.Succeeded):
            transfer.save(update_fields=["stuck_at"])
            if old == Status.REQUESTED:
                transfer.move_to(Status.SENT, actor=None, source="provider")
        else:
            transfer.problem = outcome.problem[:300]
            transfer.reason_code = code_of(outcome)
            transfer.save(update_fields=["stuck_at", "problem", "reason_code"])
            transfer.move_to(
                Status.DECLINED, actor=None, reason=transfer.reason_code or "refused", source="provider"
            )
        if transfer.status != old:
            after.moved(transfer, old, source="provider")

    def gave_up(self, call: OutboundCall) -> None:
        """A person finds out what became of it; its money stays set aside meanwhile."""
        after.stuck(lock_transfer(call.subject_id))


def _asked(client: FiatClient, party_ref: str, order: TransferOrder) -> TransferAccepted:
    """Only a refusal with the provider's own reason declines it.

    A bare one may be any gateway's, and a conflict that is not about our key says nothing of the transfer: both spend
    the key, and the record is read.
    """
    try:
        return client.transfer(party_ref, order=order)
    except Conflict as error:
        raise Misconfigured(error.message, status=error.status, code=error.code) from error
    except Rejected as error:
        if error.code:
            raise with_code(error) from error
        raise Misconfigured(error.message, status=error.status) from error


def _order(call: OutboundCall) -> tuple[TransferOrder, str]:
    transfer = Transfer.objects.select_related("account", "recipient").get(pk=call.subject_id)
    recipient = transfer.recipient
    wire = None
    if recipient is not None:
        wire = WireDetails(
            routing_number=recipient.routing_number.reveal(),
            account_number=recipient.account_number.reveal(),
            bank_name=recipient.bank_name,
            bank_address=recipient.bank_address,
            swift_code=recipient.swift_code or None,
        )
    order = TransferOrder(
        direction=Direction.DEPOSIT if transfer.is_deposit else Direction.WITHDRAW,
        rail=Rail(transfer.rail.upper()),
        amount=transfer.amount,
        idempotency_key=call.idempotency_key,
        reference=transfer.reference,
        wire=wire,
    )
    return order, transfer.account.client_account_id
