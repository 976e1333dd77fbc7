"""A second review in a real browser: blind, another decision, and a manager who settles it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import jobs, kinds, personal
from compliance.models import Review
from portal import clock
from tests.compliance.conftest import opened, subject_of
from tests.compliance.kinds import KIND, PARROT
from tests.compliance.test_reviews import decided, policy
from tests.e2e.browser import looked_at, page_of
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


def test_a_blind_review(browser: Browser, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    manager, first, second = make_staff("compliance_manager"), make_staff(), make_staff()
    with time_machine.travel(clock.now() - timedelta(days=7)):
        policy(manager)
        decided(first)
    jobs.reviews_draw()
    page = page_of(browser, live_server, second)
    page.goto("/staff/dashboard/")
    page.get_by_role("link", name="Second reviews").click()
    looked_at(page, "reviews-empty")
    page.get_by_role("button", name="Review the next one").click()
    expect(page.get_by_text("Decide it as if it were yours")).to_be_visible()
    expect(page.get_by_text("Resting")).to_be_visible()
    assert "stunned" not in page.content()
    looked_at(page, "review-blind-1280")
    page.set_viewport_size({"width": 390, "height": 900})
    looked_at(page, "review-blind-390")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("radio", name="It is gone: bury it").check()
    page.get_by_role("button", name="Keep my decision").click()
    expect(page.get_by_role("link", name="Say in your own words why")).to_be_visible()
    page.get_by_label("In your own words").fill("It does not breathe.")
    page.get_by_role("button", name="Keep my decision").click()
    expect(page.get_by_role("heading", name="Which stands?")).to_be_visible()

    boss = page_of(browser, live_server, manager)
    boss.goto("/staff/dashboard/")
    boss.get_by_role("link", name="To be talked about now").click()
    boss.get_by_role("link", name="Silent parrot").click()
    looked_at(boss, "review-both")
    boss.get_by_role("radio", name="The first decision stands").check()
    boss.get_by_label("What everybody learns from it").fill("Hold a mirror to its beak.")
    boss.get_by_role("button", name="Settle it").click()
    expect(boss.get_by_text("Hold a mirror to its beak.")).to_be_visible()
    boss.goto("/staff/reviews/quality/")
    looked_at(boss, "quality-1280")
    boss.set_viewport_size({"width": 390, "height": 900})
    looked_at(boss, "quality-390")
    assert Review.objects.get().stands == "first"

    # Whoever works on such a case finds what was learnt beside the checklist.
    page.goto(f"/staff/cases/{opened(subject_of(make_customer_user())).pk}/")
    page.get_by_text("What second reviews taught").click()
    expect(page.get_by_text("Hold a mirror to its beak.")).to_be_visible()
    looked_at(page, "case-lessons-1280")
    page.set_viewport_size({"width": 390, "height": 900})
    looked_at(page, "case-lessons-390")
    monkeypatch.setattr(personal, "_shuts", [lambda *_: ("The customer had this erased.", "/staff/privacy/")])
    page.goto(f"/staff/reviews/{Review.objects.get().pk}/")
    expect(page.get_by_text("The customer had this erased.")).to_be_visible()
    looked_at(page, "review-shut-390")
