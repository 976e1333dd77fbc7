"""The outbox: written with the change, repeated with the same key only while the outcome is unknown."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction

from portal import clock, doorbell, outbox
from portal.errors import Conflict
from portal.models import OutboundCall, StatusChange, User
from portal.outbox import Misconfigured, NotSent, Outcome, Refused, Succeeded, Unknown

pytestmark = pytest.mark.django_db
Status = OutboundCall.Status


class Scripted:
    """A handler that answers from a list and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Outcome] = []
        self.sent: list[tuple[str, Any]] = []
        self.recorded: list[Outcome] = []
        self.given_up = 0

    def send(self, call: OutboundCall) -> Outcome:
        self.sent.append((call.idempotency_key, call.body.reveal()))
        return self.answers.pop(0) if self.answers else Succeeded({"id": "x"})

    def record(self, call: OutboundCall, outcome: Succeeded | Refused) -> None:
        self.recorded.append(outcome)

    def gave_up(self, call: OutboundCall) -> None:
        self.given_up += 1


@pytest.fixture
def handler() -> Iterator[Scripted]:
    scripted = Scripted()
    outbox.register("test.call", scripted)
    yield scripted
    del outbox._handlers["test.call"]


def enqueue(user: User) -> OutboundCall:
    with transaction.atomic():
        return outbox.enqueue(operation="test.call", subject=user, body={"amount": "1.00"}, actor=user)


def again(call: OutboundCall) -> OutboundCall:
    return OutboundCall.objects.get(pk=call.pk)


@pytest.mark.django_db(transaction=True)
def test_a_call_is_written_only_inside_a_transaction(customer_user: User) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        outbox.enqueue(operation="test.call", subject=customer_user, body={}, actor=None)


def test_success_is_recorded_once_and_final(handler: Scripted, customer_user: User) -> None:
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    outbox.perform(call.pk)
    assert again(call).status == Status.SUCCEEDED
    assert again(call).answer == {"id": "x"}
    assert len(handler.sent) == 1
    assert len(handler.recorded) == 1


def test_a_refusal_is_final_with_its_fields(handler: Scripted, customer_user: User) -> None:
    handler.answers = [Refused("422", [{"code": 1, "field": "owners[0].role", "message": "no"}])]
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    assert again(call).status == Status.REJECTED
    assert again(call).problem_fields[0]["field"] == "owners[0].role"
    with time_machine.travel(clock.now() + timedelta(days=2)):
        assert outbox.due_ids() == []


def test_an_unknown_outcome_is_repeated_with_the_same_key_and_bytes(
    handler: Scripted, customer_user: User
) -> None:
    handler.answers = [Unknown("timeout"), Unknown("500"), Succeeded()]
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    assert again(call).status == Status.UNKNOWN
    outbox.perform(call.pk)
    assert len(handler.sent) == 1, "it waits before it is repeated"
    for hours in (1, 2):
        with time_machine.travel(clock.now() + timedelta(hours=hours)):
            outbox.perform(call.pk)
    assert again(call).status == Status.SUCCEEDED
    assert len(set(map(str, handler.sent))) == 1
    assert len(handler.sent) == 3


@pytest.mark.parametrize("outcome", [NotSent("no connection"), Misconfigured("401")])
def test_what_had_no_effect_goes_back_to_the_queue(
    handler: Scripted, customer_user: User, outcome: Outcome
) -> None:
    handler.answers = [outcome]
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    assert again(call).status == Status.QUEUED
    assert again(call).next_attempt_at > clock.now()


def test_busy_waits_at_least_as_long_as_asked(handler: Scripted, customer_user: User) -> None:
    handler.answers = [NotSent("429", timedelta(minutes=40))]
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    assert again(call).next_attempt_at >= clock.now() + timedelta(minutes=39)


def test_a_call_of_a_worker_that_died_is_taken_up_again(handler: Scripted, customer_user: User) -> None:
    call = enqueue(customer_user)
    claimed = outbox._claim(call.pk)
    assert claimed is not None
    outbox.perform(call.pk)
    assert handler.sent == [], "the lease holds"
    with time_machine.travel(clock.now() + outbox.LEASE + timedelta(seconds=1)):
        assert outbox.due_ids() == [call.pk]
        outbox.perform(call.pk)
    assert again(call).status == Status.SUCCEEDED
    assert handler.sent[0][0] == claimed.idempotency_key
    assert StatusChange.objects.filter(subject_id=call.pk, new=Status.UNKNOWN).count() == 1


def test_a_key_the_provider_may_have_forgotten_is_never_sent_again(
    handler: Scripted, customer_user: User
) -> None:
    handler.answers = [Unknown("timeout")]
    call = enqueue(customer_user)
    outbox.perform(call.pk)
    with time_machine.travel(clock.now() + timedelta(days=9, hours=1)):
        outbox.perform(call.pk)
        assert again(call).status == Status.NEEDS_PERSON
        assert outbox.due_ids() == []
    assert len(handler.sent) == 1
    assert handler.given_up == 1


def test_a_person_sends_again_under_a_new_key(handler: Scripted, customer_user: User, staff: Any) -> None:
    handler.answers = [Unknown("timeout")]
    call = enqueue(customer_user)
    manager = staff("compliance_manager")
    with pytest.raises(Conflict):
        outbox.retry_by_person(actor=manager, call_id=call.pk, reason="looked it up")
    outbox.perform(call.pk)
    with time_machine.travel(clock.now() + timedelta(days=10)):
        outbox.perform(call.pk)
        outbox.retry_by_person(actor=manager, call_id=call.pk, reason="looked it up")
        outbox.perform(call.pk)
    assert again(call).status == Status.SUCCEEDED
    assert handler.sent[0][0] != handler.sent[1][0]


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_one_call_once(handler: Scripted, customer_user: User) -> None:
    call = enqueue(customer_user)
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        try:
            outbox.perform(call.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(handler.sent) == 1
    assert again(call).status == Status.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_the_sweeper_hands_each_due_call_out_once_per_half_minute(
    handler: Scripted, customer_user: User
) -> None:
    calls = {enqueue(customer_user).pk for _ in range(3)}
    assert set(outbox.sweep()) == calls
    assert outbox.sweep() == []
    with time_machine.travel(clock.now() + timedelta(seconds=31)):
        assert set(outbox.sweep()) == calls


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_loses_nothing(
    handler: Scripted, customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("broker is gone")

    # The broker is the outside world here; everything of ours runs for real.
    monkeypatch.setattr("celery.current_app.send_task", refuse)
    monkeypatch.setattr(doorbell, "_silent_until", 0.0)
    call = enqueue(customer_user)
    monkeypatch.undo()
    assert outbox.due_ids() == [call.pk]
    outbox.perform(call.pk)
    assert again(call).status == Status.SUCCEEDED
