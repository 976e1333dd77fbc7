"""Each worker process says that its loop goes round: one that hangs among several shows, one that ended does not."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery.worker.consumer.consumer import Consumer
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from kombu import Connection, Producer

from portal import clock, heartbeat
from portal.models import User, WorkerHeartbeat
from portal.queue_transport import Channel, LostReceipt
from portal.run.broker import celery_broker_settings
from portal.run.prepare import install_queues
from portal.worker_life import Life
from tests.sandboxed import test_database_url


class Loop:
    """A worker's loop that goes round when it is told to."""

    hostname = "provider@machine"

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def call_soon(self, p: Callable[[], None]) -> None:
        self.waiting.append(p)

    def round(self) -> None:
        while self.waiting:
            self.waiting.pop()()


def beat_all() -> None:
    for queue in heartbeat.QUEUES:
        heartbeat.beat(queue)


@pytest.mark.django_db
def test_a_loop_that_stands_still_shows_and_one_that_goes_round_does_not(
    client: Client, settings: Any, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    settings.METRICS_TOKEN = ""
    beat_all()
    moment = time.time()
    well, stuck = Life(Loop()), Life(Loop())
    # Of another machine: no process of that number need run here.
    stuck.name = heartbeat.worker_name("bulk@elsewhere", 7)
    for seconds in range(0, 70, 10):
        with time_machine.travel(moment + seconds, tick=False):
            beat_all()
            for life in (well, stuck):
                life.look()
            well.loop.round()  # type: ignore[attr-defined]
    with time_machine.travel(moment + 61, tick=False):
        assert heartbeat.silent_workers() == ["bulk@elsewhere/7"]
        assert client.get("/readyz").json()["checks"]["background"] == "1 worker not seen lately"
        lines = client.get("/metrics").content.decode().splitlines()
        [age] = [line for line in lines if 'worker="bulk@elsewhere/7"' in line]
        assert age.startswith("portal_worker_heartbeat_age_seconds") and float(age.split()[-1]) >= 60
        page = signed_in(staff("auditor")).get(reverse("operations:home")).content.decode()
        assert "A worker hangs" in page and "bulk@elsewhere/7" in page


@pytest.mark.django_db
def test_the_loop_is_asked_once_until_it_answers() -> None:
    loop = Loop()
    life = Life(loop)
    for _ in range(5):
        life.look()
    assert len(loop.waiting) == 1
    loop.round()
    life.look()
    assert len(loop.waiting) == 1


@pytest.mark.django_db
def test_processes_that_are_gone_are_forgotten() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    now = clock.now()
    for name, at in (
        (f"provider@machine/{gone.pid}", now),
        (f"provider@machine/{os.getppid()}", now),
        ("provider@machine/nonsense", now),
        ("other@machine/1", now - heartbeat.FORGOTTEN - timedelta(seconds=1)),
        ("other@machine/2", now - heartbeat.FRESH),
    ):
        WorkerHeartbeat.objects.create(name=name, at=at)
    life = Life(Loop())
    life.look()
    left = {row.name for row in heartbeat.workers()}
    assert left == {
        life.name,
        f"provider@machine/{os.getppid()}",
        "provider@machine/nonsense",
        "other@machine/2",
    }
    heartbeat.worker_gone(life.name)
    assert life.name not in {row.name for row in heartbeat.workers()}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_ends_no_thread() -> None:
    life = Life(Loop())

    def away(*_: Any) -> None:
        # The next look is the last.
        life._over.set()
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        life.run()
    assert not WorkerHeartbeat.objects.exists()
    life.run()
    assert WorkerHeartbeat.objects.count() == 1
    life.end()
    assert not WorkerHeartbeat.objects.exists()


# --- Receipts that are lost with their connection -----------------------------------------------------------


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Any:
    quiet = LostReceipt()
    for name in LostReceipt.LOGGERS:
        logging.getLogger(name).addFilter(quiet)
        caplog.set_level(logging.INFO, name)
    yield caplog
    for name in LostReceipt.LOGGERS:
        logging.getLogger(name).removeFilter(quiet)


def confirm(work: Callable[[], Any]) -> None:
    """What a worker without an event loop does to confirm a task."""
    Consumer.call_soon_ack(type("Synchronous", (), {"hub": None})(), work)


def test_a_receipt_lost_with_its_connection_is_no_error(said: pytest.LogCaptureFixture) -> None:
    closed = Channel.__new__(Channel)
    closed.connection = None
    confirm(lambda: closed.pgmq.delete("queue", 1))
    [record] = said.records
    assert (record.levelname, record.exc_info) == ("INFO", None)
    assert "comes again" in record.getMessage()


def test_every_other_error_of_a_receipt_stays_one(said: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise AttributeError("something else")

    confirm(broken)
    [record] = said.records
    assert record.levelname == "ERROR" and record.exc_info


@pytest.mark.django_db(transaction=True)
def test_a_message_goes_over_a_new_connection_when_the_old_one_was_cut() -> None:
    database = test_database_url()
    install_queues(database)
    settings = celery_broker_settings("pgmq://", database)
    address = {"hostname": settings["broker_url"], "transport_options": settings["broker_transport_options"]}
    with Connection(**address) as reader:
        reader.SimpleQueue("cut_off").clear()
    with Connection(**address) as broker:
        producer = Producer(broker, routing_key="cut_off", auto_declare=False)
        producer.channel.close()
        producer.publish({"kept": True}, retry=True, retry_policy=settings["task_publish_retry_policy"])
    with Connection(**address) as reader:
        assert reader.SimpleQueue("cut_off").get(timeout=5).payload == {"kept": True}
