"""Reconciliation of money in a real browser: planted differences found and resolved, on a desk and on a phone."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from funding.models import MoneyRun
from funding.reconciliation import runs
from portal import clock
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.e2e.browser import looked_at, page_of
from tests.funding.test_reconciliation import finish, later, planted
from tests.people import make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_planted_differences_are_found_and_resolved(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer_user: User,
    width: int,
) -> None:
    planted(box, customer_user)
    boss = make_staff("funding_operator")
    MoneyRun.objects.create(
        status="finished", started_at=clock.now() - timedelta(days=1), finished_at=clock.now(), differ=2,
        since=clock.now(), expected=1, done=1, compared=9,
    )  # fmt: skip
    page = page_of(browser, live_server, boss, width)
    page.goto("/staff/transfers/")
    page.get_by_role("link", name="Reconciliation", exact=True).click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("Accounts read", exact=True)).to_be_visible()
    looked_at(page, f"money-running-{width}")
    with later(3):
        finish()
    # Nobody presses anything: the page sees that it is over.
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    expect(page.get_by_text("Step 1 of 5")).to_have_count(0)
    looked_at(page, f"money-finished-{width}")
    page.get_by_role("link", name="Reconciliation", exact=True).first.click()
    expect(page.get_by_role("heading", name="Differences, by run")).to_be_visible()
    looked_at(page, f"money-runs-{width}")
    page.get_by_role("link", name="Differences", exact=True).click()
    expect(page.get_by_role("link", name="The balances differ")).to_be_visible()
    looked_at(page, f"money-differences-{width}")
    page.get_by_role("link", name="The states differ").click()
    looked_at(page, f"money-state-{width}")
    page.get_by_role("button", name="Take over their record").click()
    expect(page.get_by_text("Our record is what theirs is now.")).to_be_visible()
    page.get_by_role("link", name="Differences").first.click()
    page.get_by_role("link", name="We have it, they do not").click()
    page.get_by_role("button", name="Theirs to mend").click()
    expect(page.get_by_role("link", name="Write a note.")).to_be_visible()
    looked_at(page, f"money-note-{width}")
    page.get_by_label("Note").fill("They never had it: ticket 4711.")
    page.get_by_role("button", name="Propose to write off").click()
    expect(page.get_by_text("Whoever proposed it cannot approve it.")).to_be_visible()
    second = page_of(browser, live_server, make_staff("compliance_manager"), width)
    second.goto(page.url)
    looked_at(second, f"money-second-{width}")
    second.get_by_role("button", name="Approve the write-off").click()
    expect(second.get_by_text("The adjustment is booked.")).to_be_visible()
    page.goto("/staff/transfers/reconciliation/upload/")
    page.get_by_label("First day it covers").fill(f"{clock.now():%Y-%m-%d}")
    page.get_by_label("Last day it covers").fill(f"{clock.now():%Y-%m-%d}")
    looked_at(page, f"money-upload-{width}")
    content = b"partnerPartyRef,transactionId,instrumentType,fiatTransactionType,transactionStatus,amount\n"
    content += b"nobody,t1,WIRE,DEPOSIT,COMPLETE,5.00\nnobody,t2,WIRE,DEPOSIT,COMPLETE,lots\n"
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "activity.csv", "mimeType": "text/csv", "buffer": content}
    )
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Its amount is no amount of money.")).to_be_visible()
    looked_at(page, f"money-checked-{width}")
    with page.expect_download() as download:
        page.goto("/staff/transfers/reconciliation/items/")
        page.get_by_role("link", name="Download these as CSV").click()
    assert "missing_there" in download.value.path().read_text()
    assert not runs.step()
