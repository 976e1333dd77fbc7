"""The identity check's link in a real browser, from its issue to the third expiry and after, with the clock moved."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from onboarding.identity import checks, services
from onboarding.models import Application
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.e2e.browser import context_of, enter, looked_at, page_of
from tests.faults.way import deliver
from tests.onboarding.identity_support import after, check_of, flagged, living, tick, url_of
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
WIDTHS = [1280, 390]


@pytest.fixture
def customer() -> User:
    return make_customer_user("Vera")


def check_page(browser: Browser, server: LiveServer, application: Application, width: int) -> Page:
    """The customer signs in anew, since the session of three days ago is over, and goes to the check."""
    page = page_of(browser, server, application.customer.user, width)
    page.goto(f"/applications/{application.pk}/")
    page.get_by_role("link", name="Go to the identity check").click()
    return page


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_first_link_to_the_end_of_links(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer: User,
    width: int,
) -> None:
    application = flagged(box, customer)
    page = check_page(browser, live_server, application, width)
    expect(page.get_by_text("that is 2 days and 23 hours from now")).to_be_visible()
    looked_at(page, f"identity-link-{width}")
    desk = page_of(browser, live_server, make_staff("compliance_manager"), width)
    for number in (1, 2, 3):
        with after(box, application, hours=73 * number):
            tick()
            page = check_page(browser, live_server, application, width)
            heading = page.get_by_role("heading", level=1)
            expect(heading).to_have_text("The link for your identity check has run out")
            looked_at(page, f"identity-expired-{number}-{width}")
            if number < 3:
                expect(page.get_by_text(f"You have {3 - number} of 3 links left")).to_be_visible()
                page.get_by_role("button", name="Get a new link").click()
                expect(page.get_by_text("The new link is here")).to_be_visible()
                assert living(application).number == number + 1
                assert url_of(application) not in page.content()
                continue
            page.get_by_role("button", name="Ask for another link").click()
            expect(heading).to_have_text("A person of ours takes over your identity check")
            expect(page.get_by_role("button", name=re.compile("link"))).to_have_count(0)
            looked_at(page, f"identity-exhausted-{width}")
            enter(desk.context, make_staff("compliance_manager"))
            desk.goto(f"/staff/applications/{application.pk}/")
            expect(desk.get_by_text("No links left: a case stands for it")).to_be_visible()
            looked_at(desk, f"identity-staff-{width}")
            desk.goto(f"/staff/cases/{Case.objects.get(kind=checks.EXHAUSTED).pk}/")
            expect(desk.get_by_role("cell", name=re.compile("Ran out$"))).to_have_count(3)
            looked_at(desk, f"identity-case-{width}")
    assert check_of(application).expirations == 3


def test_out_to_the_identity_service_and_back_with_an_account(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer: User,
) -> None:
    application = flagged(box, customer)
    page = check_page(browser, live_server, application, 1280)
    sent: list[str | None] = []
    page.on(
        "request",
        lambda request: sent.append(request.headers.get("referer")) if "/verify/" in request.url else None,
    )
    page.get_by_role("button", name="Start the identity check").click()
    expect(page.get_by_role("heading", name="Identity check")).to_be_visible()
    assert page.url == url_of(application)
    assert sent == [None]
    page.get_by_role("button", name="Pass", exact=True).click()
    deliver(box)
    page.goto(f"/applications/{application.pk}/")
    expect(page.get_by_role("heading", name="Your account is active")).to_be_visible()
    expect(page.get_by_role("link", name="Go to the identity check")).to_have_count(0)


def test_on_a_phone_by_the_code(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer: User,
) -> None:
    application = flagged(box, customer)
    page = check_page(browser, live_server, application, 1280)
    page.get_by_role("button", name="Continue on a phone").click()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    assert page.locator(".qr svg path").count() == 1
    looked_at(page, "identity-code-1280")
    token = services.handoff_make(actor=customer, application_id=application.pk, source="page")
    phone = context_of(browser, live_server, 390).new_page()
    phone.goto(f"/applications/continue-check/{token}/")
    looked_at(phone, "identity-phone-390")
    phone.get_by_role("button", name="Start the identity check").click()
    expect(phone.get_by_role("heading", name="Identity check")).to_be_visible()
    assert phone.url == url_of(application)
    phone.goto(f"/applications/continue-check/{token}/")
    looked_at(phone, "identity-phone-over-390")
    expect(phone.get_by_role("heading", name="This address works no more")).to_be_visible()


def test_the_countdown_goes_on_and_the_page_looks_again_at_its_end(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer: User,
) -> None:
    application = flagged(box, customer)
    page = page_of(browser, live_server, customer)
    page.clock.install()
    page.goto(f"/applications/{application.pk}/identity-check/")
    place = page.locator("[data-countdown]")
    expect(place).to_have_text("2 days and 23 hours")
    page.clock.fast_forward(3 * 3600 * 1000)
    expect(place).to_have_text("2 days and 20 hours")
    assert page.locator("[aria-live] [data-countdown]").count() == 0
    with page.expect_navigation():
        page.clock.fast_forward(70 * 3600 * 1000)


@pytest.mark.parametrize("width", WIDTHS)
def test_staff_set_the_ways_and_ask_after_declined_consent(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    customer: User,
    width: int,
) -> None:
    page = page_of(browser, live_server, make_staff("administrator"), width)
    page.goto("/staff/identity-check/delivery/")
    looked_at(page, f"identity-delivery-{width}")
    page.get_by_label("In this portal").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Choose at least one of the three ways")).to_be_visible()
    looked_at(page, f"identity-delivery-error-{width}")
    page.get_by_label("SMS by the identity service").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds from now on")).to_be_visible()
    application = flagged(box, customer)
    seen = check_page(browser, live_server, application, width)
    expect(seen.get_by_text("Use the link that was sent to you")).to_be_visible()
    looked_at(seen, f"identity-elsewhere-{width}")

    desk = page_of(browser, live_server, make_staff("compliance_manager"), width)
    desk.goto(f"/staff/applications/{application.pk}/")
    desk.get_by_text("The customer declined consent: ask").click()
    desk.locator("#id_override-reason").fill("Spoke with them")
    looked_at(desk, f"identity-override-{width}")
    desk.get_by_role("button", name="Ask for a link").click()
    expect(desk.get_by_text("The customer's page has a new link")).to_be_visible()
