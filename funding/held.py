"""Transfers that wait for a person before they go, and wires about which the provider will ask more."""

from compliance import services as compliance
from compliance.models import Case
from funding.models import Transfer
from funding.subjects import subject_of
from funding.terms import ENHANCED_FROM, HELD_FOR

HELD = "funding.held_transfer"
ENHANCED = "funding.enhanced"


def asked(transfer: Transfer) -> None:
    """Open the case of a transfer just asked for that is held, in the transaction that holds it."""
    if transfer.status != Transfer.Status.HELD:
        return
    compliance.case_open(
        kind=_kind(transfer),
        subject=subject_of(transfer),
        title=f"{transfer.get_rail_display()} {transfer.get_direction_display().lower()} of "
        f"{transfer.amount.format()} waits for approval",
        facts={"why": " ".join(HELD_FOR[code] for code in transfer.held_for)},
        source=transfer.origin,
        dedupe="held",
        actor=transfer.requested_by,
    )


def arrived(transfer: Transfer, *, source: str) -> None:
    """Open a case about a wire that came in and is as large as the provider asks more about (contract 5.5)."""
    if transfer.rail == Transfer.Rail.WIRE and transfer.amount >= ENHANCED_FROM:
        compliance.case_open(
            kind=ENHANCED,
            subject=subject_of(transfer),
            title=f"A wire of {transfer.amount.format()} came in",
            facts={"amount": transfer.amount.as_decimal_string(), "reference": transfer.reference},
            source=source,
            dedupe="arrived",
        )


def settled(transfer: Transfer, words: str, *, source: str) -> None:
    """It was approved or cancelled on a page: its case asks nothing any more."""
    compliance.case_settle(kind=_kind(transfer), subject=subject_of(transfer), reason=words, source=source)


def _kind(transfer: Transfer) -> str:
    return ENHANCED if "enhanced" in transfer.held_for else HELD


def case_of(transfer: Transfer) -> Case | None:
    """The case in which it waits."""
    return Case.objects.filter(kind__in=[HELD, ENHANCED], subject_id=transfer.pk).order_by("-pk").first()
