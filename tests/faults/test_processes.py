"""Bad days of the real processes: killed under load, cut off from the database, without a broker, stormed.

The house is started once and the tests follow one another in it; each has customers of its own.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import requests
from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet, Sum
from pytest_django import DjangoDbBlocker

from onboarding.models import Application, ProviderAccount
from portal import heartbeat
from portal.models import MailMessage, OutboundCall, StatusChange
from portal.models.heartbeat import Heartbeat
from portal.run import testenv
from portal.run.broker import libpq
from portal.run.prepare import install_queues
from providers.models import ExpectedEvent, InboundEvent
from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.database import empty_tables
from tests.faults.parts import (
    LEASES_OVER,
    Browser,
    Parts,
    Web,
    broker_url,
    children_of,
    empty_broker,
    free_port,
    silent_redis,
)
from tests.faults.way import assert_opened_once, call_of, exchanges, wait_for
from tests.flow import complete_draft
from tests.people import make_customer_user
from tests.sandboxed import environment, test_database_url

Verdict = Application.Status
Event = InboundEvent.Status


class House:
    """A web, a worker, beat and a sandbox that decides after a moment and sends its webhooks to that web."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.webhooks = f"http://127.0.0.1:{port}/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/"
        self.box = testing.start(self.webhooks, webhook_delay=0.3, webhook_backoff=0.3, webhook_attempts=100)
        self.parts = Parts(folder, environment(self.box, BROKER_URL=broker_url()))
        self.web = self.parts.web(port)
        self.background_up()
        self.parts.wait(self.web)

    def background_up(self, *, later: float = 0.0) -> None:
        """Start a worker and beat; `later`: with a clock moved on by so many seconds more."""
        self.parts.later += later
        self.beat, self.worker = self.parts.beat(), self.parts.worker()
        self.parts.wait(self.beat, self.worker)

    def background_down(self) -> None:
        """Kill both."""
        for part in (self.beat, self.worker):
            self.parts.kill(part)

    def more_calls(self, number: int) -> None:
        """Wait until the sandbox has answered so many further calls."""
        before = len(exchanges(self.box, "save_account"))
        wait_for(lambda: len(exchanges(self.box, "save_account")) >= before + number)


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's, for all tests of this module together: the house is at work between them, too."""
    with django_db_blocker.unblock():
        yield
        empty_tables()


