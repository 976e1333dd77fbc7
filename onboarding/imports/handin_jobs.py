"""What workers do with a hand-in: one customer at a time, each in a transaction of its own, at the pace staff chose.

The row that waits is the queue: a worker that dies loses nothing, and the next goes on with the same row. What came of
a customer is written with the hand-in itself, so nobody goes twice.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from onboarding import services
from onboarding.models import Application, HandIn, ImportRow
from onboarding.operations import COMPARE, SAVE_ACCOUNT, UPDATE
from onboarding.updates import OPEN_ACCOUNT
from portal import clock, outbox
from portal.doorbell import ring
from portal.errors import DomainError, Invalid
from portal.models import User

log = structlog.get_logger(__name__)

Status = HandIn.Status
Outcome = ImportRow.Outcome
TASK = "onboarding.tasks.hand_in_advance"
#: Beat rings so often (portal/celery.py); what was missed for longer is not caught up with.
TICK = timedelta(seconds=10)
FASTEST = 600
#: With so many calls waiting for the provider, no more are written: it is slow or away.
MOST_WAITING = 100


def wake(hand_in: HandIn) -> None:
    """Ask a worker to get on with it after commit."""
    ring(TASK, hand_in.pk, queue="bulk")


def sweep() -> None:
    """Ring for every hand-in that is under way."""
    for hand_in in HandIn.objects.filter(status=Status.RUNNING):
        wake(hand_in)


def work(hand_in_id: UUID) -> int:
    """Hand in the customers whose turn it is; how many went. The next ring goes on."""
    most = FASTEST * TICK // timedelta(minutes=1)
    for done in range(most):
        if not advance(hand_in_id):
            return done
    return most


def advance(hand_in_id: UUID) -> bool:
    """One customer. False when nobody's turn has come, nobody is left, it is paused, or another worker is at it."""
    with transaction.atomic():
        hand_in = (
            HandIn.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("started_by")
            .filter(pk=hand_in_id, status=Status.RUNNING)
            .first()
        )
        moment = clock.now()
        if hand_in is None or hand_in.next_at > moment:
            return False
        row = hand_in.rows.filter(outcome=Outcome.WAITS).order_by("pk").first()
        if row is None:
            hand_in.move_to(Status.DONE, actor=None, source="task")
            return False
        if provider_is_behind():
            return False
        _go(hand_in, row)
        pause = timedelta(minutes=1) / hand_in.per_minute
        hand_in.next_at = max(hand_in.next_at, moment - TICK) + pause
        hand_in.save(update_fields=["next_at"])
        return True


def provider_is_behind() -> bool:
    """Whether so many calls wait for the provider that more would only make it worse."""
    return outbox.waiting((SAVE_ACCOUNT, COMPARE, UPDATE), most=MOST_WAITING) >= MOST_WAITING


def _go(hand_in: HandIn, row: ImportRow) -> None:
    """Hand one customer in, and write down what came of it."""
    try:
        with transaction.atomic():
            row.outcome, row.outcome_note = _handed(row, hand_in.started_by), ""
    except Invalid as refusal:
        row.outcome, row.outcome_note = Outcome.LEFT_OUT, _lacks(refusal)
    except DomainError as refusal:
        row.outcome, row.outcome_note = Outcome.LEFT_OUT, refusal.message[:300]
    except (OperationalError, InterfaceError):
        # The database went away: the row waits, and the next ring takes it up again.
        raise
    except Exception as error:
        log.exception("hand_in_stopped", hand_in=str(hand_in.pk), row=row.number)
        row.outcome = Outcome.FAILED
        row.outcome_note = f"A fault of ours ({type(error).__name__}). Nothing was sent."
        hand_in.problem = f"Paused at row {row.number:,} by a fault of ours ({type(error).__name__})."
        hand_in.save(update_fields=["problem"])
        hand_in.move_to(Status.PAUSED, actor=None, source="task", reason=hand_in.problem)
    row.outcome_at = clock.now()
    row.save(update_fields=["outcome", "outcome_note", "outcome_at"])


def _handed(row: ImportRow, actor: User) -> Outcome:
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user", "batch")
        .get(import_row=row)
    )
    account = getattr(application, "account", None)
    if account is not None and account.status in OPEN_ACCOUNT:
        sent = services.complete_set_send(application, actor=actor, source="task")
        return Outcome.UPDATED if sent else Outcome.NOTHING_NEW
    if application.status != Application.Status.DRAFT:
        return Outcome.NOTHING_NEW
    services.hand_in(application, actor=actor, source="task")
    held = application.status == Application.Status.HELD
    return Outcome.HELD if held else Outcome.HANDED_IN


def _lacks(refusal: Invalid) -> str:
    """The steps that are not complete, without what is wrong with their answers."""
    steps = dict.fromkeys(path.partition(".")[0].rpartition("/")[2] for path in refusal.fields)
    words = ", ".join(step.replace("_", " ") for step in steps)
    return f"Not complete: {words}."[:300] if words else refusal.message[:300]
