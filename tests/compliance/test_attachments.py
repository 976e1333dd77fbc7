"""Files on a case: taken like papers, scanned, and read by whoever may see the case."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from compliance import file_checks, tasks
from compliance.models import CaseFile
from portal.models import AuditEntry, User
from tests.compliance.conftest import opened
from tests.onboarding.corpus import EICAR
from tests.onboarding.papers_support import jpeg, pdf
from tests.onboarding.scanner import scanning

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _stored(settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}


def test_a_file_is_attached_sealed_and_read_by_who_may_see_the_case(
    staff: Staff, signed_in: SignIn, tmp_path: Path
) -> None:
    case, browser = opened(), signed_in(staff("compliance_analyst"))
    page, address = (reverse(f"cases:{name}", args=[case.pk]) for name in ("detail", "attach"))
    content = jpeg()
    sent = {"title": "Letter of the bank", "file": SimpleUploadedFile("Ana Ortiz.jpg", content)}
    assert browser.post(address, sent).headers["Location"] == f"{page}#files"
    row = CaseFile.objects.get()
    assert content not in (tmp_path / row.path).read_bytes()
    fetch = reverse("cases:attachment", args=[case.pk, row.pk])
    shown = browser.get(page).content.decode()
    assert fetch in shown
    assert "Letter of the bank" in shown
    assert "Ana Ortiz.jpg" not in shown
    answer = signed_in(staff("auditor")).get(fetch)
    assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="CS-')
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert list(
        AuditEntry.objects.filter(action__startswith="case.file").order_by("at").values_list("action")
    ) == [
        ("case.file",),
        ("case.file_read",),
    ]
    assert signed_in(staff("auditor")).get(address).status_code == 403
    agent = signed_in(staff("onboarding_agent"))
    assert agent.get(fetch).status_code == agent.post(address, {}).status_code == 404
    other = opened()
    assert browser.get(reverse("cases:attachment", args=[other.pk, row.pk])).status_code == 404


def test_what_is_no_sound_file_is_refused_with_why(staff: Staff, signed_in: SignIn, tmp_path: Path) -> None:
    case, browser = opened(), signed_in(staff("compliance_analyst"))
    address = reverse("cases:attach", args=[case.pk])
    for sent, why in (
        ({"title": "x", "file": SimpleUploadedFile("a.pdf", b"hello")}, "This is no PDF, JPEG, PNG or HEIC"),
        ({"title": "x", "file": SimpleUploadedFile("a.pdf", b"")}, "This file is empty"),
        ({"title": "", "file": SimpleUploadedFile("a.jpg", jpeg())}, "Say what it is."),
        ({"title": "x"}, "Choose a file."),
    ):
        answer = browser.post(address, sent)
        assert (answer.status_code, why in answer.content.decode()) == (422, True), why
    assert not CaseFile.objects.exists()
    assert not [found for found in tmp_path.rglob("*") if found.is_file()]


@pytest.mark.parametrize(
    ("content", "scan", "status"), [(pdf(), "clean", 200), (jpeg() + EICAR, "found", 404)]
)
def test_nobody_opens_it_before_the_scan(
    staff: Staff, signed_in: SignIn, settings: Any, content: bytes, scan: str, status: int
) -> None:
    case, browser = opened(), signed_in(staff("compliance_analyst"))
    with scanning(settings):
        sent = {"title": "Letter", "file": SimpleUploadedFile("a.pdf", content)}
        browser.post(reverse("cases:attach", args=[case.pk]), sent)
        row = CaseFile.objects.get()
        fetch = reverse("cases:attachment", args=[case.pk, row.pk])
        assert (row.scan, browser.get(fetch).status_code) == ("pending", 404)
        tasks.case_files_sweep()
        row.refresh_from_db()
        assert (row.scan, row.next_check_at, browser.get(fetch).status_code) == (scan, None, status)
        assert file_checks.due_ids() == []
