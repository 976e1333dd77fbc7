"""An import in a real browser: 1,000 rows of which 50 are wrong, from the file to the page of the migration."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.models import Application, ImportBatch
from portal import clock
from tests.e2e.browser import looked_at, page_of
from tests.flow import publish_agreements
from tests.onboarding.imports_support import as_csv, person, worked
from tests.onboarding.test_imports import WRONG
from tests.people import make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.mark.parametrize(("width", "label"), [(1280, "wide"), (390, "narrow")])
def test_a_thousand_rows_from_the_file_to_the_migration(
    browser: Browser, live_server: LiveServer, tmp_path: Path, width: int, label: str
) -> None:
    publish_agreements()
    rows = [person(number) for number in range(1000)]
    for place, (_, changes) in enumerate(WRONG):
        rows[place * 20 + 7] |= changes
    file = tmp_path / "customers.csv"
    file.write_bytes(as_csv(rows))
    page = page_of(browser, live_server, make_staff("compliance_manager"), width)

    page.goto("/staff/imports/")
    looked_at(page, f"imports-{label}-1-empty")
    page.get_by_role("link", name="Upload a file").click()
    page.get_by_label("Name of the wave").fill("March")
    page.locator("input[type=file]").set_input_files(file)
    looked_at(page, f"imports-{label}-2-upload")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading", name="Which column answers what?")).to_be_visible()
    looked_at(page, f"imports-{label}-3-columns")
    page.get_by_role("button", name="Check the rows").click()
    expect(page.get_by_role("heading", name="Being checked")).to_be_visible()
    looked_at(page, f"imports-{label}-4-checking")
    batch = ImportBatch.objects.get()
    worked(batch)
    # The page notices by itself.
    expect(page.get_by_text("950 rows can be imported")).to_be_visible()
    looked_at(page, f"imports-{label}-5-checked")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download these rows").click()
    content = download.value.path().read_text(encoding="utf-8-sig")
    assert content.count("Row ") >= 50
    page.get_by_role("button", name="Import").click()
    worked(batch)
    expect(page.get_by_role("link", name="Undo the import")).to_be_visible()
    looked_at(page, f"imports-{label}-6-imported")
    page.get_by_role("link", name="Look at the migration").click()
    expect(page.get_by_text("950 customers still lack something.")).to_be_visible()
    page.get_by_label("Last day of the grace period").fill((clock.today() + timedelta(days=40)).isoformat())
    page.get_by_role("button", name="Change").click()
    expect(page.get_by_text("40 days of grace left")).to_be_visible()
    looked_at(page, f"imports-{label}-7-wave")
    page.goto("/staff/imports/migration/")
    looked_at(page, f"imports-{label}-8-migration")

    application = Application.objects.filter(batch=batch).first()
    assert application is not None
    theirs = page_of(browser, live_server, application.customer.user, width)
    theirs.goto(reverse("customer:missing", args=[application.pk]))
    expect(theirs.get_by_role("heading", name="What is missing")).to_be_visible()
    looked_at(theirs, f"imports-{label}-9-missing")
