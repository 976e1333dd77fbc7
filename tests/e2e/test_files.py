"""Files of papers in a real browser: what the customer and our staff see of them, on a desk and on a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance.models import Case
from onboarding import document_checks
from onboarding.models import Document
from tests.e2e.browser import looked_at, page_of
from tests.flow import publish_agreements
from tests.onboarding import corpus, journeys
from tests.onboarding.papers_support import file, upload
from tests.onboarding.scanner import scanning
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]
#: Whether the first picture of the page was drawn.
DRAWN = "selector => { const image = document.querySelector(selector); return image.complete && image.naturalWidth }"


@pytest.mark.parametrize("width", [1280, 390])
def test_a_paper_is_looked_at_and_another_held_back(
    browser: Browser, live_server: LiveServer, settings: Any, tmp_path: Path, width: int
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    publish_agreements()
    customer = make_customer_user("Ana")
    application = journeys.trust(customer)
    given = {"type": "TRUST_CERTIFICATION"}
    sound = upload(customer, application, file=file(corpus.located_jpeg(), "a.jpg"), **given)
    document_checks.check(sound.pk)
    page = page_of(browser, live_server, customer, width)
    page.goto(f"/applications/{application.pk}/papers/")
    page.locator(".document-preview img").scroll_into_view_if_needed()
    page.wait_for_function(DRAWN, arg=".document-preview img")
    looked_at(page, f"papers-preview-{width}")

    desk = page_of(browser, live_server, make_staff("compliance_manager"), width)
    desk.goto(f"/staff/applications/{application.pk}/documents/{sound.pk}/")
    expect(desk.get_by_text("Not scanned for malware")).to_be_visible()
    desk.wait_for_function(DRAWN, arg=".document-page img")
    assert desk.locator(".document-page img").evaluate("image => image.naturalHeight > image.naturalWidth")
    looked_at(desk, f"staff-document-{width}")
    desk.get_by_role("link", name="Get the original").click()
    desk.get_by_label("What you need it for").fill("The court asks for the file")
    looked_at(desk, f"staff-document-why-{width}")
    desk.get_by_role("button", name="Reveal").click()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Download the original").click()
    assert Path(download.value.path()).read_bytes() == corpus.located_jpeg()

    with scanning(settings):
        bad = upload(customer, application, file=file(corpus.pdf_with_eicar(), "b.pdf"), **given)
        document_checks.check(bad.pk)
    assert Document.objects.get(pk=bad.pk).status == Document.Status.QUARANTINED
    page.reload()
    expect(page.get_by_text("Our virus scanner found something").first).to_be_visible()
    looked_at(page, f"papers-quarantine-{width}")
    desk.goto(f"/staff/applications/{application.pk}/documents/{bad.pk}/")
    expect(desk.get_by_text("A compliance manager decides its case")).to_be_visible()
    desk.goto(f"/staff/cases/{Case.objects.get(subject_id=bad.pk).pk}/")
    expect(desk.get_by_text("Eicar-Test-Signature").first).to_be_visible()
    looked_at(desk, f"quarantine-case-{width}")
