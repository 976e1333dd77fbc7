"""Files that staff attach to a case: taken as customers' papers are, opened by whoever may see the case."""

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.conf import settings
from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from compliance import permissions, personal, selectors
from compliance.models import Case, CaseFile
from compliance.services.shared import changed, clean, invalid, visible
from portal import audit, clock, ids
from portal.document_storage import STORAGE
from portal.doorbell import ring
from portal.errors import NotFound
from portal.file_check import file_checked
from portal.models import User
from portal.sealed_files import SealedFile, new_file_key

CHECK = "compliance.tasks.case_file_check"
#: Of one case.
MOST_FILES = 50


def case_file_attach(
    *, actor: User, case_id: UUID, title: str, file: "UploadedFile[Any]", source: str = "page"
) -> CaseFile:
    """Attach a file under a title. It is opened in the bounded process, sealed, and scanned before anybody reads it.

    Raises Forbidden or Conflict with every reason, Invalid for the title, the file, or one file too many.
    """
    permissions.refuse(permissions.why_not(actor, "note", selectors.case_for_staff(actor, case_id)))
    title = clean(title)
    if not title or len(title) > 120:
        raise invalid(title="Say what it is, in at most 120 characters.")
    checked = file_checked(file)
    is_scanned = bool(settings.CLAMD_URL)
    row = CaseFile(
        id=ids.new_id(),
        case_id=case_id,
        title=title,
        content_type=checked.content_type,
        size=checked.size,
        sha256=checked.sha256,
        pages=checked.pages,
        file_key=(key := new_file_key()),
        scan=CaseFile.Scan.PENDING if is_scanned else CaseFile.Scan.OFF,
        next_check_at=clock.now() if is_scanned else None,
        uploaded_by=actor,
    )
    path = storages[STORAGE].save(row.path, SealedFile(cast(BinaryIO, file.file), key))
    try:
        with transaction.atomic():
            _attach(row, actor, source)
    except BaseException:
        storages[STORAGE].delete(path)
        raise
    return row


def _attach(row: CaseFile, actor: User, source: str) -> None:
    case = visible(actor, row.case_id)
    permissions.refuse(permissions.why_not(actor, "note", case))
    if case.files.count() >= MOST_FILES:
        raise invalid(file=f"The case has {MOST_FILES} files already.")
    row.save(force_insert=True)
    changed(case)
    after = {"file": str(row.pk), "size": row.size}
    audit.record("case.file", subject=case, actor=actor, after=after, source=source)
    if row.next_check_at is not None:
        ring(CHECK, row.pk, queue="documents")


def case_file_read(
    *, actor: User, case_id: UUID, file_id: UUID, source: str = "page"
) -> tuple[Case, CaseFile]:
    """A file for whoever may see its case, recorded as read. Raises NotFound also for one that may not be opened, and
    Forbidden while the data of the case's people is shut away."""
    case = selectors.case_for_staff(actor, case_id)
    row = case.files.filter(pk=file_id).first()
    if row is None or not row.is_safe:
        raise NotFound("There is no such file, or it may not be opened.")
    personal.require_open(case, actor)
    audit.record("case.file_read", subject=case, actor=actor, after={"file": str(row.pk)}, source=source)
    return case, row
