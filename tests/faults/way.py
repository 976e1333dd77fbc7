"""Steps of the way that the fault tests share, and what must hold at its end."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import time_machine
from django.db import connection

from onboarding import jobs
from onboarding.models import Application, ProviderAccount
from portal import clock
from portal.models import MailMessage, OutboundCall, StatusChange
from providers import expected
from sandbox.testing import SandboxProcess
from tests.flow import drain

T = TypeVar("T")
Account = ProviderAccount.Status
Verdict = Application.Status
LEASE_OVER = timedelta(seconds=121)


@contextmanager
def later(**by: float) -> Iterator[None]:
    """The portal's clock moved on; the sandbox's stays."""
    with time_machine.travel(clock.now() + timedelta(**by)):
        yield


def account_of(application: Application) -> ProviderAccount:
    """The application's account as it is now, the application with it."""
    return ProviderAccount.objects.select_related("application").get(application=application)


def call_of(application: Application) -> OutboundCall:
    return OutboundCall.objects.get(subject_id=account_of(application).pk)


def at_sandbox(box: SandboxProcess, application: Application) -> list[dict[str, Any]]:
    """The sandbox's accounts under the application's reference."""
    return [found for found in box.state()["accounts"] if found["clientAccountId"] == application.reference]


def exchanges(box: SandboxProcess, operation: str) -> list[dict[str, Any]]:
    """The sandbox's log of one kind of call."""
    return [entry for entry in box.state()["requests"] if entry["operation"] == operation]


def until_finished(application: Application, *, step: timedelta = timedelta(minutes=6), most: int = 8) -> int:
    """Move the clock on and let workers work until the call is finished; returns how many moves it took."""
    moment = clock.now()
    for moves in range(most):
        with time_machine.travel(moment + step * moves):
            drain()
        if call_of(application).status in OutboundCall.FINAL:
            return moves
    raise AssertionError(f"the call is still {call_of(application).status} after {most} moves of {step}")


def deliver(box: SandboxProcess) -> None:
    """The sandbox's next outcome of every account, sent and processed."""
    assert box.flush() == 0, "the sandbox could not deliver"
    drain()


def read_back(*applications: Application) -> None:
    """What the poll does for accounts that are due."""
    for application in applications:
        jobs.account_read(account_of(application).pk)


def look_for_late() -> int:
    """What the beat does about answers that did not come."""
    return expected.sweep()


def assert_opened_once(box: SandboxProcess, application: Application) -> None:
    """One account there, one account active here, one change of status to it, one letter about it."""
    account = account_of(application)
    assert len(at_sandbox(box, application)) == 1
    assert account.status == Account.ACTIVE
    assert account.application.status == Verdict.APPROVED
    assert account.provider_id == at_sandbox(box, application)[0]["id"]
    became_active = StatusChange.objects.filter(subject_id=account.pk, new=Account.ACTIVE)
    assert became_active.count() == 1
    approved = StatusChange.objects.filter(subject_id=application.pk, new=Verdict.APPROVED)
    assert approved.count() == 1
    owner = account.application.customer.user.email
    letters = MailMessage.objects.filter(subject="Your account is open")
    assert [letter.content.reveal()["to"] for letter in letters].count([owner]) == 1
    assert OutboundCall.objects.filter(subject_id=account.pk).count() == 1


def wait_for(what: Callable[[], Any], *, seconds: float = 120.0, every: float = 0.03) -> Any:
    """What `what` answers as soon as it is truthy; fails when it is not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(every)
    raise AssertionError("it did not happen in time")


def at_once(*tasks: Callable[[], T]) -> list[T]:
    """Run the tasks in threads that start together; each thread's database connection is closed."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], T]) -> T:
        start.wait(10)
        try:
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))