@pytest.fixture(scope="module")
def shared_house(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if broker_url().startswith("pgmq"):
        install_queues(test_database_url())
    empty_broker()
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.parts.stop()
    made.box.stop(hard=True)


@pytest.fixture
def house(shared_house: House) -> Iterator[House]:
    """The house with no faults in it."""
    yield shared_house
    shared_house.box.api("DELETE", "faults")


def drafts(number: int) -> list[Application]:
    """So many customers, each with an application that only has to be handed in."""
    return [complete_draft(make_customer_user()) for _ in range(number)]


def hand_in_all(web: Web, applications: list[Application]) -> threading.Thread:
    """Customers press the button one after the other, each again until the page comes."""
    browsers = [Browser(web, application) for application in applications]

    def press() -> None:
        for browser in browsers:
            wait_for(lambda browser=browser: browser.hand_in() == 302)

    crowd = threading.Thread(target=press, daemon=True)
    crowd.start()
    return crowd


def ids(applications: list[Application]) -> list[object]:
    return [application.pk for application in applications]


def calls_of(applications: list[Application]) -> QuerySet[OutboundCall]:
    accounts = ProviderAccount.objects.filter(application__in=ids(applications))
    return OutboundCall.objects.filter(subject_id__in=accounts.values("pk"))


def wait_until_open(applications: list[Application]) -> None:
    """Every account is open and every call is over."""
    decided = Application.objects.filter(pk__in=ids(applications), status=Verdict.APPROVED)
    wait_for(lambda: decided.count() == len(applications), every=0.1)
    # A webhook may come before the answer to the call, and after one that was lost.
    unfinished = calls_of(applications).exclude(status__in=OutboundCall.FINAL)
    wait_for(lambda: not unfinished.exists(), every=0.1)


def assert_nothing_lost_or_doubled(box: SandboxProcess, applications: list[Application]) -> None:
    """One account each, no call that no attempt accounts for, no other body in a repeat, each event done once."""
    for application in applications:
        assert_opened_once(box, application)
    references = {application.reference for application in applications}
    # Of one whose sender was killed in the middle of it the sandbox has no body.
    sent = [call["body"] for call in exchanges(box, "save_account") if call["body"]]
    sent = [body for body in sent if body["clientAccountId"] in references]
    attempts = calls_of(applications).aggregate(all=Sum("attempts"))["all"]
    assert len(applications) <= len(sent) <= attempts
    assert len({str(body) for body in sent}) == len(applications)
    events = InboundEvent.objects.filter(party_ref__in=references)
    # One that comes after the poll has read the same changes nothing any more.
    done = events.filter(status__in=(Event.PROCESSED, Event.IGNORED), attempts=1)
    assert done.count() == events.count() == len(applications)
    assert StatusChange.objects.filter(subject_id__in=events.values("pk")).count() == len(applications)


# --- A storm ------------------------------------------------------------------------------------------------


def test_a_storm_of_webhooks(house: House) -> None:
    applications = drafts(5)
    house.box.fault("webhook_lost", "PARTY_EVENT", count=None)
    hand_in_all(house.web, applications).join(20)
    received = Application.objects.filter(pk__in=ids(applications), status=Verdict.RECEIVED)
    wait_for(lambda: received.count() == len(applications), every=0.1)

    known = [application.reference for application in applications]
    bodies = [_event(number, known[number] if number < len(known) else "nobody") for number in range(400)]
    load = bodies + bodies[::2] + bodies[:100]
    answers = _deliver(house.webhooks, load)
    assert {status for status, _ in answers} == {200}
    slowest = max(seconds for _, seconds in answers)
    assert slowest < 5, slowest

    events = InboundEvent.objects.all()
    assert events.count() == len(bodies)
    assert events.aggregate(all=Sum("deliveries"))["all"] == len(load)
    wait_for(lambda: not events.filter(status=Event.RECEIVED).exists(), every=0.1)
    nobodys = len(bodies) - len(known)
    found = Counter(events.values_list("status", "attempts"))
    assert found == {(Event.PROCESSED, 1): len(known), (Event.QUARANTINED, 1): nobodys}
    assert StatusChange.objects.filter(subject_id__in=events.values("pk")).count() == len(bodies)
    assert_nothing_lost_or_doubled(house.box, applications)


def _event(number: int, reference: str) -> bytes:
    return json.dumps(
        {
            "requestId": f"0b1f6f0e-0000-4000-8000-{number:012}",
            "partnerPartyRef": reference,
            "partnerWebhookType": "PARTY_EVENT",
            "partyStatus": "ACTIVE",
            "reasonCode": "ENROLLMENT",
        }
    ).encode()


def _deliver(address: str, bodies: list[bytes]) -> list[tuple[int, float]]:
    """Each body posted by one of eight threads: status and seconds."""
    local = threading.local()

    def post(body: bytes) -> tuple[int, float]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.trust_env = False
        began = time.monotonic()
        return local.session.post(address, data=body, timeout=30).status_code, time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(post, bodies))


# --- Killed in mid-request ----------------------------------------------------------------------------------


def written(application: Application) -> dict[str, int]:
    """How many rows each part of handing in has left."""
    account = ProviderAccount.objects.filter(application=application)
    owned = account.values("pk")
    return {
        "submitted": StatusChange.objects.filter(subject_id=application.pk, new=Verdict.SUBMITTED).count(),
        "accounts": account.count(),
        "calls": OutboundCall.objects.filter(subject_id__in=owned).count(),
        "expected": ExpectedEvent.objects.filter(subject_id__in=owned).count(),
        "letters": MailMessage.objects.count(),
    }


