"""The statements of an account in a real browser: months with a PDF of their own, and one whose PDF comes in parts."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from funding import statements
from funding.models import LinkedBank, Transfer
from onboarding.models import ProviderAccount
from portal import clock
from portal.models import Role
from tests.e2e.browser import looked_at, page_of
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def _deposits(account: ProviderAccount, bank: LinkedBank, number: int) -> None:
    """So many deposits that arrived, now."""
    for count in range(number):
        row = Transfer.objects.create(
            account=account, amount_minor=1_000 + count, status="requested", reference=f"s-{number}-{count}",
            direction="deposit", rail="ach", origin="customer", bank=bank,
        )  # fmt: skip
        row.enter()
        row.move_to("completed", actor=None)


@pytest.mark.parametrize("width", [1280, 390])
def test_statements_fit_on_a_desk_and_on_a_phone(
    browser: Browser,
    live_server: LiveServer,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = make_customer_user("Ana Ortiz")
    account = open_account(user)
    bank = link_bank(account)
    monkeypatch.setattr(statements, "IN_A_PDF", 2)
    with time_machine.travel(clock.now() - timedelta(days=62)):
        _deposits(account, bank, 1)
    _deposits(account, bank, 25)
    page = page_of(browser, live_server, user, width)
    page.goto(f"/money/accounts/{account.pk}/statements/")
    expect(page.get_by_role("link", name="PDF, part 13 of 13")).to_be_visible()
    looked_at(page, f"statements-{width}")
    desk = page_of(browser, live_server, make_staff(Role.FUNDING_OPERATOR), width)
    desk.goto(reverse("funding_staff:statements", args=[account.pk]))
    expect(desk.get_by_role("link", name="PDF, part 13 of 13")).to_be_visible()
    looked_at(desk, f"statements-staff-{width}")
