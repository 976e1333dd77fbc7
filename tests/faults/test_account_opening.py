"""Opening one account under every fault of its call: it ends with exactly one account, and nobody is told twice."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from onboarding.models import Application, ProviderAccount
from portal import clock, outbox
from portal.models import OutboundCall, User
from providers.models import CallLog, HostCircuit
from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.faults.matrix import FAULTS, Row, table_of
from tests.faults.way import (
    LEASE_OVER,
    account_of,
    assert_opened_once,
    at_once,
    at_sandbox,
    call_of,
    deliver,
    exchanges,
    later,
    until_finished,
    wait_for,
)
from tests.flow import drain, submitted
from tests.people import make_customer_user
from tests.sandboxed import environment, point_at

Status = OutboundCall.Status
Verdict = Application.Status

#: Each twice; a refused token is tried once more within one attempt, hence twice as many.
TWICE = {name: fault | {"count": 4 if name == "401" else 2} for name, fault in FAULTS.items()}
#: What the row says after the first attempt. Unknown means that the provider may have acted.
AFTER_FIRST = {
    "time-out": Status.UNKNOWN,
    "reset": Status.UNKNOWN,
    "500": Status.UNKNOWN,
    "502 HTML": Status.UNKNOWN,
    "401": Status.QUEUED,
    "403": Status.QUEUED,
    "409": Status.UNKNOWN,
    "429": Status.QUEUED,
    "200 nonsense": Status.UNKNOWN,
}


table = table_of("fault", "effect", "sent", "acknowledged", "done", "lost", "doubled", "tries")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_account_call(
    box: SandboxProcess, customer_user: User, table: list[Row], name: str, when: str
) -> None:
    application = submitted(customer_user)
    box.fault(operation="save_account", after_effect=when == "after", **TWICE[name])
    began = clock.now()
    outbox.perform(call_of(application).pk)

    call = call_of(application)
    took_effect = when == "after"
    assert len(at_sandbox(box, application)) == took_effect
    # A conflict is cleared up by reading: when the account is there, that is the answer.
    if name == "409" and took_effect:
        assert call.status == Status.SUCCEEDED
    else:
        assert call.status == AFTER_FIRST[name]
        assert call.next_attempt_at > began
        assert account_of(application).application.status == Verdict.SUBMITTED
    if name == "429":
        assert call.next_attempt_at >= began + timedelta(seconds=90)

    until_finished(application)
    deliver(box)
    assert_opened_once(box, application)
    assert box.state()["faults"] == [] or name == "409"
    bodies = {str(entry["body"]) for entry in exchanges(box, "save_account")}
    assert len(bodies) == 1, "a repeat sent another body"
    accounts, done = len(at_sandbox(box, application)), int(account_of(application).status == "active")
    tries = call_of(application).attempts
    table.append((name, when, 1, 1, done, 1 - done, accounts - 1, tries))


@pytest.mark.parametrize(
    ("kind", "after_effect"), [("hang", True), ("delay", False)], ids=["after effect", "before effect"]
)
def test_a_worker_killed_before_it_could_record(
    box: SandboxProcess, customer_user: User, kind: str, after_effect: bool
) -> None:
    application = submitted(customer_user)
    call = call_of(application)
    box.fault(kind, "save_account", seconds=60, after_effect=after_effect)
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.perform", str(call.pk)],
        env=environment(box),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # The fault is counted down when the call has arrived.
        wait_for(lambda: not box.state()["faults"])
        if after_effect:
            wait_for(lambda: at_sandbox(box, application))
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(5)
    assert call_of(application).status == Status.SENDING
    assert len(at_sandbox(box, application)) == after_effect

    # While the lease runs, nobody else sends: the worker might be alive.
    drain()
    outbox.perform(call.pk)
    assert (call_of(application).status, call_of(application).attempts) == (Status.SENDING, 1)
    with time_machine.travel(clock.now() + LEASE_OVER):
        assert call.pk in outbox.sweep()
        drain()
    assert (call_of(application).status, call_of(application).attempts) == (Status.SUCCEEDED, 2)
    # The first request, if it still waits over there, takes effect only now.
    box.api("DELETE", "faults")
    wait_for(lambda: len(exchanges(box, "save_account")) == 2)
    deliver(box)
    assert_opened_once(box, application)


def test_two_workers_on_one_call_send_once(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    call = call_of(application)
    at_once(*[lambda: outbox.perform(call.pk)] * 4)
    assert len(exchanges(box, "save_account")) == 1
    assert (call_of(application).status, call_of(application).attempts) == (Status.SUCCEEDED, 1)


def test_a_token_revoked_in_mid_flight(box: SandboxProcess, customer_user: User) -> None:
    first = submitted(make_customer_user())
    drain()
    application = submitted(customer_user)
    box.fault("delay", "save_account", seconds=0.4)

    def revoke() -> None:
        wait_for(lambda: not box.state()["faults"])
        box.api("POST", "tokens/revoke")

    at_once(revoke, lambda: outbox.perform(call_of(application).pk))
    assert (call_of(application).status, call_of(application).attempts) == (Status.SUCCEEDED, 1)
    told = CallLog.objects.filter(subject_id=account_of(application).pk, operation="bakkt.save_account")
    assert list(told.order_by("at").values_list("status", flat=True)) == [401, 200]
    assert len(exchanges(box, "login")) == 2
    deliver(box)
    for one in (first, application):
        assert_opened_once(box, one)


def test_the_provider_down_for_an_hour(
    box: SandboxProcess, settings: Any, tmp_path: Any, live_server: Any
) -> None:
    address = f"{live_server.url}/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/"
    state = tmp_path / "state.json"
    other = testing.start(address, webhook_delay=500, state_file=state)
    try:
        point_at(settings, other.url)
        early = submitted(make_customer_user())
        drain()
        assert account_of(early).application.status == Verdict.RECEIVED
        other.stop(hard=True)

        waiting = [submitted(make_customer_user()) for _ in range(6)]
        began = clock.now()
        for minutes in range(0, 60, 12):
            with time_machine.travel(began + timedelta(minutes=minutes)):
                drain()
        for application in waiting:
            assert call_of(application).status == Status.QUEUED
            assert account_of(application).application.status == Verdict.SUBMITTED
        circuit = HostCircuit.objects.get()
        assert circuit.open_until is not None
        # The circuit spares a host that is down: five refusals open it, then one probe at a time.
        assert CallLog.objects.filter(outcome="not_sent").count() <= 5 + 5

        port = int(other.url.rpartition(":")[2])
        other = testing.start(address, webhook_delay=500, state_file=state, port=port)
        for minutes in (62, 78, 94):
            with time_machine.travel(began + timedelta(minutes=minutes)):
                drain()
        assert HostCircuit.objects.get().open_until is None
        with later(minutes=95):
            deliver(other)
        for application in (early, *waiting):
            assert_opened_once(other, application)
        assert len(other.state()["accounts"]) == 7
    finally:
        other.stop(hard=other.process.poll() is None)


def test_the_broker_emptied(box: SandboxProcess) -> None:
    from celery import current_app

    from portal.celery import QUEUES
    from providers import inbox

    def empty() -> int:
        with current_app.connection() as link:
            return sum(link.default_channel.queue_purge(name) or 0 for name in QUEUES)

    empty()
    applications = [submitted(make_customer_user()) for _ in range(5)]
    assert empty() >= 5
    found = outbox.sweep()
    assert {call_of(application).pk for application in applications} == set(found)
    for call_id in found:
        outbox.perform(call_id)
    assert outbox.sweep() == []

    assert box.flush() == 0
    empty()
    assert inbox.process_due() == 5
    assert inbox.process_due() == 0
    for application in applications:
        assert_opened_once(box, application)
    assert ProviderAccount.objects.count() == len(box.state()["accounts"]) == 5