def waiting_for_a_lock() -> list[int]:
    """The database sessions that wait for somebody's lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO%%mail%%'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def test_web_killed_before_the_commit_of_a_submission(house: House) -> None:
    (application,) = drafts(1)
    before = written(application)
    browser = Browser(house.web, application)
    # The letter is the last thing a submission writes: everything else is there, and not committed.
    with psycopg.connect(libpq(test_database_url())) as other, ThreadPoolExecutor(1) as pool:
        other.execute(f"LOCK TABLE {MailMessage._meta.db_table} IN EXCLUSIVE MODE".encode())
        answer = pool.submit(browser.hand_in)
        wait_for(waiting_for_a_lock)
        house.web.kill_workers()
        assert answer.result(20) == 0
    wait_for(lambda: not waiting_for_a_lock())
    assert written(application) == before
    assert Application.objects.get(pk=application.pk).status == Verdict.DRAFT

    assert wait_for(browser.hand_in) == 302
    wait_until_open([application])
    assert_nothing_lost_or_doubled(house.box, [application])


def background(web: Web) -> str:
    """What /readyz says of beat and the workers."""
    answer = requests.get(f"{web.url}/readyz", timeout=20)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["checks"]["background"])


def test_no_beat_and_a_broker_that_says_nothing(house: House) -> None:
    """Web is killed between the commit and the answer, too; then beat comes back and catches up."""
    wait_for(lambda: not heartbeat.silent())
    wait_for(heartbeat.workers)
    assert background(house.web) == "ok"
    applications = drafts(4)
    first, *others = applications
    house.parts.kill(house.beat)
    with silent_redis() as address, ThreadPoolExecutor(1) as pool:
        web = house.parts.web(free_port(), BROKER_URL=address)
        house.parts.wait(web)
        browser = Browser(web, first)
        answer = pool.submit(browser.hand_in)
        # Committed; the request now waits for the broker.
        wait_for(calls_of([first]).exists, every=0.005)
        web.kill_workers()
        assert answer.result(20) == 0
        whole = written(first)
        assert whole == {
            "submitted": 1,
            "accounts": 1,
            "calls": 1,
            "expected": 1,
            "letters": whole["letters"],
        }

        assert wait_for(browser.hand_in) == 302
        assert written(first) == whole
        for application in others:
            began = time.monotonic()
            assert Browser(web, application).hand_in() == 302
            assert time.monotonic() - began < 8
        ready = requests.get(f"{web.url}/readyz", timeout=20)
        assert (ready.status_code, ready.json()["checks"]["broker"]) == (200, "OperationalError")
        house.parts.kill(web)

    # Three quarters of a minute pass: for these rows alone, since nobody else need wait for it.
    Heartbeat.objects.update(at=F("at") - heartbeat.FRESH - timedelta(seconds=1))
    assert background(house.web) == "not seen lately"
    assert {call_of(application).status for application in applications} == {OutboundCall.Status.QUEUED}
    house.beat = house.parts.beat()
    wait_until_open(applications)
    assert_nothing_lost_or_doubled(house.box, applications)
    wait_for(lambda: background(house.web) == "ok", every=0.2)


# --- Killed under load, and cut off -------------------------------------------------------------------------


def test_workers_killed_under_load(house: House) -> None:
    applications = drafts(14)
    # Slow enough that calls are under way whenever somebody is killed.
    house.box.fault("delay", "save_account", seconds=0.3, count=None)
    crowd = hand_in_all(house.web, applications)

    house.more_calls(2)
    house.parts.kill(house.worker)
    house.worker = house.parts.worker()
    house.parts.wait(house.worker)
    house.more_calls(2)
    os.kill(children_of(house.worker)[0], 9)
    house.more_calls(1)
    house.parts.kill(house.beat)
    # Its children find out by themselves.
    house.parts.kill(house.worker, alone=True)
    crowd.join(20)
    hit = calls_of(applications).filter(status=OutboundCall.Status.SENDING)
    assert hit.exists(), "nobody was killed in the middle of something"

    house.background_up(later=LEASES_OVER)
    wait_until_open(applications)
    assert_nothing_lost_or_doubled(house.box, applications)


def cut_connections() -> int:
    """End every session of this database but our own, whatever it is in the middle of; how many they were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_database_connections_cut_in_mid_transaction(house: House) -> None:
    applications = drafts(12)
    house.box.fault("delay", "save_account", seconds=0.1, count=None)
    crowd = hand_in_all(house.web, applications)
    cut = 0
    for _ in range(5):
        house.more_calls(1)
        cut += cut_connections()
    assert cut >= 10
    if testenv.server is not None and "PYTEST_XDIST_WORKER" not in os.environ:
        connection.close()
        testenv.server.stop()
        # Everybody meets a database that is not there.
        time.sleep(1)
        testenv.server.start()
    crowd.join(30)
    for part in (house.web, house.worker, house.beat):
        assert part.process is not None
        assert part.process.poll() is None, f"{part.name} did not survive it"
    # What went with its connection is told as that, not as a fault of ours.
    assert "has no attribute '_get_pgmq_client'" not in house.worker.log.read_text()

    house.background_down()
    house.background_up(later=LEASES_OVER)
    wait_until_open(applications)
    assert_nothing_lost_or_doubled(house.box, applications)
