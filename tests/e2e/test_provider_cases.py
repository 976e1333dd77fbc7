"""A sanctions hit in a real browser: opened by the provider's webhook, looked at, and decided with its effect."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from onboarding import provider_cases
from onboarding.models import AccountHold
from sandbox.testing import SandboxProcess
from tests.e2e.browser import looked_at, page_of
from tests.faults.way import deliver
from tests.flow import drain, submitted
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_sanctions_hit_is_decided(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    width: int,
) -> None:
    application = submitted(make_customer_user("Block"), given_name="block", family_name="block")
    drain()
    deliver(box)
    case = Case.objects.get(kind=provider_cases.SANCTIONS)
    desk = page_of(browser, live_server, make_staff("compliance_manager"), width)
    desk.goto("/staff/cases/")
    desk.get_by_role("link", name=case.reference).click()
    expect(desk.get_by_text("INACTIVE RISK_OFAC").first).to_be_visible()
    desk.get_by_role("button", name="Assign to me").click()
    for item in (
        "Name, other names, birth date",
        "Every other account and person",
        "Nothing about the reason",
    ):
        desk.get_by_label(item).check()
    desk.get_by_role("button", name="Save the checklist").click()
    desk.get_by_role("radio", name="The person on the list").check()
    looked_at(desk, f"sanctions-case-{width}")
    desk.get_by_role("link", name="What to send them").click()
    expect(desk.get_by_text(case.reference).first).to_be_visible()
    looked_at(desk, f"for-provider-{width}")
    desk.go_back()

    desk.get_by_role("radio", name="The person on the list").check()
    desk.get_by_label("Reason for “The person on the list").select_option(
        "OFAC list of Specially Designated Nationals"
    )
    desk.get_by_label("In your own words").fill("Entry 4711: same birth date, same place")
    desk.get_by_role("button", name="Decide", exact=True).click()
    expect(desk.get_by_role("heading", name="Decided")).to_be_visible()
    expect(desk.get_by_text("We hold the money of every account of this customer").first).to_be_visible()
    looked_at(desk, f"sanctions-decided-{width}")
    assert AccountHold.objects.get().case_reference == case.reference

    desk.goto(f"/staff/applications/{application.pk}/holds/")
    expect(desk.get_by_text("Entry 4711: same birth date, same place")).to_be_visible()
    desk.get_by_text("Release it").click()
    looked_at(desk, f"holds-{width}")
