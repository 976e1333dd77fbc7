"""Webhooks about money and bank links, read tolerantly. Contract bakkt-partner.md, sections 7.3, 7.4 and 8."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from portal.money import Money
from providers.bakkt import fiat_events, fiat_problems, return_codes, routing
from providers.bakkt.events import FIAT_EVENT, parse_event
from providers.bakkt.fiat_events import BankLinkEvent, Direction, FiatEvent, FiatStatus, Kind, LinkStatus
from providers.inbox import Verdict
from providers.models import InboundEvent
from tests.providers.inbox_support import Renamer
from tests.sandbox.contract import FILE

BASE = {"requestId": "r-1", "partnerPartyRef": "ACC-1"}


def fiat(**fields: Any) -> FiatEvent:
    raw = json.dumps(BASE | {"partnerWebhookType": FIAT_EVENT} | fields).encode()
    event = parse_event(raw)
    assert isinstance(event, FiatEvent)
    return event


def test_a_returned_deposit() -> None:
    event = fiat(
        partnerTransactionRef="T-1",
        fiatTransactionType="DEPOSIT",
        transactionStatus="RETURNED",
        instrumentType="ACH",
        amount=250,
        currency="USD",
        reasonCode="R01",
        transactionId="bk-1",
        timestamp="2024-05-04T12:00:00.000Z",
        extra={"a": 1},
    )
    assert event == FiatEvent(
        party_ref="ACC-1",
        reference="T-1",
        kind=Kind.TRANSFER,
        direction=Direction.DEPOSIT,
        type_word="DEPOSIT",
        instrument="ACH",
        word="RETURNED",
        status=FiatStatus.RETURNED,
        amount=Money(25000, "USD"),
        reason_code="R01",
        provider_id="bk-1",
        at=datetime(2024, 5, 4, 12, tzinfo=UTC),
        request_id="r-1",
    )
    assert "250" not in repr(event)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", "pending"), ("Complete", "completed"), ("COMPLETED", "completed"), ("success", "completed"),
        ("DECLINED", "declined"), ("FAILED", "failed"), ("ERROR", "failed"), ("RETURNED", "returned"),
        ("CANCELLED", "cancelled"), ("CANCELED", "cancelled"), ("IN_FLIGHT", None), ("", None),
    ],
)  # fmt: skip
def test_status_words_have_one_meaning_or_none(word: str, status: str | None) -> None:
    event = fiat(transactionStatus=word)
    assert (event.word, event.status) == (word, status)


def test_the_instruments_are_the_published_ones() -> None:
    schemas = yaml.safe_load(FILE.read_text(encoding="utf-8"))["components"]["schemas"]
    assert set(fiat_events.INSTRUMENTS) == set(schemas["FiatInstrumentType"]["enum"])
    assert fiat(instrumentType="MAGIC").kind is None
    assert fiat(instrumentType="ACH_RETURN_FEE").kind == Kind.FEE
    assert fiat(fiatTransactionType="SIDEWAYS").direction is None


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("100.10", 10010), ("100", 10000), ("0.1", 10), ("-15.00", -1500), ("1.5E+2", 15000), ("100.100", 10010),
        ('"100.10"', 10010), ("90071992547409.93", 9007199254740993),
        ("100.001", None), ("NaN", None), ("Infinity", None), ('"a lot"', None), ("true", None), ("null", None),
        ("[1]", None), ("1e999999999", None), ("1e-999999999", None), ("9" * 40, None),
        ("1." + "0" * 40 + "1", None),
    ],
)  # fmt: skip
def test_an_amount_is_exact_or_none(amount: str, minor: int | None) -> None:
    event = parse_event(b'{"partnerWebhookType":"FIAT_EVENT","amount":%s}' % amount.encode())
    assert isinstance(event, FiatEvent)
    assert event.amount == (None if minor is None else Money(minor, "USD"))


def test_a_currency_nobody_knows_is_no_amount() -> None:
    assert fiat(amount=5, currency="COINS").amount is None
    assert fiat(amount=5, currency=["USD"]).amount is None
    assert fiat(amount=5, currency="JPY").amount == Money(5, "JPY")


def link(**fields: Any) -> BankLinkEvent:
    raw = json.dumps(BASE | {"partnerWebhookType": "BANK_ACCOUNT_LINK"} | fields).encode()
    event = parse_event(raw)
    assert isinstance(event, BankLinkEvent)
    return event


def test_a_bank_account_link() -> None:
    event = link(partnerTransactionRef="L-1", status="FAILED", reasonCode="UNSUPPORTED")
    assert event == BankLinkEvent("ACC-1", "L-1", "FAILED", LinkStatus.FAILED, "UNSUPPORTED", None, "r-1")
    assert link(status="linked").status == LinkStatus.LINKED
    assert link(status="HALFWAY").status is None


def stored(**fields: Any) -> InboundEvent:
    return InboundEvent(provider="bakkt", body=json.dumps(BASE | fields))


@pytest.mark.django_db
def test_each_kind_goes_to_its_owner_and_others_wait() -> None:
    router, owner = routing.ByKind(), Renamer()
    plan = router.plan(stored(partnerWebhookType="TAX_EVENT"))
    assert (plan.verdict, plan.kind, plan.party_ref) == (Verdict.QUARANTINE, "TAX_EVENT", "ACC-1")
    routing.register("TAX_EVENT", owner)
    try:
        plan = router.plan(stored(partnerWebhookType="TAX_EVENT", ref="nobody@example.com"))
        assert plan.lines == ["Nobody has this reference."]
    finally:
        del routing._handlers["TAX_EVENT"]
    assert router.plan(InboundEvent(provider="bakkt", body="[]")).verdict == Verdict.QUARANTINE


def test_every_return_code_of_the_contract_has_its_row() -> None:
    assert set(return_codes.CODES) == {f"R{number:02}" for number in range(1, 45)} | {"R51"}
    grouped = {
        c: {row.code for row in return_codes.CODES.values() if row.category == c}
        for c in return_codes.Category
    }
    assert grouped[return_codes.UNAUTHORIZED] == {"R05", "R07", "R10", "R11", "R29", "R51"}
    assert grouped[return_codes.ADMINISTRATIVE] == {"R02", "R03", "R04"}
    assert {"R02", "R03", "R04", "R13", "R20"} <= {
        c for c, row in return_codes.CODES.items() if row.unlink_bank
    }
    assert not any(row.retryable and row.unlink_bank for row in return_codes.CODES.values())


def test_a_code_past_the_table_is_kept_and_not_retried() -> None:
    row = return_codes.look_up("R85")
    assert (row.code, row.known, row.retryable, row.hold_days_next) == ("R85", False, False, 30)
    assert return_codes.look_up("R01").known
    assert [return_codes.is_return_code(word) for word in ("R85", "R1", "PARTY_SUSPENDED", "")] == [True] + [
        False
    ] * 3


def test_an_unknown_problem_is_shown_as_it_came() -> None:
    row = fiat_problems.look_up("MOON_PHASE")
    assert (row.type, row.step) == ("MOON_PHASE", "review")
    assert "MOON_PHASE" in row.staff
    assert fiat_problems.look_up("INSUFFICIENT_BALANCE").step == "refresh_balance"
