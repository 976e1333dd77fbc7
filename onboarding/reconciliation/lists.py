"""The provider's own list of accounts, as their operations send it: its rows are compared a chunk at a time."""

from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from onboarding import jobs
from onboarding.imports.files import CustomerFile, Record, refused
from onboarding.models import ListedAccount, ProviderAccount, ReconciliationRun
from onboarding.reconciliation import comparing, unknown
from onboarding.requirements import rules
from portal import audit, clock, permissions
from portal.doorbell import ring
from portal.errors import Conflict
from portal.models import User

Status = ReconciliationRun.Status
RUN = "reconciliation.run"
TASK = "onboarding.tasks.reconcile_list"
WRITE_AT_ONCE = 1000
LONGEST_REF = 255
LONGEST_WORD = 64
CHUNK = 200
#: A task compares so many chunks and rings for the next.
CHUNKS_A_TASK = 20
#: What the columns are called, letters alone and in lower case.
REF_NAMES = ("partnerpartyref", "clientaccountid", "reference", "ref", "account")
STATUS_NAMES = ("partystatus", "status", "accountstatus")


def list_upload(*, actor: User, file: IO[bytes], size: int, source: str) -> ReconciliationRun:
    """Take a list in, row by row, and have it compared.

    Raises Forbidden, Conflict while another is compared, Invalid for a file that is no such list.
    """
    permissions.require(actor, RUN)
    if size > settings.DOCUMENT_MAX_BYTES:
        raise refused(f"The file is larger than {settings.DOCUMENT_MAX_BYTES // 1024**2} MB. Split it.")
    found = CustomerFile(file)
    ref, words = _column(found.columns, REF_NAMES), _column(found.columns, STATUS_NAMES)
    if ref is None:
        raise refused(
            "No column holds the accounts' references. Call it clientAccountId or partnerPartyRef; the columns are "
            f"{', '.join(found.columns)[:200]}."
        )
    try:
        with transaction.atomic():
            run = ReconciliationRun.objects.create(kind=ReconciliationRun.Kind.LIST, started_by=actor)
            run.expected = _write(run, found, ref, words)
            if not run.expected:
                raise refused("The file has a header but no rows.")
            run.save(update_fields=["expected"])
            audit.record(
                "reconciliation.list", subject=run, actor=actor, source=source, after={"rows": run.expected}
            )
            ring(TASK, run.pk, queue="bulk")
    except IntegrityError as error:
        raise Conflict("Another list is being compared. Wait until it is done.") from error
    return run


def _column(columns: list[str], names: tuple[str, ...]) -> int | None:
    plain = ["".join(letter for letter in column.lower() if letter.isalpha()) for column in columns]
    return next((plain.index(name) for name in names if name in plain), None)


def _write(run: ReconciliationRun, found: CustomerFile, ref: int, words: int | None) -> int:
    waiting: list[ListedAccount] = []
    count = 0
    for record in found.records():
        waiting.append(
            ListedAccount(
                run=run, ref=_cell(record, ref, LONGEST_REF), words=_cell(record, words, LONGEST_WORD)
            )
        )
        count += 1
        if len(waiting) == WRITE_AT_ONCE:
            ListedAccount.objects.bulk_create(waiting)
            waiting.clear()
    ListedAccount.objects.bulk_create(waiting)
    return count


def _cell(record: Record, place: int | None, longest: int) -> str:
    """A cell as text. Raises Invalid for a row without a reference, or with one that no account can have."""
    if place is None:
        return ""
    value = record.cells[place] if not record.unreadable and place < len(record.cells) else None
    why = record.unreadable
    try:
        text = rules.plain_text(str(value)) if value is not None else ""
    except ValidationError:
        text, why = "", "It holds characters that cannot be shown."
    if not text and longest == LONGEST_REF:
        why = why or "It names no account."
    if len(text) > longest:
        why = "It is too long."
    if why:
        raise refused(f"Row {record.number:,} cannot be compared. {why}")
    return text


def work(run_id: UUID) -> None:
    """Some chunks; rings for the rest."""
    for _ in range(CHUNKS_A_TASK):
        if not advance(run_id):
            return
    with transaction.atomic():
        ring(TASK, run_id, queue="bulk")


def sweep() -> None:
    """Ring again for lists whose worker was lost."""
    rows = ReconciliationRun.objects.filter(
        kind=ReconciliationRun.Kind.LIST, status=Status.RUNNING, next_at__lte=clock.now()
    )
    for run_id in rows.values_list("pk", flat=True):
        with transaction.atomic():
            ring(TASK, run_id, queue="bulk")


def advance(run_id: UUID) -> bool:
    """One chunk, in one transaction that holds the run. False when nothing is left, or another worker is at it."""
    with transaction.atomic():
        run = (
            ReconciliationRun.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=run_id, status=Status.RUNNING)
            .first()
        )
        if run is None:
            return False
        rows = list(ListedAccount.objects.filter(run=run).order_by("pk")[:CHUNK])
        if not rows:
            run.finished_at = clock.now()
            run.save(update_fields=["finished_at"])
            run.move_to(Status.FINISHED, actor=None, source="task")
            return False
        known = {
            ref: (pk, status)
            for ref, pk, status in ProviderAccount.objects.filter(
                client_account_id__in=[row.ref for row in rows]
            ).values_list("client_account_id", "pk", "status")
        }
        counts = {"agree": 0, "differ": 0, "unknown": 0}
        for row in rows:
            counts[_compared(row, known.get(row.ref))] += 1
        ListedAccount.objects.filter(pk__in=[row.pk for row in rows]).delete()
        ReconciliationRun.objects.filter(pk=run.pk).update(
            next_at=clock.now() + comparing.SETTLING,
            **{name: F(name) + more for name, more in counts.items()},
        )
    return True


def _compared(row: ListedAccount, ours: tuple[UUID, str] | None) -> str:
    if ours is None:
        unknown.found("bakkt", row.ref, unknown.FoundBy.LIST, words=row.words)
        return "unknown"
    if not row.words:
        return "agree"
    return "agree" if comparing.listed(jobs.lock_account(ours[0]), row.words) else "differ"
