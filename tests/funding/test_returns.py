"""Returned transfers: the playbook, the books, the rates, and what the case's decisions bring about."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from compliance.models import Case
from funding import returns, terms
from funding.hearing import Heard, hear
from funding.models import LedgerBalance, Transfer
from funding.operations import UNLINK
from onboarding.models import AccountHold, ProviderAccount
from portal import ids
from portal.models import OutboundCall, User
from portal.money import Money
from providers.bakkt.assumptions import MOST_ACH_RETURNS
from tests.deciding import decide
from tests.funding.people import link_bank, open_account

Staff = Callable[[str], User]


def deposit(account: ProviderAccount, **more: Any) -> Transfer:
    facts: dict[str, Any] = {
        "direction": "deposit",
        "rail": "ach",
        "origin": "customer",
        "amount_minor": 20_000,
        "status": "requested",
        "reference": str(ids.new_id()),
    }
    transfer = Transfer.objects.create(account=account, **(facts | more))
    transfer.enter()
    transfer.move_to("sent", actor=None)
    return transfer


def bring_back(transfer: Transfer, code: str, *, completed: bool = False) -> Transfer:
    if completed:
        hear(transfer.pk, Heard("completed", "COMPLETE"), source="webhook")
    hear(transfer.pk, Heard("returned", "RETURNED", code), source="webhook")
    return Transfer.objects.get(pk=transfer.pk)


def available(account: ProviderAccount) -> int:
    rows = LedgerBalance.objects.filter(account=account, book="available")
    return rows.values_list("amount_minor", flat=True).first() or 0


@pytest.mark.parametrize("completed", [False, True])
def test_the_playbook_follows_a_return_before_and_after_completion(
    customer_user: User, completed: bool
) -> None:
    account = open_account(customer_user)
    bank = link_bank(account)
    transfer = bring_back(deposit(account, bank=bank), "R10", completed=completed)
    assert available(account) == 0
    bank.refresh_from_db()
    assert (bank.extra_hold_days, bank.stopped_for) == (60, "R10")
    [case] = Case.objects.filter(kind=returns.KIND)
    assert (case.subject_id, case.priority, case.amount_minor) == (transfer.pk, Case.Priority.HIGH, 20_000)
    assert returns.returns_left(account) == MOST_ACH_RETURNS - 1
    found = terms.terms(customer_user, account, terms.Order("deposit", "ach", Money(5_000, "USD")))
    assert [stop.code for stop in found.stops] == ["bank_returned"]
    # Heard again it changes nothing.
    assert not hear(transfer.pk, Heard("returned", "RETURNED", "R10"), source="poll")
    assert Case.objects.get().facts.count() == 1


def test_what_may_be_tried_again_stops_nothing_and_is_held_longer(customer_user: User) -> None:
    account = open_account(customer_user)
    bank = link_bank(account)
    usual = terms.terms(customer_user, account, terms.Order("deposit", "ach")).release_on
    bring_back(deposit(account, bank=bank), "R01", completed=True)
    found = terms.terms(customer_user, account, terms.Order("deposit", "ach", Money(5_000, "USD")))
    assert found.stops == []
    assert usual is not None and found.release_on is not None
    assert (found.release_on - usual).days >= 5


def test_allowing_deposits_again_and_holding_the_account(customer_user: User, staff: Staff) -> None:
    account = open_account(customer_user)
    bank = link_bank(account)
    analyst = staff("compliance_analyst")
    for decision in ("retry", "unlink", "hold"):
        bring_back(deposit(account, bank=bank), "R08")
        case = Case.objects.exclude(status="closed").get(kind=returns.KIND)
        decide(analyst, case, decision, text="The customer showed the letter")
        assert Case.objects.get(pk=case.pk).status == "closed"
    bank.refresh_from_db()
    assert bank.stopped_for == "R08"  # The next return stopped it again.
    assert (bank.status, OutboundCall.objects.get(operation=UNLINK).subject_id) == ("unlinking", bank.pk)
    assert AccountHold.objects.get(account=account).cause == "returns"


def test_rates_warn_before_the_threshold(customer_user: User) -> None:
    account = open_account(customer_user)
    for _ in range(40):
        deposit(account)
    bring_back(deposit(account), "R02")
    rates = returns.rates()
    assert (rates.debits, rates.number("administrative"), rates.percent("administrative")) == (41, 1, 2.44)
    assert rates.warnings == ["Administrative: 2.44 % comes close to Nacha's threshold of 3 %."]


def test_pages_of_returns(customer_user: User, staff: Staff, signed_in: Callable[[User], Client]) -> None:
    account = open_account(customer_user)
    transfer = bring_back(deposit(account, bank=link_bank(account)), "R10")
    client = signed_in(staff("compliance_manager"))
    page = client.get("/staff/transfers/returns/").content.decode()
    assert "R10" in page and "has reached" in page
    assert "Returned ACH transfers" in client.get("/staff/dashboard/").content.decode()
    story = client.get(f"/staff/transfers/{transfer.pk}/").content.decode()
    assert "Treat as possible fraud" in story and "You told your bank" in story
    case = Case.objects.get(kind=returns.KIND)
    assert "What the code asks for" in client.get(f"/staff/cases/{case.pk}/").content.decode()
