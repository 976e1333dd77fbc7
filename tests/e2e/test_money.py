"""A customer adds money and withdraws it in a real browser, on a desk and on a phone, against the sandbox."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from funding.models import Transfer
from sandbox.testing import SandboxProcess
from tests.e2e.browser import looked_at, page_of
from tests.faults.test_customer_money import hear_all
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user
from tests.sandbox.funding import opened

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_adding_money_and_withdrawing_it(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    width: int,
) -> None:
    user = make_customer_user("Ana Ortiz")
    account = open_account(user)
    page = page_of(browser, live_server, user, width)
    page.goto("/money/")
    expect(page.get_by_role("link", name="Link a bank")).to_be_visible()
    expect(page.get_by_role("link", name="Add money", exact=True)).to_have_count(0)
    looked_at(page, f"money-no-bank-{width}")
    link_bank(account)
    opened(box, account.client_account_id)

    def seen(name: str) -> None:
        looked_at(page, f"money-{name}-{width}")

    page.goto("/money/")
    page.get_by_role("link", name="Add money", exact=True).click()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("Enter an amount")
    seen("deposit-errors")
    page.get_by_label("Amount in US dollars").fill("1,250.50")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("I, Ana Ortiz, authorise")).to_be_visible()
    seen("review")
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Agree and add money").click()
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    seen("done")
    hear_all(box)
    page.get_by_role("link", name="Follow it").click()
    expect(page.get_by_role("heading", name="It is here")).to_be_visible()
    seen("transfer")
    # As if the release had passed: nothing of the deposit may come back any more.
    Transfer.objects.update(release_on=None)
    page.get_by_role("link", name="Your money").first.click()
    expect(page.get_by_text("You can withdraw now")).to_be_visible()
    expect(page.get_by_text("$1,250.50").first).to_be_visible()
    seen("home")
    page.get_by_role("link", name="Withdraw", exact=True).click()
    page.get_by_label("First Platypus Bank").check()
    page.get_by_label("Amount in US dollars").fill("200")
    seen("withdraw")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("I have read this and agree").check()
    page.get_by_role("button", name="Agree and withdraw").click()
    expect(page.get_by_role("heading", name="What happens next")).to_be_visible()
    hear_all(box)
    page.goto(f"/money/accounts/{account.pk}/activity/?direction=withdrawal")
    expect(page.get_by_text("Sent to your bank")).to_be_visible()
    seen("activity")
    for path, name in (
        ("wire/", "wire"), ("wire-accounts/", "wire-accounts"), ("statements/", "statements")
    ):  # fmt: skip
        page.goto(f"/money/accounts/{account.pk}/{path}")
        seen(name)
    for path, name in (("notices/", "notices"), ("notices/choices/", "choices")):
        page.goto(f"/money/{path}")
        seen(name)
