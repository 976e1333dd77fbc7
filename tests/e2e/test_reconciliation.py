"""The page of reconciliation in a real browser, on a desk and on a phone, without a barrier."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.models import ReconciliationRun
from portal import clock
from tests.e2e.browser import looked_at, page_of
from tests.people import make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


def nights() -> None:
    """A week of runs."""
    for day in range(7, 0, -1):
        begun = clock.now() - timedelta(days=day)
        run = ReconciliationRun.objects.create(
            started_at=begun,
            finished_at=begun + timedelta(minutes=42),
            expected=1240,
            agree=1231 - day,
            differ=day,
            missing=day % 2,
            not_answered=3,
            under_way=4,
            unknown=1,
        )
        run.move_to("finished", actor=None)


@pytest.mark.parametrize("width", [1280, 390])
def test_from_an_empty_page_to_a_list(browser: Browser, live_server: LiveServer, width: int) -> None:
    page = page_of(browser, live_server, make_staff("administrator"), width)
    page.goto("/staff/operations/")
    page.get_by_role("link", name="Reconciliation").click()
    expect(page.get_by_text("No run yet")).to_be_visible()
    looked_at(page, f"reconciliation-empty-{width}")
    nights()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("Every account is being read.")).to_be_visible()
    looked_at(page, f"reconciliation-{width}")
    page.get_by_role("link", name="Compare a list").click()
    page.get_by_role("button", name="Compare").click()
    looked_at(page, f"reconciliation-list-errors-{width}")
    page.get_by_label("File").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"clientAccountId,status\nmade-up-1,ACTIVE\n"}
    )
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("The list is being compared.")).to_be_visible()
    looked_at(page, f"reconciliation-listed-{width}")
