"""What workers do with a batch, a chunk at a time. Each chunk is one transaction that holds the batch's row.

So a worker that dies loses one chunk, which the next one does again, and two workers never do the same.
"""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, InterfaceError, OperationalError, transaction

from onboarding.imports import making, twins, undo
from onboarding.imports.check import Reading, indexes_of, read_row
from onboarding.imports.rows import keep_found
from onboarding.models import ImportBatch, ImportRow
from portal import clock
from portal.doorbell import ring

Status = ImportBatch.Status
State = ImportRow.State

CHUNK = 250
#: A task ends after so many chunks and rings for the next, so that others get their turn.
CHUNKS_A_TASK = 20
#: A batch that nobody got on with for so long lost its worker.
LOST_AFTER = timedelta(minutes=2)
TASK = "onboarding.tasks.import_advance"


def wake(batch: ImportBatch) -> None:
    """Ask a worker to get on with the batch after commit."""
    ring(TASK, batch.pk, queue="bulk")


def sweep() -> None:
    """Ring again for batches that lost their worker."""
    lost = ImportBatch.objects.filter(
        status__in=ImportBatch.AT_WORK, progressed_at__lt=clock.now() - LOST_AFTER
    )
    for batch in lost:
        wake(batch)


def work(batch_id: UUID) -> None:
    """Some chunks of the batch; rings for the rest. What it stumbles over stops it visibly."""
    try:
        for _ in range(CHUNKS_A_TASK):
            if not advance(batch_id):
                return
    except (OperationalError, InterfaceError):
        # The database went away: the task is tried again.
        raise
    except Exception as error:
        _stop(batch_id, type(error).__name__)
        raise
    ring(TASK, batch_id, queue="bulk")


def advance(batch_id: UUID) -> bool:
    """One chunk. False when nothing is left to do, or another worker is at it."""
    with transaction.atomic():
        batch = (
            ImportBatch.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("created_by")
            .filter(pk=batch_id, status__in=ImportBatch.AT_WORK)
            .first()
        )
        if batch is None:
            return False
        if batch.status == Status.UNDOING:
            undo.undo(batch)
            return False
        return _check_chunk(batch) if batch.status == Status.CHECKING else _import_chunk(batch)


def _stop(batch_id: UUID, problem: str) -> None:
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().get(pk=batch_id)
        if batch.may_move_to(Status.FAILED):
            place = f"after row {batch.position:,}" if batch.position else "before the first row"
            batch.problem = f"Stopped {place} by a fault of ours ({problem})."
            batch.save(update_fields=["problem"])
            batch.move_to(Status.FAILED, actor=None, source="task")


def _keep_progress(batch: ImportBatch) -> None:
    batch.progressed_at = clock.now()
    batch.save(update_fields=["position", "rows_done", "rows_wrong", "rows_imported", "progressed_at"])


# --- Dry run ------------------------------------------------------------------------------------------------


def _check_chunk(batch: ImportBatch) -> bool:
    rows = list(batch.rows.filter(number__gt=batch.position).order_by("number")[:CHUNK])
    if not rows:
        batch.move_to(Status.CHECKED, actor=None, source="task")
        return False
    _judge(batch, rows)
    keep_found(rows)
    batch.position = rows[-1].number
    batch.rows_done += len(rows)
    batch.rows_wrong += sum(row.state != State.READY for row in rows)
    _keep_progress(batch)
    return True


def _judge(batch: ImportBatch, rows: list[ImportRow]) -> list[tuple[ImportRow, Reading]]:
    """Check rows by today's rules and against everybody; the row's state says the result."""
    found = []
    for row in rows:
        if row.state == State.UNREADABLE:
            continue
        assert row.cells is not None
        reading = read_row(
            row.cells.reveal(), batch.columns, batch.mapping, str(batch.country), in_grace=batch.in_grace
        )
        row.errors, row.doubts = reading.errors, []
        for name, value in indexes_of(reading).items():
            setattr(row, name, value)
        found.append((row, reading))
    twins.mark(batch, found)
    for row, _ in found:
        row.state = State.WRONG if row.errors else State.READY
    return found


# --- Import -------------------------------------------------------------------------------------------------


def _import_chunk(batch: ImportBatch) -> bool:
    # From where the last chunk ended: asked for without it, each would first pass all that is imported already.
    rows = list(batch.rows.filter(number__gt=batch.position, state=State.READY).order_by("number")[:CHUNK])
    if not rows:
        batch.move_to(Status.IMPORTED, actor=None, source="task")
        return False
    # Since the dry run somebody may have signed up, and the grace period may have ended.
    batch.position = rows[0].number - 1
    found = _judge(batch, rows)
    wrong = [row for row in rows if row.state != State.READY]
    keep_found(wrong)
    ready = [(row, reading) for row, reading in found if row.state == State.READY]
    try:
        with transaction.atomic():
            making.make(batch, ready, actor=batch.created_by)
    except IntegrityError:
        ready, clashing = _made_singly(batch, ready)
        keep_found(clashing)
        wrong += clashing
    batch.position = rows[-1].number
    batch.rows_done += len(rows)
    batch.rows_wrong += len(wrong)
    batch.rows_imported += len(ready)
    _keep_progress(batch)
    return True


def _made_singly(
    batch: ImportBatch, ready: list[tuple[ImportRow, Reading]]
) -> tuple[list[tuple[ImportRow, Reading]], list[ImportRow]]:
    """Each row on its own, after one of them met something the check could not see: what was made, what clashed.

    Somebody signed up with one of the addresses this very moment, most likely.
    """
    made, clashing = [], []
    for row, reading in ready:
        try:
            with transaction.atomic():
                making.make(batch, [(row, reading)], actor=batch.created_by)
        except IntegrityError:
            row.state, row.application = State.WRONG, None
            row.errors = {"email": ["Somebody with this e-mail address or account number came in meanwhile."]}
            clashing.append(row)
        else:
            made.append((row, reading))
    return made, clashing
