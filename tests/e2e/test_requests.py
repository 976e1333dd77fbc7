"""Restricted changes and closing in a real browser, on a desk and on a phone, without a barrier."""

import pytest
from django.db import transaction
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from onboarding import jobs
from onboarding.models import ChangeRequest
from tests.e2e.browser import looked_at, page_of
from tests.flow import submitted
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.mark.parametrize("width", [1280, 390])
def test_asking_passing_on_and_closing(browser: Browser, live_server: LiveServer, width: int) -> None:
    user = make_customer_user("Ana")
    application = submitted(user)
    with transaction.atomic():
        account = jobs.lock_account(application.account.pk)
        jobs.party_status_apply(account, party_status="ACTIVE", reason="ENROLLMENT", source="webhook")
    page = page_of(browser, live_server, user, width)
    page.goto(f"/applications/{application.pk}/details/")
    looked_at(page, f"details-{width}")
    page.get_by_role("link", name="Ask for a change of these").click()
    looked_at(page, f"restricted-{width}")
    page.get_by_role("link", name="Tax number", exact=True).click()
    page.get_by_role("button", name="Ask for this change").click()
    looked_at(page, f"restricted-ask-errors-{width}")
    page.get_by_label("Social Security").check()
    page.get_by_label("Tax number", exact=True).fill("536-88-4321")
    page.get_by_label("Why it is wrong").fill("Mistyped")
    page.get_by_role("button", name="Ask for this change").click()
    expect(page.get_by_text("Looked at by us")).to_be_visible()
    looked_at(page, f"restricted-asked-{width}")
    page.goto(f"/applications/{application.pk}/close/")
    looked_at(page, f"close-{width}")
    page.get_by_label("I have read what closing means").check()
    page.get_by_role("button", name="Ask to close the account").click()
    expect(page.get_by_role("button", name="Keep the account")).to_be_visible()
    looked_at(page, f"close-asked-{width}")

    desk = page_of(browser, live_server, make_staff("compliance_manager"), width)
    request = ChangeRequest.objects.get()
    desk.goto(f"/staff/cases/{Case.objects.get(subject_id=request.pk).pk}/")
    looked_at(desk, f"restricted-case-{width}")
    desk.get_by_role("link", name="The request's own page").click()
    looked_at(desk, f"change-request-{width}")
    ChangeRequest.objects.filter(pk=request.pk).update(status="passed_on")
    desk.reload()
    looked_at(desk, f"change-request-passed-on-{width}")
    desk.get_by_role("link", name="Restricted changes").first.click()
    looked_at(desk, f"restricted-staff-{width}")
