"""What follows from a transfer's move, in the transaction of the move."""

from funding import expecting, given_up, held, notices, returns, watching
from funding.models import Transfer
from portal import clock
from portal.doorbell import ring

Status = Transfer.Status


def asked(transfer: Transfer) -> None:
    """Everything that follows from asking for a transfer."""
    held.asked(transfer)
    watching.look(transfer, source=transfer.origin)
    notices.of_transfer(transfer)


def moved(transfer: Transfer, old: str, *, source: str) -> None:
    """Everything that a move to where the transfer is now brings about; `old` is where it was."""
    if source != "case":
        # The decision of its own case ends that by itself.
        given_up.end_case(transfer, "The provider spoke of it.")
    if given_up.waiting(transfer.pk) is not None:
        # After the commit: whoever works on the call locks it before the account.
        ring("funding.tasks.given_up_heard", transfer.pk, queue="provider")
    if transfer.status == Status.SENT:
        return  # Its first word is expected still.
    notices.of_transfer(transfer)
    if transfer.status == Status.PENDING:
        expecting.outcome(transfer)
        return
    expecting.met(transfer, source=source)
    if transfer.status == Status.RETURNED:
        returns.returned(transfer, source=source)
    _balance_moved(transfer)


def arrived(transfer: Transfer, *, source: str) -> None:
    """Everything that follows from a movement the provider began."""
    notices.of_transfer(transfer)
    held.arrived(transfer, source=source)
    watching.look(transfer, source=source)
    if transfer.status == Status.PENDING:
        expecting.outcome(transfer)
    else:
        _balance_moved(transfer)


def stuck(transfer: Transfer) -> None:
    """A person must find out what became of it: its call was given up, or the provider knows nothing of it."""
    if transfer.stuck_at is None:
        transfer.stuck_at = clock.now()
        transfer.save(update_fields=["stuck_at"])
        given_up.tell(
            transfer, "Nobody knows what became of a transfer", dedupe=transfer.stuck_at.isoformat()
        )


def _balance_moved(transfer: Transfer) -> None:
    # The provider's balance moved with it, or will: whoever looks next finds a fresh one.
    ring("funding.tasks.balance_refresh", transfer.account_id, queue="provider")
