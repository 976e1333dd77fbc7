"""Which word of the provider must come about a transfer, and by when."""

from datetime import datetime, time, timedelta

from funding import business_days
from funding.models import Transfer
from funding.operations import FIAT_STATUS
from portal import clock
from providers import expected

#: "Pending" comes right after the request (seed 001).
PENDING_WITHIN = timedelta(minutes=15)
#: How long after the end of the day on which it should be there.
GRACE = timedelta(hours=12)


def pending(transfer: Transfer) -> None:
    """It was asked for: a first word must come. Of a wire there is none before it is processed (seed 001)."""
    if transfer.rail == Transfer.Rail.WIRE:
        outcome(transfer)
        return
    expected.expect(transfer, FIAT_STATUS, provider="bakkt", due_in=PENDING_WITHIN)


def outcome(transfer: Transfer) -> None:
    """It is on its way: what becomes of it must come by its day."""
    day = transfer.expected_on or business_days.today(clock.now())
    end = datetime.combine(day, time(23, 59), tzinfo=business_days.NEW_YORK) + GRACE
    expected.expect(transfer, FIAT_STATUS, provider="bakkt", due_in=max(end - clock.now(), PENDING_WITHIN))


def met(transfer: Transfer, *, source: str) -> None:
    """It came, by itself or by reading."""
    (expected.recovered if source == "poll" else expected.met)(transfer, FIAT_STATUS)
