"""An invited owner takes their part with a browser of their own: the link, the button, their first step."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from onboarding import services
from onboarding.models import Owner
from tests.e2e.browser import looked_at, page_of
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.test_invitations import last_token
from tests.people import make_customer_user

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


def test_taking_a_part(browser: Browser, live_server: LiveServer) -> None:
    publish_agreements()
    applicant, kim = make_customer_user("Mara Quinn"), make_customer_user("Kim Lee")
    application = services.application_start(
        actor=applicant, account_type="ENTITY", entity_type="LLC", source="page"
    )
    owner = journeys.add(applicant, application, "AUTHORIZED_MEMBER", given_name="Kim", family_name="Lee")
    services.owner_invite(
        actor=applicant, application_id=application.pk, owner_id=owner.pk, email=kim.email, source="page"
    )
    page = page_of(browser, live_server, kim)
    page.goto(f"/applications/invite/{last_token()}/")
    page.get_by_role("button", name="Take this part").click()
    page.wait_for_url("**/part/")
    assert Owner.objects.get(pk=owner.pk).user_id == kim.pk
    looked_at(page, "part")
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_label("First name")).to_have_value("Kim")
    page.context.close()
