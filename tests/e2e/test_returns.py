"""A deposit comes back; staff meet it in the list, on its page and in its case, and decide. In a real browser."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import services
from compliance.models import Case
from funding import returns
from funding.models import LinkedBank
from tests.e2e.browser import looked_at, page_of
from tests.funding.people import link_bank, open_account
from tests.funding.test_returns import bring_back, deposit
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_return_arrives_and_its_case_is_worked(
    browser: Browser, live_server: LiveServer, width: int
) -> None:
    account = open_account(make_customer_user())
    bank = link_bank(account)
    for cents in (12_500, 250_000, 80_000):
        deposit(account, bank=bank, amount_minor=cents)
    transfer = bring_back(deposit(account, bank=bank, amount_minor=45_000), "R08", completed=True)
    case = Case.objects.get(kind=returns.KIND)
    manager = make_staff("compliance_manager")
    page = page_of(browser, live_server, manager, width)

    page.goto("/staff/transfers/")
    looked_at(page, f"transfers-{width}")
    page.goto("/staff/transfers/returns/")
    looked_at(page, f"returns-{width}")
    page.goto("/staff/transfers/volumes/")
    looked_at(page, f"volumes-{width}")
    page.goto("/staff/transfers/limits/")
    looked_at(page, f"limits-{width}")
    page.goto(f"/staff/transfers/{transfer.pk}/")
    expect(page.get_by_text("more returned deposits")).to_be_visible()
    looked_at(page, f"transfer-{width}")

    page.get_by_role("link", name=case.reference).click()
    expect(page.get_by_role("heading", name="What the code asks for")).to_be_visible()
    looked_at(page, f"return-case-{width}")
    services.case_assign(actor=manager, case_id=case.pk, to=manager)
    services.case_check(actor=manager, case_id=case.pk, done={"code", "balance"})
    page.reload()
    label = "Allow deposits from this bank again"
    page.get_by_role("radio", name=label).check()
    page.get_by_label(f"Reason for “{label}”").select_option(
        "The customer showed that they had authorised it"
    )
    page.get_by_label("In your own words").fill("The stop was a mistake; letter seen")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("Deposits from this bank may be asked for again").first).to_be_visible()
    assert LinkedBank.objects.get(pk=bank.pk).stopped_for == ""
