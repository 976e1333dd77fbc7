"""Revealing for some minutes, and a customer who asks for their data and then for its erasure, in a real browser."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import services as compliance
from compliance.models import Case
from onboarding.models import DataRequest, ProviderAccount
from onboarding.privacy import exporting
from portal.models import OutboundCall, Reveal, User
from tests.e2e.browser import enter, looked_at, page_of
from tests.flow import submitted
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]
NUMBER = "536-22-1234"
#: As it is kept, and shown.
SHOWN = "536221234"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_value_is_shown_for_some_minutes_and_masked_again_without_a_reload(
    browser: Browser, live_server: LiveServer, width: int
) -> None:
    application = submitted(make_customer_user("Ana"), tax_id=NUMBER)
    case = compliance.case_open(
        kind="onboarding.duplicate",
        subject=compliance.Subject.of(application, "Ana Ortiz"),
        title="Same tax number as another customer",
        facts={},
        source="page",
        dedupe="x",
    )
    page = page_of(browser, live_server, make_staff("compliance_analyst"), width)
    page.clock.install()
    page.goto(f"/staff/cases/{case.pk}/")
    looked_at(page, f"case-masked-{width}")
    page.get_by_role("link", name="Show tax number").click()
    page.get_by_role("button", name="Reveal").click()
    looked_at(page, f"reveal-without-a-reason-{width}")
    page.get_by_label("What you need it for").fill("Compared with the other application")
    page.get_by_role("button", name="Reveal").click()
    expect(page.get_by_text(SHOWN)).to_be_visible()
    expect(page.get_by_role("link", name="Show date of birth")).to_be_visible()
    looked_at(page, f"case-revealed-{width}")
    # The grant holds on every page, and ends on one that nobody reloads.
    page.goto(f"/staff/applications/{application.pk}/")
    expect(page.get_by_text(SHOWN)).to_be_visible()
    looked_at(page, f"application-revealed-{width}")
    page.clock.fast_forward("09:30")
    expect(page.get_by_text(SHOWN)).to_be_visible()
    page.clock.fast_forward("00:45")
    expect(page.get_by_text(SHOWN)).to_have_count(0)
    expect(page.get_by_text("•••-••-1234").first).to_be_visible()
    expect(page.get_by_role("link", name="Show tax number")).to_be_visible()
    assert SHOWN not in page.content()
    # Hidden at once where one wants that.
    page.reload()
    page.get_by_role("button", name="Hide").click()
    expect(page.get_by_text("Hidden again.")).to_be_visible()
    expect(page.get_by_text(SHOWN)).to_have_count(0)
    assert Reveal.objects.count() == 1


def _decide(manager: User, request: DataRequest, decision: str) -> None:
    case = Case.objects.get(subject_id=request.pk)
    compliance.case_assign(actor=manager, case_id=case.pk, to=manager)
    case = compliance.case_check(actor=manager, case_id=case.pk, done={"identity", "money"})
    compliance.case_decide(actor=manager, case_id=case.pk, decision=decision, version=case.version)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_customer_gets_a_copy_and_then_has_everything_erased(
    browser: Browser, live_server: LiveServer, settings: Any, tmp_path: Path, width: int
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    customer, manager = make_customer_user("Ana"), make_staff("compliance_manager")
    application = submitted(customer, tax_id=NUMBER)
    OutboundCall.objects.update(status="succeeded")
    with transaction.atomic():
        ProviderAccount.objects.get().move_to(ProviderAccount.Status.CLOSED, actor=None, source="test")
    page = page_of(browser, live_server, customer, width)
    page.goto("/privacy/")
    looked_at(page, f"your-data-{width}")
    page.get_by_role("button", name="Ask for a copy").click()
    expect(page.get_by_text("You hear from us by")).to_be_visible()
    _decide(manager, DataRequest.objects.get(), "give")
    exporting.make(DataRequest.objects.get().pk)
    page.reload()
    looked_at(page, f"your-data-ready-{width}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download your data").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        data = json.loads(archive.read("data.json"))
    assert data["applications"][0]["reference"] == application.reference

    page.get_by_role("button", name="Ask for erasure").click()
    looked_at(page, f"your-data-unread-{width}")
    page.get_by_label("I have read what is erased").check()
    page.get_by_role("button", name="Ask for erasure").click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    request = DataRequest.objects.get(kind="erasure")
    desk = page_of(browser, live_server, manager, width)
    desk.goto(f"/staff/cases/{Case.objects.get(subject_id=request.pk).pk}/")
    looked_at(desk, f"erasure-case-{width}")
    _decide(manager, request, "erase")
    page.goto("/privacy/")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()  # signed out everywhere
    enter(page.context, customer)
    page.goto("/privacy/")
    expect(page.get_by_text("Your data is shut away")).to_be_visible()
    looked_at(page, f"your-data-erased-{width}")

    desk.goto(f"/staff/applications/{application.pk}/")
    expect(desk.get_by_text("shut away")).to_be_visible()
    desk.goto(f"/staff/privacy/{application.customer_id}/")
    looked_at(desk, f"privacy-staff-{width}")
    desk.get_by_role("link", name="Open it for some minutes").click()
    desk.get_by_label("What you need it for").fill("Subpoena 12")
    desk.get_by_role("button", name="Reveal").click()
    desk.get_by_role("link", name=application.reference).click()
    expect(desk.get_by_text("•••-••-1234").first).to_be_visible()
    desk.goto("/staff/retention/")
    looked_at(desk, f"retention-{width}")
    desk.get_by_role("link", name="Change Applications never handed in").click()
    desk.get_by_label("Days").fill("30")
    desk.get_by_role("button", name="Show how many would go").click()
    looked_at(desk, f"retention-period-{width}")
    desk.goto("/staff/cases/reveals/")
    looked_at(desk, f"reveals-{width}")
    if desk.get_by_role("link", name="Of people with no case").count():
        desk.get_by_role("link", name="Of people with no case").first.click()
        looked_at(desk, f"reveals-behind-{width}")
