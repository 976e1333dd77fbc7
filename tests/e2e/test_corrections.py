"""What the provider refused and what a problem type means, in a real browser: readable by everyone, on a phone too."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.models import Application
from portal.models import User
from tests.e2e.browser import context_of, enter, looked_at
from tests.flow import complete_draft
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(params=[360, 1280])
def page(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page as wide as a phone or a desk's screen."""
    context = context_of(browser, live_server, request.param)
    page = context.new_page()
    yield page
    context.close()


def look(page: Page, path: str) -> None:
    page.goto(path)
    looked_at(page, path.strip("/").replace("/", "-"))


def refused(user: User) -> Application:
    application = complete_draft(user)
    application.corrections = [
        {
            "field": "owners[0].identity.personalAddress.state",
            "code": "1005",
            "message": "must be a US state",
        },
        {"field": "somethingNew", "code": "1", "message": ""},
    ]
    application.status = Application.Status.CORRECTION_NEEDED
    application.save(update_fields=["corrections", "status"])
    return application


def test_corrections_lead_the_customer_to_the_question(page: Page) -> None:
    user = make_customer_user()
    application = refused(user)
    enter(page.context, user)
    base = f"/applications/{application.pk}/"
    look(page, f"{base}review/")
    look(page, base)
    page.get_by_role("link", name="State (Home address)").click()
    expect(page.get_by_role("heading", name="Where you live")).to_be_visible()
    look(page, f"{base}steps/address/")


def test_staff_see_question_and_the_provider_s_words(page: Page) -> None:
    application = refused(make_customer_user())
    enter(page.context, make_staff("compliance_analyst"))
    look(page, f"/staff/applications/{application.pk}/")
    expect(page.get_by_role("cell", name="must be a US state")).to_be_visible()


def test_problem_pages_lead_to_each_other(page: Page) -> None:
    look(page, "/docs/problems/")
    page.get_by_role("link", name="stale-draft").click()
    expect(page.get_by_role("heading", name="The application was changed elsewhere")).to_be_visible()
    look(page, "/docs/problems/stale-draft")
    page.get_by_role("link", name="All problem types").click()
    expect(page.get_by_role("heading", name="Problem types of the API")).to_be_visible()
