"""The exchange of a public token works once: what happens when its answer is lost, or nobody answers in time."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance.models import Case
from funding import lost_logins, operations
from funding.bank_standing import State, standing
from funding.models import BankLogin, LinkedBank
from portal import outbox
from portal.models import OutboundCall
from sandbox.testing import SandboxProcess
from tests.deciding import decide
from tests.faults.way import deliver, exchanges, later
from tests.flow import drain
from tests.funding.linking import items, known_account, link, started, through, user_of
from tests.people import make_staff, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


def login() -> BankLogin:
    return BankLogin.objects.latest("created_at")


def until_over(**by: float) -> None:
    for seconds in (10, 60, 300):
        with later(seconds=seconds, **by):
            drain()


def test_a_lost_answer_is_said_and_goes_to_a_person(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    through(started(account))
    bank_box.fault("drop_after", "plaid_exchange")
    deliver(bank_box)
    assert login().status == "reading" and login().exchange_asked_at is not None
    until_over()
    assert (login().status, login().problem_code, login().item_id) == ("failed", "EXCHANGE_LOST", "")
    found = standing(account)
    assert found.state == State.FAILED and "my.plaid.com" in found.why

    browser = sign_in(Client(), user_of(account))
    told = browser.get(f"/api/v1/accounts/{account.pk}/bank-links").json()[0]
    assert (told["state"], told["failed_because"]) == ("failed", found.why)
    # Nothing stands in the way of linking anew. What Plaid holds of the first try nobody here can end.
    assert link(bank_box, account).status == "active"
    assert [item["removed"] for item in items(bank_box)] == [False, False]

    case = Case.objects.get(kind=lost_logins.KIND)
    manager = make_staff("compliance_manager")
    staff = sign_in(Client(), manager)
    page = staff.get(f"/staff/cases/{case.pk}/").content.decode()
    assert str(account.pk) in page and "First Platypus Bank" in page
    assert (
        "a login that we cannot end"
        in staff.get(reverse("funding_staff:bank", args=[account.pk])).content.decode()
    )
    decide(manager, case, "ended", text="Ticket 4711")
    assert Case.objects.get(pk=case.pk).status == "closed"


@pytest.mark.parametrize("kind", ["drop_before", "429"])
def test_a_request_that_had_no_effect_is_made_again(bank_box: SandboxProcess, kind: str) -> None:
    account = known_account(bank_box)
    through(started(account))
    bank_box.fault(kind, "plaid_exchange", seconds=1)
    deliver(bank_box)
    until_over()
    assert login().status == "choose" and login().exchange_asked_at is None
    assert len(exchanges(bank_box, "plaid_exchange")) == 2 and not Case.objects.exists()


@pytest.mark.parametrize(("kind", "code"), [("drop_before", "EXCHANGE_LOST"), ("429", "EXPIRED")])
def test_after_half_an_hour_the_token_is_not_sent_any_more(
    bank_box: SandboxProcess, kind: str, code: str
) -> None:
    """The customer is not kept waiting for what cannot come. Whether Plaid took it is known only of a refusal."""
    account = known_account(bank_box)
    through(started(account))
    bank_box.fault(kind, "plaid_exchange", count=None)
    deliver(bank_box)
    made = len(exchanges(bank_box, "plaid_exchange"))
    until_over(minutes=31)
    assert (login().status, login().problem_code) == ("failed", code)
    assert len(exchanges(bank_box, "plaid_exchange")) == made
    assert Case.objects.filter(kind=lost_logins.KIND).count() == (code == "EXCHANGE_LOST")
    assert standing(account).state == State.FAILED


def test_the_stand_in_takes_a_token_for_half_an_hour(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    through(started(account))
    bank_box.api("POST", "clock/advance", {"seconds": 1801})
    deliver(bank_box)
    assert (login().status, login().problem_code) == ("failed", "INVALID_PUBLIC_TOKEN")
    assert not LinkedBank.objects.exists() and not Case.objects.exists(), "nothing was exchanged before"


def test_a_worker_that_died_after_asking_counts_as_a_lost_answer(
    bank_box: SandboxProcess, monkeypatch: Any
) -> None:
    """Between Plaid's answer and our commit."""
    account = known_account(bank_box)
    through(started(account))
    bank_box.flush()
    save = BankLogin.save

    def dies(self: BankLogin, *args: Any, **kwargs: Any) -> None:
        if self.item_id:
            raise SystemExit
        save(self, *args, **kwargs)

    monkeypatch.setattr(BankLogin, "save", dies)
    with pytest.raises(SystemExit):
        drain()
    monkeypatch.setattr(BankLogin, "save", save)
    with later(minutes=3):
        outbox.perform(OutboundCall.objects.get(operation=operations.LOGIN_READ).pk)
    assert login().problem_code == "EXCHANGE_LOST"
