"""The case page as one screen to decide on, and search across people: on a desk and on a phone, without a barrier."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from funding.models import WireRecipient
from onboarding import document_checks, services
from onboarding.models import Application, Owner, ProviderAccount
from tests.e2e.browser import looked_at, page_of
from tests.flow import submitted
from tests.onboarding import journeys
from tests.onboarding.papers_support import upload
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def held(settings: Any, tmp_path: Path) -> Application:
    """A trust whose applicant's number two others hold, with a passport that was looked at."""
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    for name, family in (("Bo", "Li"), ("Mirjam", "van den Berg-Oosterhuis")):
        submitted(make_customer_user(name), given_name=name, family_name=family, tax_id="536-22-1234")
    user = make_customer_user("Ana Ortiz")
    application = journeys.trust(user)
    owner = Owner.objects.get(application=application, is_applicant=True)
    upload(user, application, type="PASSPORT", owner_id=owner.pk, country="MX", expires_on=date(2031, 5, 1))
    for key in document_checks.due_ids():
        document_checks.check(key)
    services.application_submit(actor=user, application_id=application.pk, source="page")
    # Both wire to one account.
    for row in (application, Application.objects.get(customer__user__name="Bo")):
        account, _ = ProviderAccount.objects.get_or_create(
            application=row, defaults={"client_account_id": row.reference}
        )
        WireRecipient.objects.create(
            account=account,
            bank_name="First Platypus Bank",
            bank_address="1 River Road, Austin, TX 78701",
            routing_number="021000021",
            account_number="000123456789",
            added_by=user,
        )
    return Application.objects.get(pk=application.pk)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_case_is_one_screen_to_decide_on(
    browser: Browser, live_server: LiveServer, held: Application, width: int
) -> None:
    case = Case.objects.get(subject_id=held.pk)
    page = page_of(browser, live_server, make_staff(), width)
    page.goto(f"/staff/cases/{case.pk}/")
    expect(page.get_by_role("heading", name="Whom it is about")).to_be_visible()
    # The drawing is for the eye; the table says the same.
    expect(page.locator("#linked").get_by_role("cell", name="Same bank account")).to_be_visible()
    expect(page.locator("#linked svg").get_by_text("Same bank account")).to_be_visible()
    looked_at(page, f"case-page-{width}")
    page.get_by_label("New note").fill("Half a thought")
    page.get_by_role("link", name="Passport, front: Ana Ortiz").click()
    picture = page.get_by_alt_text("Page 1 of the passport; opens in full size")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    looked_at(page, f"case-paper-{width}")
    # It is read when somebody gets there.
    page.locator("#history").scroll_into_view_if_needed()
    page.get_by_role("link", name="Customer and staff", exact=True).click()
    expect(picture).to_be_visible()
    expect(page.get_by_role("link", name="Customer and staff", exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    expect(page.get_by_role("link", name="Customer and staff", exact=True)).to_be_focused()
    expect(page.get_by_label("New note")).to_have_value("Half a thought")
    page.get_by_role("link", name="As the customer sees it").click()
    expect(page.get_by_text("You are looking at the customer's own page")).to_be_visible()
    looked_at(page, f"case-as-customer-{width}")
    page.get_by_role("link", name="Papers", exact=True).click()
    for control in page.get_by_label("The customer's page").locator("input, button, select, textarea").all():
        assert control.is_disabled()
    looked_at(page, f"case-as-customer-papers-{width}")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_is_found_from_any_page(
    browser: Browser, live_server: LiveServer, held: Application, width: int
) -> None:
    page = page_of(browser, live_server, make_staff(), width)
    page.goto("/staff/cases/")
    page.get_by_role("searchbox", name="Find people and cases").fill("1234")
    page.get_by_role("searchbox", name="Find people and cases").press("Enter")
    expect(page.get_by_text("Searched by last four of the tax number.")).to_be_visible()
    expect(page.get_by_role("link", name="Sample Works LLC")).to_be_visible()
    assert page.url.endswith("/staff/find/")
    looked_at(page, f"find-{width}")
    page.get_by_role("searchbox", name="Find people and cases").fill(held.reference.lower())
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("Who has the ball")).to_be_visible()
    assert page.url.endswith(f"/staff/applications/{held.pk}/")
    page.goto("/staff/find/")
    looked_at(page, f"find-empty-{width}")
