"""The dashboard in a real browser: seen, narrowed, followed to a list and printed, on a desk and on a phone."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import jobs, kinds
from portal import clock
from portal.models import User
from tests.axe import assert_accessible
from tests.compliance.conftest import opened
from tests.compliance.kinds import KIND, PARROT
from tests.compliance.test_dashboard import decide, take
from tests.e2e.browser import looked_at, page_of
from tests.onboarding.test_funnel import begun
from tests.people import make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


def three_weeks(manager: User, analyst: User) -> None:
    """Some cases a day, decided after a while, the last ones not yet; and applications that stop somewhere."""
    now = clock.now()
    for day in range(21, -1, -1):
        with time_machine.travel(now - timedelta(days=day, hours=1), tick=False) as traveller:
            for number in range(1 + day * 5 % 4):
                case = opened()
                if day > 2 and (day + number) % 5:
                    who = analyst if number else manager
                    traveller.shift(timedelta(minutes=25 * (number + 1)))
                    take(case, who)
                    traveller.shift(timedelta(hours=9 * (number + day % 6)))
                    decide(case, who, reason="moult" if day % 3 else "nap")
                    traveller.move_to(now - timedelta(days=day, hours=1))
    begun()
    begun("identity", "contact")
    begun("identity")
    jobs.figures_count()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_dashboard(browser: Browser, live_server: LiveServer, width: int) -> None:
    manager, analyst = make_staff("compliance_manager"), make_staff()
    three_weeks(manager, analyst)
    page = page_of(browser, live_server, manager, width)
    page.goto("/staff/dashboard/")
    expect(page.get_by_role("heading", name="Arrivals")).to_be_visible()
    looked_at(page, f"dashboard-{width}")
    for summary in page.get_by_text("The same as a table").all():
        summary.click()
    looked_at(page, f"dashboard-tables-{width}")
    if width < 1000:
        page.get_by_text("Filters", exact=True).click() if not page.get_by_label(
            "Days"
        ).is_visible() else None
    page.get_by_label("Days").select_option("This quarter")
    page.get_by_role("button", name="Apply filters").click()
    page.wait_for_url("**period=quarter**")
    page.get_by_role("link", name="Undecided now").click()
    expect(page.get_by_role("heading", name="Backlog")).to_be_visible()
    looked_at(page, f"dashboard-list-{width}")
    page.go_back()
    page.get_by_role("link", name="Print").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    assert_accessible(page)
    if width > 1000:  # no paper is as narrow as a phone
        page.emulate_media(media="print")
        looked_at(page, "dashboard-print")
