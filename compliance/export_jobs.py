"""Making case files in the background, and removing them when their time is over."""

import hashlib
import tempfile
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import structlog
from django.core.files.base import File
from django.core.files.storage import storages
from django.db import transaction
from django.db.models import F

from compliance.casefile import archive, hooks
from compliance.models import Case, CaseExport
from portal import audit, clock
from portal.document_storage import STORAGE
from portal.sealed_files import Sealer, new_file_key

log = structlog.get_logger(__name__)

Status = CaseExport.Status
LEASE = timedelta(minutes=5)
MOST_ATTEMPTS = 3
#: How long a made file can be fetched.
KEPT = timedelta(days=3)
#: The files of one archive together; what is more is for several archives.
MOST_BYTES = 1024 * 1024 * 1024
BROKEN = "It could not be made. Ask again; if it fails again, tell the operator the id of this page."


class _SealedSink:
    """Takes the archive as it is written, and seals it into a nameless file."""

    def __init__(self, key: str) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  closed by whoever stored it
        self.size = 0
        self.digest = hashlib.sha256()
        self._sealer = Sealer(key)

    def write(self, piece: bytes, /) -> int:
        self.size += len(piece)
        self.digest.update(piece)
        self.file.write(self._sealer.take(bytes(piece)))
        return len(piece)

    def flush(self) -> None:
        """What is held back is the cipher's."""

    def end(self) -> None:
        """Nothing more comes."""
        self.file.write(self._sealer.end())
        self.file.seek(0)


def export_make(export_id: UUID) -> None:
    """Make one file; nothing when another worker is at it, or it is made. A worker that dies is followed by another."""
    rows = CaseExport.objects.filter(
        pk=export_id, status__in=CaseExport.UNDER_WAY, lease_until__lte=clock.now()
    )
    if not rows.update(lease_until=clock.now() + LEASE, attempts=F("attempts") + 1, parts_done=0):
        return
    export = CaseExport.objects.select_related("asked_by").get(pk=export_id)
    if export.status == Status.QUEUED:
        export.move_to(Status.MAKING, actor=None, source="task")
    if export.attempts > MOST_ATTEMPTS:
        _fail(export, BROKEN)
        return
    too_much = _count(export)
    if too_much:
        _fail(export, too_much)
        return
    try:
        _make(export)
    except Exception:
        log.exception("case_file_failed", export=str(export.pk), attempt=export.attempts)
        if export.attempts >= MOST_ATTEMPTS:
            _fail(export, BROKEN)
        else:
            CaseExport.objects.filter(pk=export_id).update(lease_until=clock.now() + timedelta(minutes=1))


def _count(export: CaseExport) -> str:
    """Write down how many parts there are; answers why it is too much, or ""."""
    parts = size = 0
    for case in archive.cases_of(export):
        files = archive.files_of(case, hooks.contribution(case))
        parts += 1 + len(files)
        size += sum(file.size for _, file in files if not file.left_out)
    export.parts, export.parts_done = parts, 0
    export.save(update_fields=["parts", "parts_done"])
    if export.with_papers and size > MOST_BYTES:
        return (
            f"The files of these cases are {size // 2**20:,} MB together; {MOST_BYTES // 2**20:,} MB fit into one. "
            "Choose fewer cases, or leave the papers out."
        )
    return ""


def _make(export: CaseExport) -> None:
    export.file_key = new_file_key()
    export.save(update_fields=["file_key"])
    sink = _SealedSink(export.file_key.reveal())
    mine = CaseExport.objects.filter(pk=export.pk)

    def done() -> None:
        mine.update(parts_done=F("parts_done") + 1, lease_until=clock.now() + LEASE)

    with sink.file:
        archive.write(export, archive.as_file(sink), done=done)
        sink.end()
        _remove_file(export)
        storages[STORAGE].save(export.path, File(sink.file))
    with transaction.atomic():
        export.size, export.sha256 = sink.size, sink.digest.hexdigest()
        export.expires_at = clock.now() + KEPT
        export.save(update_fields=["size", "sha256", "expires_at"])
        export.move_to(Status.READY, actor=None, source="task")
        audit.record(
            "caseexport.made",
            subject=export,
            source="task",
            after={"sha256": export.sha256, "size": export.size, "cases": len(export.case_ids)},
        )


def _fail(export: CaseExport, problem: str) -> None:
    with transaction.atomic():
        export.problem = problem
        export.save(update_fields=["problem"])
        export.move_to(Status.FAILED, actor=None, source="task")
    _remove_file(export)


def exports_left() -> list[UUID]:
    """Those that no worker is at: it died, it failed once, or the broker lost its task."""
    rows = CaseExport.objects.filter(status__in=CaseExport.UNDER_WAY, lease_until__lte=clock.now())
    return list(rows.order_by("lease_until").values_list("pk", flat=True)[:20])


def exports_remove() -> int:
    """Remove the files whose time is over; what was exported, by whom, stays known. Answers how many."""
    rows = CaseExport.objects.filter(status=Status.READY, expires_at__lte=clock.now())
    found = list(rows.order_by("expires_at")[:100])
    for export in found:
        _remove_file(export)
        export.move_to(Status.EXPIRED, actor=None, reason="Its time is over", source="task")
    return len(found)


def exports_expire(subjects: Iterable[UUID]) -> int:
    """Nobody fetches what lies ready of cases about these subjects from now on; the next sweep removes it. How many."""
    cases = list(Case.objects.filter(subject_id__in=list(subjects)).values_list("pk", flat=True))
    rows = CaseExport.objects.filter(status=Status.READY, case_ids__overlap=cases)
    return rows.update(expires_at=clock.now()) if cases else 0


def _remove_file(export: CaseExport) -> None:
    """Remove what lies in the storage under its path, if anything does."""
    storages[STORAGE].delete(export.path)
