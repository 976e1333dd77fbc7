"""An auditor sees everything and tries every button: none of them changes anything. And the way of an examination."""

import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as BrowserError
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from compliance import export_jobs
from compliance.casefile import archive
from compliance.models import CaseExport
from portal import audit, audit_check
from portal.models import AuditCheck, Role
from tests.access import walk
from tests.access.table import ALLAUTH, AUDITOR_MAY_SEND, BY_LINK, TABLE
from tests.access.test_access import allowed
from tests.access.world import build
from tests.e2e.browser import looked_at, page_of

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
#: What a page lets one send: forms that post, and what scripts post.
SENDS = """() => [
  ...[...document.forms].filter(form => form.method === 'post').map(form => form.action),
  ...[...document.querySelectorAll('[hx-post],[hx-put],[hx-patch],[hx-delete]')].map(
    one => new URL(one.getAttribute('hx-post') || one.getAttribute('hx-put') || one.getAttribute('hx-patch')
      || one.getAttribute('hx-delete'), location.href).href),
]"""
LINKS = "() => [...document.querySelectorAll('a[href]')].map(link => link.href)"
#: Answers that are files.
FILES = frozenset(
    {"audit:download", "staff:acceptance_certificate", "staff:agreement_preview", "cases:export_file"}
)


def name_of(address: str) -> str:
    """The name of an address of ours, "" for any other."""
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return ""


def crawl(page: Page, start: list[str]) -> tuple[set[str], list[str]]:
    """Open one page of each name that can be reached; answers the names, and what could be sent and should not."""
    seen: set[str] = set()
    wrong: list[str] = []
    waiting = list(start)
    while waiting:
        address = waiting.pop(0)
        name = name_of(address)
        if name in seen or name in FILES or "/staff/" not in address:
            continue
        seen.add(name)
        try:
            answer = page.goto(address, wait_until="domcontentloaded")
        except BrowserError:
            continue  # a download, or a page that sent the browser on
        assert answer is not None
        if answer.status in {403, 404} and name not in BY_LINK:
            wrong.append(f"{name}: a link leads to {answer.status}")
        for target in page.evaluate(SENDS):
            sent = name_of(target)
            if sent not in AUDITOR_MAY_SEND and not sent.startswith(ALLAUTH):
                wrong.append(f"{name}: {sent or target} could be sent")
        waiting += [link for link in page.evaluate(LINKS) if name_of(link) not in seen]
    return seen, wrong


def test_an_auditor_tries_every_button(browser: Browser, live_server: LiveServer) -> None:
    users, things = build()
    page = page_of(browser, live_server, users[Role.AUDITOR])
    start = ["/staff/applications/"]
    for name, pattern in walk.patterns():
        word = TABLE.get(name, {}).get("GET", "")
        path = walk.address(name, pattern, things)
        if word and path.startswith("/staff/") and allowed(Role.AUDITOR, word):
            start.append(path)
    seen, wrong = crawl(page, start)
    assert not wrong, "\n".join(wrong)
    assert len(seen) > 50


def test_an_examination(
    browser: Browser, live_server: LiveServer, tmp_path: Path, settings: Settings
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path / "stored")}},
    }
    users, things = build()
    page = page_of(browser, live_server, users[Role.AUDITOR])
    audit.record(
        "case.note", subject=None, actor=users[Role.COMPLIANCE_MANAGER], before={"a": 1}, after={"a": 2}
    )

    page.goto("/staff/audit/")
    looked_at(page, "staff-audit")
    page.get_by_label("Action").select_option("case.note")
    page.get_by_role("button", name="Apply filters").click()
    page.locator("tbody a").first.click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    looked_at(page, "staff-audit-entry")

    page.goto("/staff/audit/checks/")
    page.get_by_role("button", name="Check it now").click()
    expect(page.get_by_role("heading", name="Being checked now")).to_be_visible()
    check: Any = AuditCheck.objects.get()
    audit_check.check_step(check.pk)
    expect(page.get_by_text("The trail is whole", exact=True)).to_be_visible()
    looked_at(page, "staff-audit-checks")

    page.goto("/staff/roles/")
    looked_at(page, "staff-roles")

    page.goto(f"/staff/cases/{things['case_id']}/")
    page.get_by_role("link", name="Make the case file").click()
    page.get_by_label("Reason").fill("Yearly examination")
    page.get_by_label("With the customers' papers").uncheck()
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Waits for its turn")).to_be_visible()
    export_jobs.export_make(CaseExport.objects.latest("asked_at").pk)
    fetch = page.get_by_role("link", name="Fetch the file")
    expect(fetch).to_be_visible()
    looked_at(page, "staff-case-file")
    with page.expect_download() as download:
        fetch.click()
    file = tmp_path / "case.zip"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as found:
        manifest = json.loads(found.read("manifest.json"))
    assert manifest["made_by"] == users[Role.AUDITOR].label
    assert archive.CHECKER_PATH.exists()

    for width, name in ((390, "phone"),):
        small = page_of(browser, live_server, users[Role.AUDITOR], width)
        for address, what in (
            ("/staff/audit/", "audit"),
            ("/staff/roles/", "roles"),
            ("/staff/cases/files/", "files"),
        ):
            small.goto(address)
            looked_at(small, f"staff-{what}-{name}")
