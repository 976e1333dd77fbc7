"""Staff in a real browser: look-alikes decided, a wave handed in, an import that stops and one taken back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.imports import handin_jobs, jobs
from onboarding.models import Application, HandIn, ImportBatch
from tests.e2e.browser import looked_at, page_of
from tests.flow import publish_agreements
from tests.onboarding.imports_support import as_csv, checked, imported, person, upload, worked
from tests.onboarding.journeys import accept
from tests.people import make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]
SAME = {"First Name": "Ana", "Last Name": "Ortiz Same", "DOB": "1980-01-01"}
SIZES = [(1280, "wide"), (390, "narrow")]


@pytest.mark.parametrize(("width", "label"), SIZES)
def test_a_wave_from_its_doubts_to_the_provider(
    browser: Browser, live_server: LiveServer, width: int, label: str
) -> None:
    publish_agreements()
    manager = make_staff("compliance_manager")
    rows = [person(at, **(SAME if at < 3 else {})) for at in range(12)]
    batch = checked(manager, upload(manager, as_csv(rows), name="March, branch north"))
    page = page_of(browser, live_server, manager, width)

    page.goto(f"/staff/imports/{batch.pk}/")
    page.get_by_role("link", name="Look at them").click()
    expect(page.get_by_role("heading", name="Row 2")).to_be_visible()
    looked_at(page, f"waves-{label}-1-doubts")
    page.get_by_role("button", name="Somebody else").first.click()
    expect(page.get_by_text("Row 2: somebody else.")).to_be_visible()
    page.get_by_role("button", name="The same person").first.click()
    expect(page.get_by_text("Nothing to decide")).to_be_visible()
    looked_at(page, f"waves-{label}-2-decided")
    imported(manager, ImportBatch.objects.get(pk=batch.pk))
    for application in Application.objects.filter(batch=batch).order_by("pk")[:8]:
        accept(application.customer.user, application)

    page.goto(f"/staff/imports/{batch.pk}/migration/")
    page.get_by_role("link", name="Hand in the wave").click()
    looked_at(page, f"waves-{label}-3-start")
    page.get_by_label("Customers a minute").fill("0")
    page.get_by_role("button", name="Start handing in").click()
    expect(page.get_by_text("Enter a number between 1 and 600.").first).to_be_visible()
    looked_at(page, f"waves-{label}-4-refused")
    page.get_by_label("Customers a minute").fill("600")
    page.get_by_role("button", name="Start handing in").click()
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()
    looked_at(page, f"waves-{label}-5-running")
    run = HandIn.objects.get()
    handin_jobs.advance(run.pk)
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    looked_at(page, f"waves-{label}-6-paused")
    page.get_by_role("button", name="Go on").click()
    while HandIn.objects.get().status == HandIn.Status.RUNNING:
        handin_jobs.work(run.pk)
    # The page notices by itself.
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    looked_at(page, f"waves-{label}-7-done")
    page.get_by_role("link", name="Handed in 8").click()
    expect(page.get_by_role("row")).to_have_count(9)
    assert Application.objects.filter(status="submitted").count() == 8


@pytest.mark.parametrize(("width", "label"), SIZES)
def test_an_import_that_stopped_goes_on_and_is_taken_back(
    browser: Browser, live_server: LiveServer, tmp_path: Path, width: int, label: str
) -> None:
    manager = make_staff("compliance_manager")
    rows = [person(at, **({"SSN": "1"} if at == 3 else {})) for at in range(40)]
    batch = checked(manager, upload(manager, as_csv(rows), name="March, branch north"))
    page = page_of(browser, live_server, manager, width)
    page.goto(f"/staff/imports/{batch.pk}/")
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", name="Being imported")).to_be_visible()
    jobs._stop(batch.pk, "KeyError")
    expect(page.get_by_role("heading", name="Next: go on")).to_be_visible()
    looked_at(page, f"undo-{label}-1-stopped")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Being imported")).to_be_visible()
    worked(batch)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    assert download.value.path().read_text(encoding="utf-8-sig").count("Row ") == 1
    page.get_by_role("link", name="Undo the import").click()
    expect(page.get_by_role("button", name="Delete what it made")).to_be_visible()
    looked_at(page, f"undo-{label}-2-asked")
    page.get_by_role("button", name="Delete what it made").click()
    looked_at(page, f"undo-{label}-3-why")
    page.get_by_label("Reason").fill("Wrong file")
    page.get_by_role("button", name="Delete what it made").click()
    expect(page.get_by_role("heading", name="Being undone")).to_be_visible()
    looked_at(page, f"undo-{label}-4-undoing")
    worked(batch)
    expect(page.get_by_text("Undone", exact=True).first).to_be_visible()
    looked_at(page, f"undo-{label}-5-undone")
    assert not Application.objects.exists()
