"""A co-owner in a browser of their own: invited, signed up, own part, agreements, until the account is open."""

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.models import AgreementAcceptance, Owner
from portal.models import User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.e2e.account_answers import fill, person
from tests.e2e.browser import context_of, looked_at, page_of
from tests.faults.way import deliver
from tests.flow import drain, publish_agreements
from tests.onboarding import journeys
from tests.onboarding.invitations_support import last_token
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import link_in, mails_to

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]
EMAIL = "kim.lee@example.test"


def invite(page: Page, application_id: object) -> None:
    """The applicant adds a second custodian and has them fill in their own part."""
    page.goto(f"/applications/{application_id}/steps/owners/")
    page.get_by_role("link", name="Add a person").click()
    page.wait_for_url("**/people/add/")
    fill(page, {"given_name": "Kim", "family_name": "Lee", "role": "CUSTODIAN"})
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/steps/identity/")
    page.goto(f"/applications/{application_id}/steps/owners/")
    page.get_by_role("link", name="Let them fill it in").click()
    page.get_by_label("Their e-mail address").fill(EMAIL)
    looked_at(page, "invite")
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("not answered yet")).to_be_visible()


def sign_up_by_the_link(page: Page) -> None:
    """From the letter's link through sign-up and the confirmation of the address back to the part."""
    page.goto(f"/applications/invite/{last_token()}/")
    looked_at(page, "invitation-signed-out-390")
    page.get_by_role("main").get_by_role("link", name="Sign up").click()
    page.get_by_label("Your name").fill("Kim Lee")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    page.goto(link_in(mails_to(EMAIL)[-1]["text"]))
    page.get_by_role("button", name="Yes, confirm").click()
    # Whoever came by an invitation comes back to it.
    expect(page.get_by_role("button", name="Take this part")).to_be_visible()
    looked_at(page, "invitation-390")
    page.get_by_role("button", name="Take this part").click()
    page.wait_for_url("**/part/")


def fill_in(page: Page) -> None:
    """Every step of their own part, and the agreements last."""
    given = person("Kim", "Lee")
    page.get_by_role("link", name="Go on").click()
    # They are asked about themselves, with what the applicant said of them filled in.
    expect(page.get_by_role("heading", name="Kim Lee")).to_be_visible()
    expect(page.get_by_text("Who you are")).to_be_visible()
    expect(page.get_by_label("First name")).to_have_value("Kim")
    looked_at(page, "part-identity-390")
    for step in ("identity", "contact", "address", "employment"):
        page.wait_for_url(f"**/steps/{step}/")
        fill(page, given[step])
        page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/steps/agreements/")
    looked_at(page, "part-agreements-390")
    for tick in page.get_by_role("main").get_by_role("checkbox").all():
        tick.check()
    page.get_by_role("button", name="Save and continue").click()
    page.wait_for_url("**/part/")
    expect(page.get_by_text("Your part is complete.")).to_be_visible()
    looked_at(page, "part-complete-390")


def test_from_the_invitation_to_the_open_account(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
) -> None:
    publish_agreements()
    applicant = make_customer_user("Mara Quinn")
    application = journeys.custodial(applicant)
    desk = page_of(browser, live_server, applicant)
    invite(desk, application.pk)
    phone = context_of(browser, live_server, 390).new_page()
    sign_up_by_the_link(phone)
    owner = Owner.objects.get(application=application, role="CUSTODIAN", is_applicant=False)
    kim = User.objects.get(email=EMAIL)
    assert owner.user_id == kim.pk

    # Until they are through, the applicant sees how far they are and cannot hand in.
    desk.goto(f"/applications/{application.pk}/steps/owners/")
    expect(desk.get_by_text("Fills in their own part")).to_be_visible()
    desk.goto(f"/applications/{application.pk}/review/")
    expect(desk.get_by_role("button", name="Hand in the application")).to_have_count(0)
    fill_in(phone)
    assert set(AgreementAcceptance.objects.filter(owner=owner).values_list("accepted_by", flat=True)) == {
        kim.pk
    }

    desk.goto(f"/applications/{application.pk}/steps/owners/")
    looked_at(desk, "people-co-owner")
    desk.goto(f"/applications/{application.pk}/review/")
    looked_at(desk, "review-co-owner")
    desk.get_by_role("button", name="Hand in the application").click()
    desk.wait_for_url(f"**/applications/{application.pk}/")
    drain()
    deliver(box)
    there = bakkt_crypto().read_account(application.reference).request
    assert there is not None
    assert str(owner.pk) in {str(row.client_owner_id) for row in there.owners}
    desk.reload()
    expect(desk.get_by_role("heading", name="Your account is active")).to_be_visible()
    phone.goto(f"/applications/{application.pk}/part/")
    expect(phone.get_by_text("Active").first).to_be_visible()
    expect(phone.get_by_text("The account was opened.")).to_be_visible()
    looked_at(phone, "part-open-390")
