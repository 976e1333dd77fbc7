"""The client of fiat funding against a provider that says what a test tells it to. Contract, sections 5.2 to 5.6."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.money import Money
from providers.bakkt.fiat import Direction, FiatClient, Rail, TransferAccepted, TransferOrder, WireDetails
from providers.bakkt.partner import PartnerClient, PartnerCredentials
from providers.errors import Busy, Conflict, Misconfigured, OutcomeUnknown, Rejected
from providers.http import Transport
from providers.models import CallLog
from providers.tokens import SharedTokens
from tests.providers.talker import Talker, answer, cut_off, reset, silent

pytestmark = pytest.mark.django_db
PARTNER_ID = "11111111-2222-4333-8444-555555555555"
PARTY = f"/partner/v1/partner/{PARTNER_ID}/party/ACC-1"
TOKEN, TRANSFER = "/partner/v1/oauth2/token", f"{PARTY}/transfer"
WIRE = WireDetails("110000000", "000123456789", "Sample Bank", "5 Bank Plaza, New York, NY 10001")


@pytest.fixture
def common(talker: Talker, make_transport: Callable[..., Transport]) -> dict[str, Any]:
    talker.then(TOKEN, answer(body={"accessToken": "T0KEN", "expiresIn": "3600"}))
    return {
        "base_url": talker.url,
        "credentials": PartnerCredentials("client-1", "s3cret"),
        "partner_id": PARTNER_ID,
        "transport": make_transport(),
        "tokens": SharedTokens(),
    }


@pytest.fixture
def fiat(common: dict[str, Any]) -> FiatClient:
    return FiatClient(**common, reads_transactions=True)


def order(minor: int = 25000, **changes: Any) -> TransferOrder:
    values = {
        "direction": Direction.DEPOSIT,
        "rail": Rail.ACH,
        "amount": Money(minor, "USD"),
        "idempotency_key": "key-1",
        "reference": "TRF-1",
    } | changes
    return TransferOrder(**values)


def test_the_amount_travels_as_an_exact_number(talker: Talker, fiat: FiatClient) -> None:
    talker.then(TRANSFER, answer(raw=b""))
    assert fiat.transfer("ACC-1", order=order()) == TransferAccepted()
    assert talker.last(TRANSFER).body == (
        b'{"amount":250.00,"currency":"USD","fiatTransactType":"DEPOSIT","instrumentType":"ACH",'
        b'"idempotencyKey":"key-1","partnerTransactionRef":"TRF-1"}'
    )
    fiat.transfer("ACC-1", order=order(9007199254740993))
    assert b'"amount":90071992547409.93,' in talker.last(TRANSFER).body


def test_a_wire_withdrawal_and_what_is_never_printed(talker: Talker, fiat: FiatClient) -> None:
    talker.then(TRANSFER, answer(raw=b"ok"))
    wire = order(1200050, direction="WITHDRAW", rail="WIRE", wire=WIRE)
    fiat.transfer("ACC-1", order=wire)
    assert talker.last(TRANSFER).json["wireWithdrawDetails"] == {
        "wireRoutingNumber": "110000000",
        "wireAccountNumber": "000123456789",
        "wireBankName": "Sample Bank",
        "wireBankAddress": "5 Bank Plaza, New York, NY 10001",
    }
    assert "123456789" not in f"{wire} {WIRE}"
    assert "12000" not in repr(wire)
    assert "ACC-1" not in CallLog.objects.get(operation="bakkt.transfer").template


@pytest.mark.parametrize(
    "changes",
    [
        {"minor": 0},
        {"minor": -5},
        {"amount": Money(100, "EUR")},
        {"direction": "WITHDRAWAL"},
        {"rail": "DEBIT"},
        {"idempotency_key": ""},
        {"wire": WIRE},
        {"direction": "WITHDRAW", "rail": "WIRE"},
    ],
)
def test_an_order_that_makes_no_sense_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"order|wire|valid"):
        order(**changes)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (answer(500, {}), OutcomeUnknown),
        (answer(503, raw=b"<html>"), OutcomeUnknown),
        (reset, OutcomeUnknown),
        (silent(0.6), OutcomeUnknown),
        (answer(400, {"type": "INSUFFICIENT_BALANCE", "detail": "d"}), Rejected),
        (answer(409, {"type": "PARTY_SUSPENDED"}), Conflict),
        (answer(403, {}), Misconfigured),
        (answer(429, {}), Busy),
    ],
)
def test_what_an_answer_comes_to(talker: Talker, fiat: FiatClient, behaviour: Any, error: type) -> None:
    talker.then(TRANSFER, behaviour)
    with pytest.raises(error):
        fiat.transfer("ACC-1", order=order())
    assert talker.times(TRANSFER) == 1, "the outbox repeats, not the transport"


@pytest.mark.parametrize(
    "behaviour", [answer(200, ["x"]), answer(201, raw=b""), answer(raw=b"<html>"), cut_off]
)
def test_a_good_status_is_accepted_whatever_the_body(
    talker: Talker, fiat: FiatClient, behaviour: Any
) -> None:
    talker.then(TRANSFER, behaviour)
    assert fiat.transfer("ACC-1", order=order()).replayed is False


@pytest.mark.parametrize(
    "behaviour",
    [answer(409, {"type": "IDEMPOTENCY_KEY_IN_USE"}), answer(409, raw=b""), answer(409, {"anything": 1})],
)
def test_our_own_key_again_is_accepted_once_more(talker: Talker, fiat: FiatClient, behaviour: Any) -> None:
    talker.then(TRANSFER, behaviour)
    assert fiat.transfer("ACC-1", order=order()) == TransferAccepted(replayed=True)


def test_linking_and_unlinking(talker: Talker, fiat: FiatClient) -> None:
    for tail in ("plaidAccount/link", "bankAccountLinking/ach"):
        talker.then(f"{PARTY}/{tail}", answer(200, {"success": True}))
    talker.then(f"{PARTY}/bankAccountLinking/unlink", answer(201, {"success": True}))
    fiat.link_plaid("ACC-1", processor_token="processor-1", reference="L-1")
    fiat.link_bank(
        "ACC-1", account_number="0001", routing_number="110000000", account_type="SAVINGS", reference="L-2"
    )
    fiat.unlink("ACC-1", instrument="ACH", reference="U-1")
    assert talker.last(f"{PARTY}/plaidAccount/link").json == {
        "processorToken": "processor-1",
        "partnerTransactionRef": "L-1",
    }
    assert talker.last(f"{PARTY}/bankAccountLinking/ach").json["accountType"] == "SAVINGS"
    assert "x-tracking-id" in talker.last(f"{PARTY}/bankAccountLinking/unlink").headers
    with pytest.raises(ValueError, match="CHECKING or SAVINGS"):
        fiat.link_bank("ACC-1", account_number="1", routing_number="1", account_type="GIRO", reference="L-3")


def test_a_success_of_false_is_a_refusal(talker: Talker, fiat: FiatClient) -> None:
    path = f"{PARTY}/plaidAccount/link"
    talker.then(path, answer(200, {"success": False}), answer(200, {"done": True}))
    with pytest.raises(Rejected) as refused:
        fiat.link_plaid("ACC-1", processor_token="p", reference="L-1")
    assert refused.value.code == "SUCCESS_FALSE"
    with pytest.raises(OutcomeUnknown):
        fiat.link_plaid("ACC-1", processor_token="p", reference="L-1")


def test_the_balance(talker: Talker, fiat: FiatClient, common: dict[str, Any]) -> None:
    entry = b'{"partnerPartyRef":"ACC-1","currency":"USD","settledAmount":-310.2,"unsettledAmount":250}'
    talker.then(f"{PARTY}/fiatAccount/balance", answer(raw=b"[" + entry + b"]"))
    (usd,) = fiat.balance("ACC-1")
    assert (usd.currency, usd.settled, usd.unsettled) == ("USD", Money(-31020, "USD"), Money(25000, "USD"))
    assert "310" not in repr(usd)
    talker.then("/partner/v1/heartbeat", answer(200, {"result": "PONG"}))
    PartnerClient(**common).heartbeat()
    assert talker.times(TOKEN) == 1, "both clients share one token"


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b"[1]", b"[{}]",
        b'[{"partnerPartyRef":"ACC-2","currency":"USD","settledAmount":1,"unsettledAmount":0}]',
        b'[{"partnerPartyRef":"ACC-1","currency":"USD","settledAmount":1.005,"unsettledAmount":0}]',
        b'[{"partnerPartyRef":"ACC-1","currency":"COIN","settledAmount":1,"unsettledAmount":0}]',
    ],
)  # fmt: skip
def test_a_balance_nobody_can_rely_on(talker: Talker, fiat: FiatClient, body: bytes) -> None:
    talker.then(f"{PARTY}/fiatAccount/balance", answer(raw=body))
    with pytest.raises(OutcomeUnknown):
        fiat.balance("ACC-1")


def test_wire_instructions_are_fetched_each_time(talker: Talker, fiat: FiatClient) -> None:
    names = ("ReferenceNumber", "RoutingNumber", "AccountNumber", "SwiftCode", "BankName", "BankAddress")
    body = {f"wire{name}": f"its {name}" for name in (*names, "BeneficiaryName", "BeneficiaryAddress")}
    talker.then(f"{PARTY}/wire-instructions", answer(200, body), answer(200, body), answer(200, {}))
    assert fiat.wire_instructions("ACC-1").reference == "its ReferenceNumber"
    shown = fiat.wire_instructions("ACC-1")
    assert "AccountNumber" not in repr(shown)
    assert talker.times(f"{PARTY}/wire-instructions") == 2
    with pytest.raises(OutcomeUnknown):
        fiat.wire_instructions("ACC-1")


def test_transactions(talker: Talker, fiat: FiatClient) -> None:
    one = {
        "partnerTransactionRef": "TRF-1",
        "transactionStatus": "PENDING",
        "amount": 2.5,
        "instrumentType": "ACH",
    }
    path = f"{PARTY}/transactions"
    talker.then(path, answer(200, [one]), answer(200, {"transactions": [one], "nextCursor": "n-2"}))
    talker.then(f"{path}/TRF-1", answer(200, one))
    talker.then(f"{path}/TRF-2", answer(404, {}), answer(400, {"type": "TRANSACTION_NOT_FOUND"}))
    found = fiat.transaction("ACC-1", "TRF-1")
    assert found is not None
    assert (found.status, found.amount) == ("pending", Money(250, "USD"))
    assert fiat.transaction("ACC-1", "TRF-2") is None
    assert fiat.transaction("ACC-1", "TRF-2") is None
    noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    assert fiat.transactions("ACC-1", since=noon, until=noon).transactions == (found,)
    page = fiat.transactions("ACC-1", since=noon, until=noon, cursor="n-1")
    assert page.next_cursor == "n-2"
    assert parse_qs(urlsplit(talker.last(path).target).query) == {
        "from": ["2025-01-01T12:00:00.000Z"],
        "to": ["2025-01-01T12:00:00.000Z"],
        "cursor": ["n-1"],
    }


def test_unpublished_reads_are_off_by_default(talker: Talker, common: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured):
        FiatClient(**common).transaction("ACC-1", "TRF-1")
    assert talker.heard == []
