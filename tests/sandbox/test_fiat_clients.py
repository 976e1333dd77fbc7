"""The portal's client of fiat funding and the stand-in understand each other, on good days and bad ones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.money import Money
from providers.bakkt.events import parse_event
from providers.bakkt.fiat import Direction, FiatClient, Rail, TransferOrder, WireDetails
from providers.bakkt.fiat_events import BankLinkEvent, FiatEvent, Kind
from providers.bakkt.partner import PartnerCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.errors import Busy, Conflict, Misconfigured, OutcomeUnknown, Rejected
from providers.http import Timeouts, Transport
from providers.tokens import SharedTokens
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import PARTNER, Receiver
from tests.sandbox.funding import books, opened

pytestmark = pytest.mark.django_db
USD = "USD"


@pytest.fixture
def fiat(box: SandboxProcess) -> FiatClient:
    return FiatClient(
        base_url=box.url,
        credentials=PartnerCredentials("portal", "secret"),
        partner_id=PARTNER,
        transport=Transport(
            circuits=SharedCircuits(),
            recorder=CallLogRecorder(),
            timeouts=Timeouts(connect=1, read=1, total=3),
            read_attempts=1,
        ),
        tokens=SharedTokens(),
        reads_transactions=True,
    )


def order(minor: int = 10000, name: str = "T-1", **changes: Any) -> TransferOrder:
    values = {
        "direction": Direction.DEPOSIT,
        "rail": Rail.ACH,
        "amount": Money(minor, USD),
        "idempotency_key": f"key-{name}",
        "reference": name,
    } | changes
    return TransferOrder(**values)


def heard(receiver: Receiver) -> list[Any]:
    return [parse_event(hook.text.encode()) for hook in receiver.got]


def test_link_deposit_withdraw_and_unlink(fiat: FiatClient, box: SandboxProcess, receiver: Receiver) -> None:
    opened(box, bank=False)
    fiat.link_plaid("acc-1", processor_token="processor-sandbox-1", reference="L-1")
    fiat.link_bank(
        "acc-1",
        account_number="000123456789",
        routing_number="110000000",
        account_type="SAVINGS",
        reference="L-2",
    )
    box.flush()
    links = heard(receiver)
    assert all(isinstance(event, BankLinkEvent) for event in links)
    assert {(event.reference, event.status) for event in links} == {("L-1", "linked"), ("L-2", "linked")}
    assert fiat.transfer("acc-1", order=order(100050)).replayed is False
    assert fiat.transfer("acc-1", order=order(100050)).replayed is True
    (held,) = fiat.balance("acc-1")
    assert (held.settled, held.unsettled) == (Money(0, USD), Money(100050, USD))
    box.flush(), box.flush()
    first, second = heard(receiver)[2:]
    assert isinstance(second, FiatEvent)
    assert (first.status, second.status, second.kind) == ("pending", "completed", Kind.TRANSFER)
    assert (second.reference, second.amount, second.direction) == ("T-1", Money(100050, USD), "DEPOSIT")
    assert second.provider_id == box.account("acc-1")["movements"][0]["id"]
    assert second.at is not None
    assert abs(second.at - datetime.now(UTC)) < timedelta(minutes=1)
    wire = WireDetails("110000000", "000123456789", "Sample Bank", "5 Bank Plaza")
    out = order(1000, "W-1", direction=Direction.WITHDRAW, rail=Rail.WIRE, wire=wire)
    fiat.transfer("acc-1", order=out)
    assert fiat.balance("acc-1")[0].settled == Money(99050, USD)
    with pytest.raises(Rejected) as refused:
        fiat.transfer("acc-1", order=order(100000, "W-2", direction=Direction.WITHDRAW))
    assert refused.value.code == "INSUFFICIENT_BALANCE"
    fiat.unlink("acc-1", instrument="ACH", reference="U-1")
    with pytest.raises(Rejected) as refused:
        fiat.transfer("acc-1", order=order(name="T-2"))
    assert refused.value.code == "LINKED_BANK_ACCOUNT_NOT_FOUND"


def test_reads(fiat: FiatClient, box: SandboxProcess) -> None:
    opened(box)
    fiat.transfer("acc-1", order=order(5001))
    box.flush(), box.flush()
    now = datetime.now(UTC)
    page = fiat.transactions("acc-1", since=now - timedelta(minutes=5), until=now + timedelta(minutes=5))
    assert [(t.instrument, t.status) for t in page.transactions] == [
        ("ACH_RETURN_FEE", "completed"),
        ("ACH", "returned"),
    ]
    found = fiat.transaction("acc-1", "T-1")
    assert found is not None
    assert (found.reason_code, found.amount) == ("R01", Money(5001, USD))
    assert fiat.transaction("acc-1", "T-2") is None
    assert fiat.wire_instructions("acc-1").reference.startswith("SB")


def test_amounts_stay_exact(fiat: FiatClient, box: SandboxProcess) -> None:
    opened(box)
    box.api("POST", "settings", {"outcomes_by_cents": False})
    for number, minor in enumerate((1, 10, 57, 29_99, 100_000_000_007)):
        fiat.transfer("acc-1", order=order(minor, f"T-{number}"))
    assert fiat.balance("acc-1")[0].unsettled == Money(100_000_003_074, USD)
    assert books(box)["unsettled"] == "1000000030.74"


@pytest.mark.parametrize(
    ("kind", "after", "error"),
    [
        ("500_before", False, OutcomeUnknown),
        ("500_after", True, OutcomeUnknown),
        ("drop_before", False, OutcomeUnknown),
        ("drop_after", True, OutcomeUnknown),
        ("502_html", False, OutcomeUnknown),
        ("502_html", True, OutcomeUnknown),
        ("hang", False, OutcomeUnknown),
        ("hang", True, OutcomeUnknown),
        ("429", False, Busy),
        ("403", False, Misconfigured),
        ("409", False, Conflict),
    ],
)
def test_a_transfer_is_safe_to_repeat(
    fiat: FiatClient, box: SandboxProcess, kind: str, after: bool, error: type[Exception]
) -> None:
    opened(box)
    box.fault(kind, "transfer", after_effect=after, seconds=3 if kind == "hang" else 0)
    with pytest.raises(error):
        fiat.transfer("acc-1", order=order())
    box.api("DELETE", "faults")
    assert books(box)["unsettled"] == ("100.00" if after else "0.00")
    assert fiat.transfer("acc-1", order=order()).replayed is after
    assert books(box)["unsettled"] == "100.00", "once and no more"


def test_a_revoked_token_is_renewed_but_an_order_is_never_sent_twice(
    fiat: FiatClient, box: SandboxProcess
) -> None:
    opened(box)
    fiat.balance("acc-1")
    box.api("POST", "tokens/revoke")
    with pytest.raises(Misconfigured):
        fiat.transfer("acc-1", order=order())
    assert books(box)["unsettled"] == "0.00"
    assert fiat.transfer("acc-1", order=order(name="T-2")).replayed is False
    box.api("POST", "tokens/revoke")
    assert fiat.balance("acc-1")[0].unsettled == Money(10000, USD), "a read is repeated unseen"


CHANGES: dict[str, tuple[Callable[[FiatClient], object], str]] = {
    "link_plaid": (lambda fiat: fiat.link_plaid("acc-1", processor_token="p", reference="L"), "PENDING"),
    "link_bank": (
        lambda fiat: fiat.link_bank(
            "acc-1", account_number="0001", routing_number="110000000", account_type="CHECKING", reference="L"
        ),
        "PENDING",
    ),
    "unlink_bank": (lambda fiat: fiat.unlink("acc-1", instrument="ACH", reference="U"), "UNLINKED"),
}
READS: dict[str, Callable[[FiatClient], object]] = {
    "read_balance": lambda fiat: fiat.balance("acc-1"),
    "wire_instructions": lambda fiat: fiat.wire_instructions("acc-1"),
    "read_transaction": lambda fiat: fiat.transaction("acc-1", "T-1"),
    "list_transactions": lambda fiat: fiat.transactions(
        "acc-1", since=datetime(2020, 1, 1, tzinfo=UTC), until=datetime(2090, 1, 1, tzinfo=UTC)
    ),
}


@pytest.mark.parametrize("operation", CHANGES)
@pytest.mark.parametrize(
    ("kind", "after"), [("500_before", False), ("500_after", True), ("drop_after", True), ("nonsense", True)]
)
def test_faults_of_links_come_before_or_after_the_effect(
    fiat: FiatClient, box: SandboxProcess, operation: str, kind: str, after: bool
) -> None:
    call, effect = CHANGES[operation]
    opened(box)
    box.fault(kind, operation)
    with pytest.raises(OutcomeUnknown):
        call(fiat)
    assert (box.account("acc-1")["banks"][-1]["status"] == effect) is after


@pytest.mark.parametrize("operation", READS)
def test_faults_of_reads(fiat: FiatClient, box: SandboxProcess, operation: str) -> None:
    opened(box)
    fiat.transfer("acc-1", order=order())
    for kind in ("500_before", "nonsense", "drop_before"):
        box.fault(kind, operation)
        with pytest.raises(OutcomeUnknown):
            READS[operation](fiat)
    assert READS[operation](fiat)


def test_events_are_lost_doubled_and_swapped(
    fiat: FiatClient, box: SandboxProcess, receiver: Receiver
) -> None:
    opened(box)
    box.fault("webhook_lost", "FIAT_EVENT")
    fiat.transfer("acc-1", order=order())
    box.flush()
    box.fault("webhook_duplicate", "FIAT_EVENT")
    box.flush()
    assert [event.status for event in heard(receiver)] == ["completed"] * 2
    receiver.clear()
    box.fault("webhook_out_of_order", "FIAT_EVENT")
    fiat.transfer("acc-1", order=order(10001, "T-2"))
    box.api("POST", "clock/advance", {"seconds": 86400})
    receiver.wait(3)
    assert [(e.instrument, e.status) for e in heard(receiver)] == [
        ("ACH", "returned"),
        ("ACH_RETURN_FEE", "completed"),
        ("ACH", "pending"),
    ]
