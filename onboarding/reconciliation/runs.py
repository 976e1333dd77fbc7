"""The nightly run: every account that is not closed is read, a batch at a time, one batch at a time.

The run's row is the place where a worker takes a batch: two never take the same, and what a worker that died had taken
is asked for again. How far it is stands in the rows, so nothing is held in memory and nothing is counted twice.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import Count, F, QuerySet

from onboarding import jobs
from onboarding.models import AccountCheck, ProviderAccount, ReconciliationRun
from onboarding.reconciliation import unknown
from portal import audit, clock
from portal.errors import Conflict
from portal.models import User

log = structlog.get_logger(__name__)
Status = ReconciliationRun.Status
Kind = ReconciliationRun.Kind
Outcome = AccountCheck.Outcome

#: So many accounts are read, one after the other, and not before so long after the last batch began: at most four a
#: second, which is some 345,000 a day.
BATCH = 20
PAUSE = timedelta(seconds=5)
#: After so many in a row without an answer the provider is left alone for a while.
SILENT_AFTER = 3
SILENT_PAUSE = timedelta(minutes=10)
#: An account is asked for so often in one run; a worker gives its batch up after so long.
ATTEMPTS = 3
LONGEST_BATCH_SECONDS = 60.0
#: A batch whose worker died is taken again after this long.
LEASE = timedelta(minutes=5)
#: Then the next night's begins.
LONGEST_RUN = timedelta(hours=22)


@dataclass(frozen=True)
class Taken:
    """A batch in one worker's hands."""

    run_id: UUID
    accounts: list[UUID]


def start(*, actor: User | None = None, source: str = "beat") -> ReconciliationRun:
    """Begin a run. Raises Conflict while one is running."""
    try:
        with transaction.atomic():
            run = ReconciliationRun.objects.create(
                kind=Kind.READING, started_by=actor, expected=_open().count()
            )
            audit.record("reconciliation.start", subject=run, actor=actor, source=source)
    except IntegrityError as error:
        raise Conflict("A reconciliation is running already. Wait until it is done.") from error
    return run


def _open() -> QuerySet[ProviderAccount]:
    return ProviderAccount.objects.exclude(status=ProviderAccount.Status.CLOSED)


def step() -> bool:
    """One batch of the run that is under way; False when there is none, or it is not due."""
    taken = _take()
    if taken is None:
        return False
    silent = _read(taken)
    with transaction.atomic():
        run = ReconciliationRun.objects.select_for_update().get(pk=taken.run_id)
        run.next_at = clock.now() + (SILENT_PAUSE if silent else PAUSE)
        _count(run)
        run.save(update_fields=["next_at", *_COUNTED.values()])
    return True


def _take() -> Taken | None:
    with transaction.atomic():
        run = (
            ReconciliationRun.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(kind=Kind.READING, status=Status.RUNNING, next_at__lte=clock.now())
            .first()
        )
        if run is None:
            return None
        if clock.now() - run.started_at > LONGEST_RUN:
            _end(run, problem="Not all accounts were read within a day: the provider did not answer.")
            return None
        accounts = _next(run) or _left(run)
        if not accounts:
            _end(run)
            return None
        run.next_at = clock.now() + LEASE
        run.save(update_fields=["next_at", "cursor"])
        return Taken(run.pk, accounts)


def _next(run: ReconciliationRun) -> list[UUID]:
    """The next accounts in the order of their keys, marked as taken. Accounts are locked before their checks."""
    rows = _open().select_for_update(of=("self",)).order_by("pk")
    if run.cursor:
        rows = rows.filter(pk__gt=run.cursor)
    accounts = list(rows.values_list("pk", flat=True)[:BATCH])
    AccountCheck.objects.bulk_create(
        [AccountCheck(account_id=pk, run=run, outcome=Outcome.READING, attempts=0) for pk in accounts],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["run", "outcome", "attempts"],
    )
    if accounts:
        run.cursor = accounts[-1]
    return accounts


def _left(run: ReconciliationRun) -> list[UUID]:
    """What was taken and has no answer yet."""
    taken = AccountCheck.objects.filter(run=run, outcome=Outcome.READING, attempts__lt=ATTEMPTS)
    return list(taken.order_by("account").values_list("account_id", flat=True)[:BATCH])


def _read(taken: Taken) -> bool:
    """Read the batch; True when the provider fell silent, and what is left of it waits."""
    until = time.monotonic() + LONGEST_BATCH_SECONDS
    unanswered = 0
    for account_id in taken.accounts:
        if time.monotonic() > until:
            return False
        # Counted before, so that an account that kills its worker is not asked for ever.
        AccountCheck.objects.filter(account=account_id, run=taken.run_id).update(attempts=F("attempts") + 1)
        unanswered = 0 if _answered(account_id) else unanswered + 1
        if unanswered >= SILENT_AFTER:
            return True
    return unanswered == len(taken.accounts)


def _answered(account_id: UUID) -> bool:
    try:
        if jobs.account_read(account_id):
            return True
        # "Not found" of an account the provider never took is an answer too.
        return not AccountCheck.objects.filter(account=account_id, outcome=Outcome.READING).exists()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # One account that cannot be compared must not keep the others waiting; it is counted as not answered.
        log.exception("account_not_compared", account_id=str(account_id))
        return False


_COUNTED = {
    Outcome.AGREES: "agree",
    Outcome.DIFFERS: "differ",
    Outcome.MISSING: "missing",
    Outcome.UNDER_WAY: "under_way",
    Outcome.NOT_ANSWERED: "not_answered",
}


def _count(run: ReconciliationRun) -> None:
    rows = AccountCheck.objects.filter(run=run).values_list("outcome").annotate(Count("pk")).order_by()
    counts = dict(rows)
    for outcome, name in _COUNTED.items():
        setattr(run, name, counts.get(outcome, 0))


def _end(run: ReconciliationRun, problem: str = "") -> None:
    AccountCheck.objects.filter(run=run, outcome=Outcome.READING).update(outcome=Outcome.NOT_ANSWERED)
    _count(run)
    if problem:
        run.not_answered += max(run.expected - run.done, 0)
    run.unknown = unknown.look()
    run.finished_at, run.problem = clock.now(), problem
    run.save(update_fields=["finished_at", "problem", "unknown", *_COUNTED.values()])
    run.move_to(Status.STOPPED if problem else Status.FINISHED, actor=None, reason=problem, source="beat")
