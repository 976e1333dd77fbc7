"""Linking a bank from the customer's first look to the linked account, and what staff see of it."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from funding.models import LinkedBank
from sandbox.testing import SandboxProcess
from tests.e2e.browser import looked_at, page_of
from tests.e2e.test_bank_link import agree, choose, sign_in
from tests.faults.way import deliver
from tests.flow import drain
from tests.funding.linking import known_account, user_of
from tests.people import make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_from_no_bank_to_a_linked_one_and_unlinked(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    settings: Any,
    width: int,
) -> None:
    settings.PORTAL_URL = live_server.url.replace("127.0.0.1", "localhost")
    account = known_account(box)
    page = page_of(browser, live_server, user_of(account), width)
    heading = page.get_by_role("heading", level=1)
    page.goto("/money/bank/")
    expect(heading).to_have_text("No bank is linked")
    looked_at(page, f"bank-none-{width}")
    page.get_by_role("button", name="Link a bank").click()
    expect(page.get_by_text("This is a stand-in for Plaid")).to_be_visible()
    looked_at(page, f"bank-link-{width}")
    page.get_by_role("button", name="Go to your bank").click()
    frame = page.frame_locator("iframe")
    choose(frame, "First Platypus Bank")
    sign_in(frame)
    # Of one alone there would be nothing left to choose.
    frame.get_by_label("Plaid Saving").check()
    agree(frame)
    expect(heading).to_have_text("Your bank is being asked")
    looked_at(page, f"bank-reading-{width}")
    drain()
    # The page goes on by itself.
    expect(heading).to_have_text("Choose an account")
    looked_at(page, f"bank-choose-{width}")
    page.get_by_role("button", name="Link this account").click()
    expect(page.get_by_role("link", name="Choose an account.")).to_be_visible()
    looked_at(page, f"bank-choose-error-{width}")
    page.get_by_label("Plaid Checking, ending in 0000").check()
    page.get_by_role("button", name="Link this account").click()
    expect(heading).to_have_text("Your bank is being linked")
    looked_at(page, f"bank-linking-{width}")
    drain()
    deliver(box)
    expect(heading).to_have_text("Your bank is linked")
    looked_at(page, f"bank-linked-{width}")

    bank = LinkedBank.objects.get()
    box.api("POST", f"items/{bank.item_id}/reset-login", {})
    deliver(box)
    page.goto("/money/bank/")
    expect(heading).to_have_text("Sign in at your bank again")
    looked_at(page, f"bank-sign-in-{width}")

    desk = page_of(browser, live_server, make_staff("funding_operator"), width)
    desk.goto(f"/staff/applications/{account.application_id}/")
    desk.get_by_role("link", name="Bank", exact=True).click()
    expect(desk.get_by_text("ITEM_LOGIN_REQUIRED").first).to_be_visible()
    looked_at(desk, f"bank-staff-{width}")
    desk.get_by_role("button", name="Unlink").click()
    expect(desk.get_by_role("link", name="Say why it is unlinked.")).to_be_visible()

    page.get_by_role("link", name="Unlink this bank").click()
    looked_at(page, f"bank-unlink-{width}")
    page.get_by_role("button", name="Unlink it").click()
    expect(heading).to_have_text("Your bank is being unlinked")
    drain()
    expect(heading).to_have_text("No bank is linked")
