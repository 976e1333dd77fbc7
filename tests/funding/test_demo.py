"""The demo data of money: whoever starts the product finds the pages of money alive, and both books agree."""

from typing import Any

from compliance.models import Case
from funding import demo, returns
from funding.models import LinkedBank, Transfer
from onboarding.models import ProviderAccount
from providers import inbox
from sandbox.testing import SandboxProcess
from tests.faults.money import assert_books_agree, settle
from tests.flow import publish_agreements


def test_a_bank_deposits_and_a_return(bank_box: SandboxProcess) -> None:
    publish_agreements()
    assert [login.email for login in demo.money()] == [demo.EMAIL]
    account = ProviderAccount.objects.get(application__customer__user__email=demo.EMAIL)
    assert LinkedBank.objects.get().status == "active"
    asked = Transfer.objects.filter(kind="transfer")
    found = dict(asked.values_list("amount_minor", "status"))
    assert found == dict(
        zip(demo.DEPOSITS, ["completed", "completed", "completed", "pending", "returned"], strict=True)
    )
    assert Case.objects.filter(kind=returns.KIND).count() == 1
    # What the sandbox told meanwhile comes later, with the fee of the return; a second start adds nothing.
    settle(bank_box)
    inbox.process_due()
    assert_books_agree(bank_box, account)
    demo.money()
    assert dict(asked.all().values_list("amount_minor", "status")) == found
    assert_books_agree(bank_box, account)


def test_where_no_sandbox_answers_there_is_no_money(db: None, settings: Any) -> None:
    publish_agreements()
    for url in ("", "http://127.0.0.1:1"):
        settings.SANDBOX_URL, settings.PLAID_URL = url, f"{url}/plaid"
        demo.money()
    assert not Transfer.objects.exists() and not LinkedBank.objects.exists()
