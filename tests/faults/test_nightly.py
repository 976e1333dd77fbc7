"""The nightly comparison and the list of jurisdictions: silence and a killed process in their midst change nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from compliance.models import Case, CaseFact
from onboarding import availability
from onboarding.models import AccountCheck, JurisdictionReading, ReconciliationRun
from onboarding.reconciliation import comparing, runs
from portal import clock
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.faults.way import later, wait_for
from tests.onboarding.test_reconciliation import drift
from tests.onboarding.test_updates import opened
from tests.people import make_customer_user
from tests.sandboxed import environment

STEP, REFRESH = "onboarding.reconciliation.runs.step", "onboarding.availability.refresh"
#: A comparison asks for each of these, one after the other.
READINGS = ["read_account", "read_status"]


@contextmanager
def worker(box: SandboxProcess, job: str) -> Iterator[None]:
    """A process that does the job beside us, and is killed when what is done meanwhile is over."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.perform", job],
        env=environment(box),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        assert process.poll() is None, "it was done before it could be killed"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


# --- The comparison -----------------------------------------------------------------------------------------


@pytest.fixture
def run(box: SandboxProcess, customer_user: User) -> ReconciliationRun:
    """A night with two accounts, of which one differs, that has begun."""
    first = opened(box, customer_user)
    opened(box, make_customer_user("Bo"), given_name="Bo", family_name="Berg")
    drift(box, first)
    with later(minutes=5):
        return runs.start()


def to_the_end(run: ReconciliationRun, minutes: int) -> None:
    """What the beat does from then on, and that the night comes out as one without trouble does."""
    for move in range(10):
        with later(minutes=minutes + 11 * move):
            runs.step()
        run.refresh_from_db()
        if run.status != ReconciliationRun.Status.RUNNING:
            break
    assert (run.status, run.read, run.agree, run.differ, run.not_answered) == ("finished", 2, 1, 1, 0)
    assert Case.objects.filter(kind=comparing.KIND, status="open").count() == 1
    assert CaseFact.objects.count() == 1
    assert sorted(AccountCheck.objects.values_list("outcome", flat=True)) == ["agrees", "differs"]


@pytest.mark.parametrize("operation", READINGS)
def test_a_comparison_that_times_out(box: SandboxProcess, run: ReconciliationRun, operation: str) -> None:
    box.fault("hang", operation, seconds=5, count=None)
    with later(minutes=5):
        runs.step()
    box.api("DELETE", "faults")
    run.refresh_from_db()
    assert (run.status, run.read) == ("running", 0)
    assert not Case.objects.filter(kind=comparing.KIND).exists()
    to_the_end(run, 20)


@pytest.mark.parametrize("operation", READINGS)
def test_a_process_killed_in_the_midst_of_a_comparison(
    box: SandboxProcess, run: ReconciliationRun, operation: str
) -> None:
    # Due by the clock of another process, which nobody moves.
    ReconciliationRun.objects.update(next_at=clock.now())
    box.fault("hang", operation, seconds=60)
    with worker(box, STEP):
        # The fault is counted down when the call has arrived.
        wait_for(lambda: not box.state()["faults"])
    run.refresh_from_db()
    assert (run.status, run.read) == ("running", 0)
    assert set(AccountCheck.objects.filter(run=run).values_list("outcome", flat=True)) == {"reading"}
    # While the batch is leased, nobody takes it: the worker might be alive.
    assert runs.step() is False
    to_the_end(run, 11)


# --- The list of jurisdictions ------------------------------------------------------------------------------


def listed() -> list[dict[str, Any]]:
    return list(JurisdictionReading.objects.order_by("country", "state").values("country", "state", "orders"))


@pytest.fixture
def before(box: SandboxProcess) -> list[dict[str, Any]]:
    """What was kept by a reading that went well."""
    assert availability.refresh()
    return listed()


def test_a_list_that_times_out(box: SandboxProcess, before: list[dict[str, Any]]) -> None:
    box.fault("hang", "jurisdictions", seconds=5, count=None)
    with later(hours=13):
        assert not availability.refresh_if_due()
        assert listed() == before
        box.api("DELETE", "faults")
        assert availability.refresh_if_due()
    assert listed() == before


def waits_for_a_lock() -> bool:
    """Whether somebody else's statement waits for what we hold."""
    with connection.cursor() as cursor:
        # Not by pg_stat_activity: within a transaction it goes on telling who was there at the first look.
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return bool(cursor.fetchone()[0])


def in_the_call(box: SandboxProcess) -> Callable[[], bool]:
    box.fault("hang", "jurisdictions", seconds=60)
    return lambda: not box.state()["faults"]


def in_the_writing(box: SandboxProcess) -> Callable[[], bool]:
    # Of the last row: what comes before it is written by then, and must not stay.
    JurisdictionReading.objects.select_for_update().order_by("country", "state").last()
    return waits_for_a_lock


@pytest.mark.parametrize("reached", [in_the_call, in_the_writing])
def test_a_process_killed_in_the_midst_of_the_list(
    box: SandboxProcess,
    before: list[dict[str, Any]],
    reached: Callable[[SandboxProcess], Callable[[], bool]],
) -> None:
    # What is kept differs from what the killed process would write.
    JurisdictionReading.objects.update(orders={"BTC": "OPEN"})
    kept = listed()
    with transaction.atomic():
        arrived = reached(box)
        with worker(box, REFRESH):
            wait_for(arrived)
    assert listed() == kept
    box.api("DELETE", "faults")
    assert availability.refresh()
    assert listed() == before
