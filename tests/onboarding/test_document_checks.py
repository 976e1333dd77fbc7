"""The scan of uploaded files: nothing passes that was not scanned where a scanner is set up; what is found is held."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance.models import Case
from onboarding import document_checks, papers, services
from onboarding.models import Application, Document
from onboarding.models.documents import FOUND_WORDS
from onboarding.operations import UPLOAD
from portal import clamd
from portal.errors import Forbidden, IllegalMove
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import later
from tests.flow import drain, publish_agreements
from tests.onboarding import corpus, journeys
from tests.onboarding.papers_support import file, pdf, upload, upload_all
from tests.onboarding.scanner import Scanner, scanning

SignedIn = Callable[[User], Client]
Status, Scan = Document.Status, Document.Scan


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


@pytest.fixture
def scanner(settings: Any) -> Iterator[Scanner]:
    with scanning(settings) as running:
        yield running


def uploaded(user: User, content: bytes | None = None) -> Document:
    application = journeys.trust(user)
    return upload(
        user,
        application,
        type="TRUST_CERTIFICATION",
        file=file(pdf() if content is None else content, "t.pdf"),
    )


def now(document: Document) -> tuple[str, str]:
    document.refresh_from_db()
    return document.status, document.scan


def held_back(user: User) -> tuple[Document, Case]:
    document = uploaded(user, corpus.pdf_with_eicar())
    document_checks.check(document.pk)
    return document, Case.objects.get(kind="onboarding.quarantine")


# --- With a scanner, and without ----------------------------------------------------------------------------


def test_without_a_scanner_files_go_on_and_say_so(customer_user: User) -> None:
    document = uploaded(customer_user)
    assert now(document) == (Status.CHECKING, Scan.PENDING)
    document_checks.check(document.pk)
    assert now(document) == (Status.RECEIVED, Scan.OFF)
    assert document.scanned_at is None
    assert document.next_check_at is None


def test_a_sound_file_is_scanned_whole(customer_user: User, scanner: Scanner) -> None:
    content = pdf(200_000)
    document = uploaded(customer_user, content)
    document_checks.check(document.pk)
    assert now(document) == (Status.RECEIVED, Scan.CLEAN)
    assert document.scanned_at is not None
    assert scanner.seen == [content]
    document_checks.check(document.pk)
    assert scanner.asked == 1, "a second ring does nothing"


@pytest.mark.parametrize("trouble", ["closed", "error", "silent"])
def test_a_scanner_without_a_verdict_stops_the_file_until_it_has_one(
    customer_user: User, scanner: Scanner, settings: Any, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    good = settings.CLAMD_URL
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if trouble == "closed":
            settings.CLAMD_URL = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        elif trouble == "error":
            scanner.says = b"INSTREAM size limit exceeded. ERROR"
        else:
            nobody.listen()
            monkeypatch.setattr(clamd, "SECONDS", 0.2)
            settings.CLAMD_URL = f"tcp://127.0.0.1:{nobody.getsockname()[1]}"
        document = uploaded(customer_user)
        document_checks.check(document.pk)
        assert now(document) == (Status.CHECKING, Scan.PENDING)
        assert document_checks.due_ids() == [], "not at once again"
        with later(minutes=1):
            assert document_checks.due_ids() == [document.pk]
            document_checks.check(document.pk)
            assert now(document) == (Status.CHECKING, Scan.PENDING)
    settings.CLAMD_URL, scanner.says = good, b""
    with later(minutes=20):
        document_checks.check(document.pk)
    assert now(document) == (Status.RECEIVED, Scan.CLEAN)


def test_a_lost_ring_and_a_dead_worker_are_made_good(customer_user: User) -> None:
    document = uploaded(customer_user)
    assert document_checks.due_ids() == [document.pk]
    assert document_checks._claimed(document.pk) is not None
    assert document_checks.due_ids() == [], "another worker has it"
    with later(minutes=6):
        assert document_checks.due_ids() == [document.pk]
        document_checks.check(document.pk)
    assert now(document)[0] == Status.RECEIVED


def test_who_lost_the_lease_records_nothing(customer_user: User, tmp_path: Path) -> None:
    document = uploaded(customer_user)
    slow = document_checks._claimed(document.pk)
    assert slow is not None
    with later(minutes=6):
        document_checks.check(document.pk)
    before = sorted(tmp_path.rglob("*"))
    verdict = document_checks.Verdict(Scan.FOUND, "late")
    assert not document_checks._record(slow, verdict, [], "")
    assert now(document) == (Status.RECEIVED, Scan.OFF)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_goes_to_the_provider_unchecked(
    box: SandboxProcess, customer_user: User, scanner: Scanner
) -> None:
    application = journeys.trust(customer_user)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    scanner.says = b"out of order ERROR"
    upload_all(customer_user, application)
    drain()
    assert not OutboundCall.objects.filter(operation=UPLOAD).exists()
    assert set(Document.objects.values_list("status", flat=True)) == {Status.CHECKING}
    scanner.says = b""
    with later(minutes=20):
        drain()
    assert set(Document.objects.values_list("status", flat=True)) == {Status.AT_PROVIDER}


def test_the_provider_gets_a_picture_of_what_it_does_not_take(
    box: SandboxProcess, customer_user: User
) -> None:
    application = journeys.trust(customer_user)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(corpus.heic(), "a.heic"))
    drain()
    assert now(found)[0] == Status.AT_PROVIDER
    (there,) = box.account(application.reference)["documents"]
    assert there["sha256"] == found.copies.get(kind="provider").sha256 != found.sha256


def test_a_replaced_file_is_checked_too_and_goes_nowhere(customer_user: User, scanner: Scanner) -> None:
    first = uploaded(customer_user)
    upload(customer_user, first.application, type="TRUST_CERTIFICATION")
    document_checks.check(first.pk)
    assert now(first) == (Status.REPLACED, Scan.CLEAN)
    assert first.copies.exists()


# --- Quarantine ---------------------------------------------------------------------------------------------


def test_what_is_found_is_held_back_and_everybody_told(
    box: SandboxProcess, customer_user: User, signed_in: SignedIn, scanner: Scanner
) -> None:
    document, case = held_back(customer_user)
    assert now(document) == (Status.QUARANTINED, Scan.FOUND)
    assert (document.scan_found, document.copies.count()) == ("Eicar-Test-Signature", 0)
    assert (case.subject_id, case.status) == (document.pk, Case.Status.OPEN)
    assert MailMessage.objects.latest("created_at").subject == "We could not take your file"
    paper = next(row for row in papers.papers_of(document.application) if row.owner is None)
    assert (paper.handed_in, paper.lacks) == (False, FOUND_WORDS)
    page = signed_in(customer_user).get(reverse("customer:documents", args=[document.application_id]))
    assert FOUND_WORDS in page.content.decode()
    services.application_submit(actor=customer_user, application_id=document.application_id, source="page")
    drain()
    assert not OutboundCall.objects.filter(operation=UPLOAD).exists()
    document_checks.check(document.pk)
    assert case.facts.count() == 1


def decide(actor: User, case: Case, decision: str, **more: Any) -> None:
    decide_case(actor, case, decision, **more)


def test_a_false_alarm_goes_on_and_is_not_scanned_again(
    customer_user: User, staff: Callable[[str], User], scanner: Scanner
) -> None:
    document, case = held_back(customer_user)
    with pytest.raises(Forbidden):
        decide(staff("compliance_analyst"), case, "release", text="Known false alarm.")
    assert now(document) == (Status.QUARANTINED, Scan.FOUND)
    decide(staff("compliance_manager"), case, "release", text="Known false alarm.")
    assert now(document) == (Status.CHECKING, Scan.RELEASED)
    document_checks.check(document.pk)
    assert now(document) == (Status.RECEIVED, Scan.RELEASED)
    assert document.copies.exists()
    assert scanner.asked == 1
    case.refresh_from_db()
    assert case.status == Case.Status.CLOSED


def test_only_a_person_releases(customer_user: User, scanner: Scanner) -> None:
    document, _ = held_back(customer_user)
    document.refresh_from_db()
    with pytest.raises(IllegalMove):
        document.move_to(Status.CHECKING, actor=None)


def test_refused_it_stays_locked_away_and_another_is_asked_for(
    customer_user: User, staff: Callable[[str], User], scanner: Scanner
) -> None:
    document, case = held_back(customer_user)
    decide(staff("compliance_analyst"), case, "refuse")
    assert now(document) == (Status.REFUSED, Scan.FOUND)
    assert not document.is_safe
    assert MailMessage.objects.latest("created_at").subject == "Please upload another file"
    paper = next(row for row in papers.papers_of(document.application) if row.owner is None)
    assert paper.lacks == FOUND_WORDS


def test_another_upload_settles_the_case(customer_user: User, scanner: Scanner) -> None:
    document, case = held_back(customer_user)
    upload(customer_user, document.application, type="TRUST_CERTIFICATION")
    case.refresh_from_db()
    assert case.status == Case.Status.CLOSED
    assert now(document) == (Status.REPLACED, Scan.FOUND)


def _application(document: Document) -> Application:
    return document.application


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("compliance_manager", 200),
        ("compliance_analyst", 403),
        ("onboarding_agent", 403),
        ("auditor", 403),
        ("administrator", 403),
        ("funding_operator", 403),
    ],
)
def test_who_may_have_a_quarantined_file(
    customer_user: User,
    signed_in: SignedIn,
    staff: Callable[[str], User],
    scanner: Scanner,
    role: str,
    status: int,
) -> None:
    document, case = held_back(customer_user)
    with document.open() as opened:
        content = opened.read()
    address = reverse("staff:document_quarantined", args=[document.pk])
    client = signed_in(staff(role))
    answer = client.get(address)
    assert answer.status_code == status
    read = AuditEntry.objects.filter(action="document.read", subject_id=_application(document).pk)
    assert read.count() == (status == 200)
    if status == 200:
        assert address in client.get(reverse("cases:detail", args=[case.pk])).content.decode()
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].endswith('.quarantined"')
        assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert signed_in(customer_user).get(address).status_code == 403
