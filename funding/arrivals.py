"""Movements that arrive without a request of ours: inbound wires, fees, write-offs, adjustments, trades (contract 7.4).

Each gets its transfer and its ledger entries all the same, once: by the provider's own name for it.
"""

from funding import after
from funding.models import Transfer
from onboarding.models import ProviderAccount
from portal import audit, clock
from providers.bakkt.fiat_events import Direction, FiatEvent, FiatStatus, Kind

Status = Transfer.Status
KINDS = {
    Kind.TRANSFER: Transfer.Kind.TRANSFER,
    Kind.TRADE: Transfer.Kind.TRADE,
    Kind.FEE: Transfer.Kind.RETURN_FEE,
    Kind.ADJUSTMENT: Transfer.Kind.ADJUSTMENT,
}
WRITE_OFFS = frozenset({"PARTNER_WRITE_OFF", "BAKKT_WRITE_OFF"})


def reference_of(said: FiatEvent) -> str:
    """The name by which what the provider began is known again; "" when it names nothing."""
    own = said.provider_id or said.reference or said.request_id
    return f"bakkt:{own}"[:255] if own else ""


def why_not(said: FiatEvent) -> str:
    """Why a movement that we did not ask for cannot be entered by itself; "" when it can."""
    if said.kind is None:
        return f"The instrument {said.instrument!r} is not known; nothing changes."
    if said.kind == Kind.TRANSFER and not (
        said.instrument.upper() == "WIRE" and said.direction == Direction.DEPOSIT
    ):
        return "No transfer has this reference, and only a wire comes in without one."
    if said.amount is None or said.amount.minor <= 0:
        return "It names no amount."
    if said.direction is None:
        return f"Its direction {said.type_word!r} is not known."
    if not reference_of(said):
        return "It names nothing by which it could be known again."
    return ""


def words(said: FiatEvent) -> str:
    """What it is, for staff."""
    if said.kind == Kind.TRANSFER:
        return "An inbound wire"
    return Transfer.Kind(_kind(said)).label if said.kind else "A movement"


def enter(account: ProviderAccount, said: FiatEvent, *, source: str) -> Transfer:
    """Enter it for the locked account, with its ledger entries, in the caller's transaction. `why_not` was asked."""
    assert said.amount is not None and said.direction is not None and said.status is not None
    moment = clock.now()
    transfer = Transfer(
        account=account,
        status=Status(str(said.status)),
        kind=_kind(said),
        direction=(
            Transfer.Direction.DEPOSIT
            if said.direction == Direction.DEPOSIT
            else Transfer.Direction.WITHDRAWAL
        ),
        rail=Transfer.Rail.WIRE if said.kind == Kind.TRANSFER else Transfer.Rail.BOOK,
        origin=Transfer.Origin.PROVIDER,
        amount_minor=said.amount.minor,
        currency=said.amount.currency,
        reference=reference_of(said),
        provider_word=said.word[:64],
        reason_code=said.reason_code[:64],
        heard_at=moment,
    )
    if said.status == FiatStatus.COMPLETED:
        transfer.completed_at = moment
    transfer.save()
    transfer.enter()
    audit.record(
        "transfer.arrived",
        subject=transfer,
        source=source,
        after={
            "kind": transfer.kind,
            "status": transfer.status,
            "amount": transfer.amount.as_decimal_string(),
        },
    )
    after.arrived(transfer, source=source)
    return transfer


def _kind(said: FiatEvent) -> str:
    if said.instrument.upper() in WRITE_OFFS:
        return Transfer.Kind.WRITE_OFF
    assert said.kind is not None
    return KINDS[said.kind]
