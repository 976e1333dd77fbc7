"""What staff do with an import: upload, map and check, import, resume, undo."""

from collections.abc import Mapping
from datetime import date
from typing import IO
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from onboarding.imports import questions, undo
from onboarding.imports.files import MOST_BYTES, CustomerFile, refused
from onboarding.imports.jobs import wake
from onboarding.models import ImportBatch, ImportRow
from onboarding.requirements import rules
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import StatusChange, User

MANAGE = "import.manage"
Status = ImportBatch.Status
WRITE_AT_ONCE = 1000


def batch_upload(
    *, actor: User, name: str, country: str, file: IO[bytes], file_name: str, size: int, source: str
) -> ImportBatch:
    """Take a file in, its rows sealed as they are read. Raises Invalid for a file that cannot be taken as a whole."""
    permissions.require(actor, MANAGE)
    if size > MOST_BYTES:
        raise refused(f"The file is larger than {MOST_BYTES // 1024**2} MB. Split it into several files.")
    found = CustomerFile(file)
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            name=name,
            file_name=_plain_name(file_name),
            country=country,
            columns=found.columns,
            mapping=questions.guess(found.columns),
            created_by=actor,
        )
        waiting: list[ImportRow] = []
        for record in found.records():
            waiting.append(
                ImportRow(
                    batch=batch,
                    number=record.number,
                    cells=None if record.unreadable else record.cells,
                    state=ImportRow.State.UNREADABLE if record.unreadable else ImportRow.State.NEW,
                    errors={"": [record.unreadable]} if record.unreadable else {},
                )
            )
            if len(waiting) == WRITE_AT_ONCE:
                batch.rows_total += _write(waiting)
        batch.rows_total += _write(waiting)
        if not batch.rows_total:
            raise refused("The file has a header but no rows.")
        batch.save(update_fields=["rows_total"])
        audit.record(
            "import.upload",
            subject=batch,
            actor=actor,
            source=source,
            after={"rows": batch.rows_total, "columns": len(batch.columns)},
        )
    return batch


def _write(waiting: list[ImportRow]) -> int:
    number = len(ImportRow.objects.bulk_create(waiting))
    waiting.clear()
    return number


def _plain_name(file_name: str) -> str:
    try:
        return rules.plain_text(file_name)[:200]
    except ValidationError:
        return "file"


def batch_check(
    *, actor: User, batch_id: UUID, mapping: Mapping[str, str], grace_until: date | None, source: str
) -> ImportBatch:
    """Keep the mapping and the grace period and begin the dry run. Raises Invalid by question."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        _require_mapping(batch, mapping)
        if grace_until is not None and grace_until < clock.today():
            raise Invalid(
                "Some answers need attention.",
                fields={"grace_until": ["This day is over. Choose a later one, or none."]},
            )
        # By other columns a row may be somebody else: what was said about it does not hold any more.
        batch.rows.exclude(verdict="").update(verdict="", verdict_by=None, verdict_at=None)
        batch.mapping, batch.grace_until = dict(mapping), grace_until
        batch.position = batch.rows_done = batch.rows_wrong = 0
        batch.problem, batch.progressed_at = "", clock.now()
        batch.save(
            update_fields=[
                "mapping",
                "grace_until",
                "position",
                "rows_done",
                "rows_wrong",
                "problem",
                "progressed_at",
            ]
        )
        batch.move_to(Status.CHECKING, actor=actor, source=source)
        wake(batch)
    return batch


def _require_mapping(batch: ImportBatch, mapping: Mapping[str, str]) -> None:
    problems: dict[str, list[str]] = {}
    known = questions.targets()
    used: dict[str, str] = {}
    for question, column in mapping.items():
        if question not in known or column not in batch.columns:
            problems[question] = ["Choose a question of the list for a column of the file."]
        elif column in used:
            problems[question] = [f"The column “{column}” answers “{known[used[column]].label}” already."]
        used.setdefault(column, question)
    missing = questions.lacking(mapping)
    if missing:
        problems[""] = [f"No column answers: {', '.join(missing)}. Without them no row can be imported."]
    if problems:
        raise Invalid("Some columns need attention.", fields=problems)


def batch_import(*, actor: User, batch_id: UUID, source: str) -> ImportBatch:
    """Begin to make customers of the rows that hold."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.status == Status.CHECKED and not batch.rows_right:
            raise Conflict("No row of this file can be imported. Mend the file and upload it again.")
        batch.position = batch.rows_done = 0
        batch.problem, batch.progressed_at = "", clock.now()
        batch.save(update_fields=["position", "rows_done", "problem", "progressed_at"])
        _move(batch, Status.IMPORTING, {Status.CHECKED}, actor=actor, source=source)
        wake(batch)
    return batch


def batch_resume(*, actor: User, batch_id: UUID, source: str) -> ImportBatch:
    """Go on where a fault of ours stopped it."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        stopped = StatusChange.objects.filter(subject_id=batch.pk, new=Status.FAILED).order_by("-at").first()
        batch.problem, batch.progressed_at = "", clock.now()
        batch.save(update_fields=["problem", "progressed_at"])
        _move(batch, stopped.old if stopped else Status.CHECKING, {Status.FAILED}, actor=actor, source=source)
        wake(batch)
    return batch


def batch_undo(*, actor: User, batch_id: UUID, reason: str, source: str) -> ImportBatch:
    """Begin to delete everything the batch made. Raises Conflict with every reason why not."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        reasons = undo.why_not(batch)
        if reasons:
            raise Conflict(" ".join(reasons))
        batch.problem, batch.progressed_at = "", clock.now()
        batch.save(update_fields=["problem", "progressed_at"])
        _move(batch, Status.UNDOING, {Status.IMPORTED}, actor=actor, source=source, reason=reason)
        wake(batch)
    return batch


def grace_change(*, actor: User, batch_id: UUID, grace_until: date | None, source: str) -> ImportBatch:
    """Set another end of the grace period, or none."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        before, batch.grace_until = batch.grace_until, grace_until
        batch.save(update_fields=["grace_until"])
        audit.record(
            "import.grace",
            subject=batch,
            actor=actor,
            source=source,
            before={"grace_until": str(before or "none")},
            after={"grace_until": str(grace_until or "none")},
        )
    return batch


def _locked(actor: User, batch_id: UUID) -> ImportBatch:
    permissions.require(actor, MANAGE)
    batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such import.")
    return batch


def _move(
    batch: ImportBatch, new: str, allowed: set[Status], *, actor: User, source: str, reason: str = ""
) -> None:
    """Move on by a press of a button, which stands on the page in `allowed` states alone."""
    if batch.status not in allowed:
        raise Conflict(f"This import is {batch.get_status_display().lower()}. Load the page again.")
    batch.move_to(new, actor=actor, source=source, reason=reason)
