"""How workers learn of webhooks: a lone one at once, ten together, and none for ever when a wake is lost."""

import json
import threading
from queue import Empty, SimpleQueue
from typing import Any

import pytest
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from portal.celery import app
from portal.models import User
from portal.waker import Waker
from providers import inbox, tasks
from providers.models import InboundEvent
from tests.people import make_customer_user
from tests.providers.inbox_support import Renamer, handling, post, stored

pytestmark = pytest.mark.django_db(transaction=True)
#: Far longer than anything takes here; reached only by a test that fails.
SOON = 20.0
Status = InboundEvent.Status


class Broker:
    """Takes what is sent to it, while `open` is set."""

    def __init__(self) -> None:
        self.taken: SimpleQueue[str] = SimpleQueue()
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.open = threading.Event()
        self.open.set()

    def send_task(self, name: str, *, queue: str, expires: int) -> None:
        assert (queue, expires) == ("webhooks", 60)
        self.asked.put(name)
        assert self.open.wait(SOON)
        self.taken.put(name)

    def work(self, *, soon: float = SOON) -> int:
        """Do what one worker does with the next message; returns how many events it took up."""
        assert self.taken.get(timeout=soon) == tasks.inbox_process.name
        return inbox.process_due()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    """The outside world of this test, and a waker that nobody asked before."""
    found = Broker()
    monkeypatch.setattr(current_app, "send_task", found.send_task)
    monkeypatch.setattr(inbox, "_waker", Waker(inbox._send_wake, pause=0.01))
    return found


def renaming(user: User, name: str) -> bytes:
    return json.dumps({"ref": user.email, "name": name}).encode()


def statuses() -> set[str]:
    return set(InboundEvent.objects.values_list("status", flat=True))


def test_a_lone_webhook_wakes_a_worker_at_once(settings: Any, broker: Broker, customer_user: User) -> None:
    with handling(Renamer()):
        assert post(settings, renaming(customer_user, "Alone")).status_code == 200
        assert broker.work() == 1
    assert statuses() == {Status.PROCESSED}


def test_ten_that_come_while_a_wake_is_on_its_way_are_processed_by_it(settings: Any, broker: Broker) -> None:
    people = [make_customer_user() for _ in range(10)]
    broker.open.clear()
    with handling(Renamer()):
        for person in people:
            # Answered, although the broker has not even taken the first message.
            assert post(settings, renaming(person, "Ten")).status_code == 200
        broker.open.set()
        assert broker.work() == 10
        # The one for those who came while it was sent finds nothing left, and there is no third.
        assert broker.work() == 0
        with pytest.raises(Empty):
            broker.work(soon=0.2)
    assert set(
        User.objects.filter(pk__in=[person.pk for person in people]).values_list("name", flat=True)
    ) == {"Ten"}


def test_one_that_comes_after_the_worker_looked_is_told_of_by_another_wake(
    settings: Any, broker: Broker, customer_user: User
) -> None:
    with handling(Renamer()):
        post(settings, renaming(customer_user, "First"))
        assert broker.work() == 1
        post(settings, renaming(customer_user, "Second"))
        assert broker.work() == 1
    assert statuses() == {Status.PROCESSED}


def test_nobody_is_woken_for_what_is_not_committed_or_was_there_already(
    settings: Any, broker: Broker, customer_user: User
) -> None:
    with handling(Renamer()):
        with transaction.atomic():
            stored({"ref": customer_user.email, "name": "Rolled back"})
            transaction.set_rollback(True)
        assert broker.asked.empty()
        post(settings, renaming(customer_user, "Twice"))
        broker.work()
        post(settings, renaming(customer_user, "Twice"))
        with pytest.raises(Empty):
            broker.work(soon=0.2)


def test_a_backlog_calls_for_help_and_is_worked_off(broker: Broker) -> None:
    people = [make_customer_user() for _ in range(inbox.BATCH + 3)]
    for person in people:
        stored({"ref": person.email, "name": "Many"})
    with pytest.raises(Empty):
        while True:
            broker.taken.get(timeout=0.2)
    with handling(Renamer()):
        # More than a batch: the worker wakes another one, then goes on itself.
        assert inbox.process_due() == len(people)
        assert broker.work() == 0
    assert statuses() == {Status.PROCESSED}


def test_a_lost_wake_costs_seconds_and_not_the_event(
    settings: Any, broker: Broker, customer_user: User
) -> None:
    with handling(Renamer()):
        post(settings, renaming(customer_user, "Lost"))
        broker.taken.get(timeout=SOON)  # The broker forgets it: no worker ever hears of it.
        assert statuses() == {Status.RECEIVED}
        entry = app.conf.beat_schedule["inbox-process"]
        assert (entry["task"], entry["options"]["queue"]) == (tasks.inbox_process.name, "webhooks")
        assert entry["schedule"] <= 5
        tasks.inbox_process()
    assert statuses() == {Status.PROCESSED}


def test_a_dead_broker_costs_no_webhook_and_no_time(
    settings: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: SimpleQueue[str] = SimpleQueue()

    def refuse(name: str, **_: Any) -> None:
        tries.put(name)
        raise OperationalError("Error 111 connecting to broker")

    monkeypatch.setattr(current_app, "send_task", refuse)
    for number in range(5):
        assert post(settings, b'{"requestId": "%d"}' % number).status_code == 200
    tries.get(timeout=SOON)
    # The refusal is remembered: the broker is left alone for a while.
    with pytest.raises(Empty):
        tries.get(timeout=0.2)
    assert statuses() == {Status.RECEIVED}
    assert inbox.process_due() == 5
