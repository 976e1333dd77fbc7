"""Runs: the daily one over all accounts, and those over a file. Resumable steps, one run at a time.

The run's row is where a worker takes a step. What a step did stands in rows before the next begins, so nothing is held
in memory, and what a worker that died had begun is done again without harm.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from funding import balances
from funding.models import AccountReading, MoneyRun, StatedMovement
from funding.reconciliation import items, matching, stating
from onboarding import party
from onboarding.models import ProviderAccount
from portal import audit, clock, permissions
from portal.doorbell import ring
from portal.errors import Conflict, NotFound
from portal.models import User
from providers.bakkt.fiat import FiatClient
from providers.clients import bakkt_fiat
from providers.errors import ProviderError, Rejected

log = structlog.get_logger(__name__)
Status, Stage = MoneyRun.Status, MoneyRun.Stage
RUN = "reconciliation.run"
TASK = "funding.tasks.reconcile_run"
#: How far back movements are read: a return may come sixty days later (contract, section 8).
WINDOW = timedelta(days=65)
#: So many accounts are read, one after the other, before the run's row is written again.
BATCH = 20
PAUSE = timedelta(seconds=5)
#: After so many in a row without an answer the provider is left alone for a while; after so many whiles the run ends.
SILENT_AFTER = 3
SILENT_PAUSE = timedelta(minutes=10)
MOST_SILENCES = 6
#: A batch whose worker died is taken again so long after it last wrote down what it had read.
LEASE = timedelta(minutes=5)
#: Pages of one account's movements; beyond, the cursor leads in a circle.
MOST_PAGES = 2000
#: A task works for so long and rings for the rest.
LONGEST_TASK_SECONDS = 30.0
CLEAR_AT_ONCE = 20_000
UNRESOLVED_AFTER = timedelta(days=1)
_NEXT = {
    Stage.GATHER: Stage.MATCH,
    Stage.MATCH: Stage.ABSENT,
    Stage.ABSENT: Stage.CLOSE,
    Stage.CLOSE: Stage.CLEAR,
}


def start(*, actor: User | None = None, source: str = "beat") -> MoneyRun:
    """Begin a run over all accounts. Raises Forbidden, Conflict while another one runs."""
    if actor is not None:
        permissions.require(actor, RUN)
    moment = clock.now()
    with _one_at_a_time(), transaction.atomic():
        run = MoneyRun.objects.create(
            started_by=actor,
            started_at=moment,
            since=moment - WINDOW,
            as_of=moment,
            with_movements=_reads(),
            expected=_accounts(moment - WINDOW).count(),
        )
        _begun(run, actor, source)
    return run


def compare(*, actor: User, run_id: UUID, source: str) -> MoneyRun:
    """Begin the run over a file that was checked. Raises Forbidden, NotFound, Conflict while another one runs, when
    rows of it cannot be read, and when it was begun or dropped before."""
    run = _checked(actor, run_id)
    if run.refused:
        raise Conflict("Rows of this file cannot be read. Mend them and upload it again.")
    with _one_at_a_time(), transaction.atomic():
        run.move_to(Status.RUNNING, actor=actor, source=source)
        _begun(run, actor, source)
    return run


def drop(*, actor: User, run_id: UUID, source: str) -> None:
    """Give up a file that was checked. Raises as `compare`."""
    run = _checked(actor, run_id)
    with transaction.atomic():
        run.move_to(Status.STOPPED, actor=actor, reason="Not compared.", source=source)
        StatedMovement.objects.filter(run=run).delete()
        MoneyRun.objects.filter(pk=run.pk).update(finished_at=clock.now(), problem="Not compared.")


def work() -> None:
    """Steps of the run under way for some seconds; rings for the rest. For several workers at once."""
    until = time.monotonic() + LONGEST_TASK_SECONDS
    while time.monotonic() < until:
        if not step():
            return
    running = MoneyRun.objects.filter(status=Status.RUNNING).values_list("pk", flat=True).first()
    if running is not None:
        with transaction.atomic():
            ring(TASK, running, queue="bulk")


def step() -> bool:
    """One step of the run that is under way; False when there is none, it is not due, or another worker is at it."""
    with transaction.atomic():
        run = (
            MoneyRun.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=Status.RUNNING, next_at__lte=clock.now())
            .first()
        )
        if run is None:
            return False
        if run.stage != Stage.GATHER:
            _chunk(run)
            return True
        batch = _next(run)
        if not batch:
            _onward(run)
            run.save()
            return True
        run.next_at = clock.now() + LEASE
        run.save(update_fields=["next_at"])
    _gather(run, batch)
    return True


def sweep() -> None:
    """Go on with a run that lost its worker, and open cases for what is unresolved after a day."""
    while True:
        with transaction.atomic():
            if items.cases_open(UNRESOLVED_AFTER, items.CHUNK) < items.CHUNK:
                break
    work()


def _chunk(run: MoneyRun) -> None:
    """One chunk of a stage that asks nobody; in the transaction that holds the run."""
    stage = Stage(run.stage)
    if stage == Stage.MATCH:
        more = matching.match(run)
    elif stage == Stage.ABSENT:
        more = run.with_movements and matching.absent(run)
    elif stage == Stage.CLOSE:
        more = run.with_movements and items.close(run)
    else:
        more = _clear(run)
    if not more:
        _onward(run)
    run.save()


def _clear(run: MoneyRun) -> bool:
    """Delete the next rows of the record; False when these were the last."""
    # What was deleted is still in the index: without the cursor each chunk would begin by passing over all of it.
    rows = StatedMovement.objects.filter(run=run, pk__gt=int(run.cursor or 0))
    last = rows.order_by("pk").values_list("pk", flat=True)[CLEAR_AT_ONCE - 1 : CLEAR_AT_ONCE].first()
    if last is None:
        rows.delete()
        return False
    rows.filter(pk__lte=last).delete()
    run.cursor = str(last)
    return True


def _onward(run: MoneyRun) -> None:
    if run.stage != Stage.CLEAR:
        run.stage, run.cursor = _NEXT[Stage(run.stage)], ""
        return
    AccountReading.objects.filter(run=run).delete()
    run.finished_at = clock.now()
    run.move_to(
        Status.STOPPED if run.problem else Status.FINISHED, actor=None, reason=run.problem, source="task"
    )


# --- Reading the provider's record --------------------------------------------------------------------------


def _accounts(since: datetime) -> QuerySet[ProviderAccount]:
    """Accounts that may hold money, and those whose money moved lately."""
    moved = Q(pk__in=ProviderAccount.objects.filter(transfers__created_at__gte=since).values("pk"))
    return ProviderAccount.objects.filter(Q(status__in=party.OPENED) | moved)


def _next(run: MoneyRun) -> list[ProviderAccount]:
    rows = _accounts(run.since).order_by("pk")
    return list(rows.filter(pk__gt=run.cursor)[:BATCH] if run.cursor else rows[:BATCH])


class _Overtaken(Exception):
    """Another worker went on with the run: the lease had run out."""


@contextmanager
def _reading(before: MoneyRun) -> Iterator[MoneyRun]:
    """The run's row, held, for what was read in the batch that begins where `before` stood; the lease is renewed.

    Raises _Overtaken where the run is further by now: what was read so late would outlive it.
    """
    with transaction.atomic():
        run = MoneyRun.objects.select_for_update().get(pk=before.pk)
        if (run.cursor, run.stage, run.status) != (before.cursor, Stage.GATHER, Status.RUNNING):
            raise _Overtaken
        run.next_at = clock.now() + LEASE
        yield run
        run.save()


def _gather(run: MoneyRun, batch: list[ProviderAccount]) -> None:
    """Read a batch of accounts; where the provider falls silent, what is left of it waits."""
    client = bakkt_fiat()
    done: list[ProviderAccount] = []
    silent: list[ProviderAccount] = []
    missed = 0
    try:
        for account in batch:
            answer = _read(run, client, account)
            if answer is None:
                silent.append(account)
                if len(silent) == SILENT_AFTER:
                    break
                continue
            missed += len(silent) + (not answer)
            done += [*silent, account]
            silent = []
        _gathered(run, done, missed, silent)
    except _Overtaken:
        log.warning("overtaken", run=str(run.pk))


def _gathered(
    before: MoneyRun, done: list[ProviderAccount], missed: int, silent: list[ProviderAccount]
) -> None:
    with _reading(before) as run:
        alone = bool(silent) and not done
        run.silences += alone
        run.done += len(done)
        run.not_answered += missed
        run.next_at = clock.now() + (SILENT_PAUSE if alone else PAUSE)
        if done:
            run.cursor = str(done[-1].pk)
        elif run.silences >= MOST_SILENCES:
            run.problem = "The provider did not answer for all accounts. What it answered was compared."
            run.not_answered += max(run.expected - run.done, 0)
            run.stage, run.cursor, run.next_at = Stage.MATCH, "", clock.now()


def _read(run: MoneyRun, client: FiatClient, account: ProviderAccount) -> bool | None:
    """Read one account's movements and balance, unless a worker that died did: False where the provider refuses, None
    where it is silent."""
    if AccountReading.objects.filter(run=run, account=account).exists():
        return True
    as_of = clock.now()
    try:
        if run.with_movements:
            _movements(run, client, account, as_of)
        balances.keep(account, client.balance(account.client_account_id), as_of)
    except Rejected as error:
        log.warning("account_not_read", error=type(error).__name__)
        return False
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("account_not_read", error=type(error).__name__)
        return None
    with _reading(run) as held:
        _, first = AccountReading.objects.get_or_create(run=run, account=account, defaults={"as_of": as_of})
        theirs = account.balances.filter(currency=balances.CURRENCY).first()
        if first and theirs is not None:
            matching.balance(held, account, theirs.settled, as_of)
    return True


def _movements(run: MoneyRun, client: FiatClient, account: ProviderAccount, as_of: datetime) -> None:
    cursor, seen = "", {""}
    for _ in range(MOST_PAGES):
        page = client.transactions(account.client_account_id, since=run.since, until=as_of, cursor=cursor)
        with _reading(run):
            stating.state(run, page.transactions, as_of=as_of, account=account)
        cursor = page.next_cursor
        if cursor in seen:
            return
        seen.add(cursor)


def _reads() -> bool:
    try:
        return bakkt_fiat().reads_transactions
    except ImproperlyConfigured as error:
        raise Conflict("The connection to the provider is not set up.") from error


# --- Beginning ----------------------------------------------------------------------------------------------


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """The constraint that one run runs at a time, in words."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict("A comparison is running already. Wait until it is done.") from error


def _begun(run: MoneyRun, actor: User | None, source: str) -> None:
    audit.record(
        "money_reconciliation.start", subject=run, actor=actor, source=source, after={"kind": run.kind}
    )
    ring(TASK, run.pk, queue="bulk")


def _checked(actor: User, run_id: UUID) -> MoneyRun:
    permissions.require(actor, RUN)
    run = MoneyRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such comparison.")
    if run.status != Status.CHECKED:
        raise Conflict("This file was compared or dropped already.")
    return run
