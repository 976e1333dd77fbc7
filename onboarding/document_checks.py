"""What happens to a file before anybody opens it or it goes on: the malware scan, then its pictures.

The row is the queue: `next_check_at` says when it is due, a worker that takes it puts that ahead by its lease, and
the sweeper rings for what is overdue. A scanner that is set up and gives no verdict stops a file here.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import Min

from compliance import services as compliance
from onboarding import document_requests, notices
from onboarding.cases import quarantine
from onboarding.jobs import lock_account
from onboarding.models import Application, Document, DocumentCopy, ProviderAccount
from onboarding.models.documents import UNOPENABLE
from onboarding.papers import papers_go_on
from portal import clamd, clock, confined
from portal.document_storage import STORAGE
from portal.doorbell import ring
from portal.sealed_files import SealedFile, new_file_key

log = structlog.get_logger(__name__)
Status = Document.Status
Scan = Document.Scan

TASK = "onboarding.tasks.document_check"
#: Longer than a scan and the pictures may take together.
LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=10)
SWEEP_BATCH = 100
#: So many pages of a PDF are shown.
PAGES_SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """What the scanner said: a Scan, and its name for what it found."""

    scan: str
    found: str = ""


def wake(document: Document) -> None:
    """Ask a worker to check it, after commit."""
    ring(TASK, document.pk, queue="documents")


def due_ids(limit: int = SWEEP_BATCH) -> list[UUID]:
    """Documents whose check is due, the longest waiting first."""
    due = Document.objects.filter(next_check_at__lte=clock.now()).order_by("next_check_at", "pk")
    return list(due.values_list("pk", flat=True)[:limit])


def sweep() -> None:
    """Ring for every check that is due: what the broker lost, and what waited for the scanner."""
    for document_id in due_ids():
        ring(TASK, document_id, queue="documents")


def waiting_seconds() -> dict[str, float]:
    """How long the longest waiting file has waited for its check, for the metrics."""
    oldest = Document.objects.filter(next_check_at__isnull=False).aggregate(at=Min("created_at"))["at"]
    return {"documents": (clock.now() - oldest).total_seconds() if oldest else 0.0}


def check(document_id: UUID) -> None:
    """Scan one file, make its pictures, let it go on. Harmless when it is done, or another worker is at it."""
    document = _claimed(document_id)
    if document is None:
        return
    try:
        verdict = _scanned(document)
    except clamd.ScannerAway as error:
        wait = min(FIRST_WAIT * (2 ** min(document.checks, 10)), LONGEST_WAIT)
        log.error("scanner_away", document=str(document.pk), problem=str(error), wait=wait.total_seconds())
        Document.objects.filter(pk=document.pk).update(next_check_at=clock.now() + wait)
        return
    if verdict.scan == Scan.FOUND:
        _record(document, verdict, [], "")
        return
    problem = ""
    with _pictures() as made:
        try:
            made.extend(_made(document))
        except confined.Failed:
            problem = UNOPENABLE
        if _record(document, verdict, [] if problem else list(made), problem) and not problem:
            made.clear()


def _claimed(document_id: UUID) -> Document | None:
    with transaction.atomic():
        document = (
            Document.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(pk=document_id, next_check_at__lte=clock.now())
            .first()
        )
        if document is not None:
            document.next_check_at = clock.now() + LEASE
            document.checks += 1
            document.save(update_fields=["next_check_at", "checks"])
        return document


def _scanned(document: Document) -> Verdict:
    """Raises ScannerAway. What was released by a person is not scanned again."""
    if document.is_safe:
        return Verdict(document.scan)
    if not settings.CLAMD_URL:
        return Verdict(Scan.OFF)
    with document.open() as file:
        found = clamd.scan(cast(BinaryIO, file), settings.CLAMD_URL)
    return Verdict(Scan.FOUND, found) if found else Verdict(Scan.CLEAN)


# --- Pictures -----------------------------------------------------------------------------------------------


@contextmanager
def _pictures() -> Iterator[list[DocumentCopy]]:
    """Pictures that were stored and have no row yet; what is left in the list is removed again."""
    made: list[DocumentCopy] = []
    try:
        yield made
    finally:
        for copy in made:
            storages[STORAGE].delete(copy.path)


def _made(document: Document) -> Iterator[DocumentCopy]:
    """Make and store the pictures of a document, sealed. Raises Failed."""
    with document.open() as file:
        found = confined.pictures(
            cast(BinaryIO, file),
            document.content_type,
            pages=PAGES_SHOWN,
            is_copied=document.is_sent_as_copy,
        )
        for about, content in found:
            key = new_file_key()
            copy = DocumentCopy(
                document=document,
                kind=about["kind"],
                page=about["page"],
                content_type="image/jpeg",
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                file_key=key,
            )
            storages[STORAGE].save(copy.path, SealedFile(io.BytesIO(content), key))
            yield copy


# --- Recording ----------------------------------------------------------------------------------------------


def _record(document: Document, verdict: Verdict, made: list[DocumentCopy], problem: str) -> bool:
    """Write down what came of it, and let it go on. False when another worker took the check over meanwhile."""
    with transaction.atomic():
        account = _locked_account(document.application_id)
        row = (
            Document.objects.select_for_update(of=("self",))
            .select_related("application__customer__user", "owner")
            .get(pk=document.pk)
        )
        if row.next_check_at != document.next_check_at:
            return False
        row.next_check_at = None
        row.scan, row.scan_found = verdict.scan, verdict.found or row.scan_found
        if not document.is_safe:
            row.scanned_at = clock.now() if verdict.scan != Scan.OFF else None
        row.problem = problem or row.problem
        row.save(update_fields=["next_check_at", "scan", "scan_found", "scanned_at", "problem"])
        for copy in made:
            copy.save(force_insert=True)
        if row.status == Status.CHECKING:
            _go_on(row, verdict, problem, account)
    return True


def _locked_account(application_id: UUID) -> ProviderAccount | None:
    """The account, with the application locked before it; None where there is none yet."""
    Application.objects.select_for_update(of=("self",)).get(pk=application_id)
    known = ProviderAccount.objects.filter(application=application_id).values_list("pk", flat=True).first()
    return lock_account(known) if known else None


def _go_on(row: Document, verdict: Verdict, problem: str, account: ProviderAccount | None) -> None:
    if verdict.scan == Scan.FOUND:
        row.move_to(Status.QUARANTINED, actor=None, reason="The malware scan found something.", source="task")
        compliance.case_open(
            kind=quarantine.KIND,
            subject=quarantine.subject_of(row),
            title="An uploaded file was held back by the malware scan",
            facts={"found": verdict.found, "paper": row.get_type_display(), "size": row.size},
            source="task",
            dedupe="found",
        )
        notices.document_held_back(row)
    elif problem:
        row.move_to(Status.REFUSED, actor=None, reason=problem, source="task")
        notices.document_needed_again(row)
    else:
        row.move_to(Status.RECEIVED, actor=None, source="task")
    if account is not None:
        papers_go_on(account, actor=None)
    is_told = row.status in {Status.QUARANTINED, Status.REFUSED}
    document_requests.follow(row.application, actor=None, source="task", is_told=is_told)
