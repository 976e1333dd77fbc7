"""Restricted changes and closing in a real browser, on a desk and on a phone, without a barrier."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from onboarding import document_checks, jobs
from onboarding.models import Application, ChangeRequest, Document
from portal.models import User
from tests.e2e.account_answers import pdf
from tests.e2e.browser import looked_at, page_of
from tests.flow import submitted
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


def opened(user: User) -> Application:
    """An open account of the user."""
    application = submitted(user)
    with transaction.atomic():
        account = jobs.lock_account(application.account.pk)
        jobs.party_status_apply(account, party_status="ACTIVE", reason="ENROLLMENT", source="webhook")
    return application


@pytest.mark.parametrize("width", [1280, 390])
def test_asking_passing_on_and_closing(browser: Browser, live_server: LiveServer, width: int) -> None:
    user = make_customer_user("Ana")
    application = opened(user)
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


@pytest.mark.parametrize("width", [1280, 390])
def test_the_paper_that_proves_a_change_from_the_ask_to_the_zip(
    browser: Browser, live_server: LiveServer, width: int, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    user = make_customer_user("Ana")
    application = opened(user)
    page = page_of(browser, live_server, user, width)
    page.goto(f"/applications/{application.pk}/restricted/tax_number/")
    page.get_by_label("Social Security").check()
    page.get_by_label("Tax number", exact=True).fill("536-88-4321")
    page.get_by_label("Why it is wrong").fill("Mistyped")
    page.get_by_role("button", name="Ask for this change").click()
    looked_at(page, f"evidence-asked-{width}")
    manager = make_staff("compliance_manager")
    desk = page_of(browser, live_server, manager, width)
    desk.goto(f"/staff/changes/{ChangeRequest.objects.get().pk}/")
    expect(desk.get_by_text("Asked for, not here yet")).to_be_visible()

    page.get_by_role("link", name="Upload what proves it").click()
    looked_at(page, f"evidence-upload-{width}")
    content = pdf()
    card = page.locator("main .card").filter(has=page.locator("input[type=file]"))
    card.get_by_label("Which paper").select_option("SOCIAL_SECURITY_CARD")
    card.locator("input[type=file]").first.set_input_files(
        {"name": "card.pdf", "mimeType": "application/pdf", "buffer": content}
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("main input[type=file]:visible")).to_have_count(0)
    document = Document.objects.get()
    document_checks.check(document.pk)
    page.goto(f"/applications/{application.pk}/restricted/")
    expect(page.get_by_text("The paper that proves it is here.")).to_be_visible()
    looked_at(page, f"evidence-here-{width}")

    desk.reload()
    listed = desk.get_by_role("link", name="Social Security card, front")
    expect(listed).to_be_visible()
    looked_at(desk, f"evidence-listed-{width}")
    desk.get_by_label("Reason").fill("For the provider's operations")
    desk.get_by_label("With full numbers and dates").check()
    with desk.expect_download() as downloading:
        desk.get_by_role("button", name="All with the papers (zip)").click()
    archive = zipfile.ZipFile(downloading.value.path())
    assert archive.testzip() is None
    assert archive.namelist()[:2] == ["change.txt", "change.pdf"]
    with document.open() as reader:
        assert archive.read(archive.namelist()[2]) == reader.read()
    listed.click()
    expect(desk.get_by_role("heading", name="Social Security card")).to_be_visible()
    looked_at(desk, f"evidence-paper-{width}")
