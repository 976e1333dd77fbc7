"""Liveness, readiness, and what the metrics page tells to whom."""

import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from portal import clock, health, heartbeat, metric_files, metrics
from portal.models import Heartbeat, MailMessage


@pytest.fixture(autouse=True)
def forget_migrations() -> Iterator[None]:
    health._migrations_applied.cache_clear()
    yield
    health._migrations_applied.cache_clear()


def beat_all() -> None:
    for queue in heartbeat.QUEUES:
        heartbeat.beat(queue)


@pytest.fixture
def tokenless(settings: Any) -> Any:
    settings.METRICS_TOKEN = ""
    return settings


def test_healthz_needs_no_database(client: Client) -> None:
    """Without the db mark pytest-django refuses every query."""
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client) -> None:
    beat_all()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {"database": "ok", "migrations": "ok", "broker": "ok", "background": "ok"},
    }
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_readyz_tells_of_a_silent_background_and_stays_ready(client: Client) -> None:
    beat_all()
    with time_machine.travel(clock.now() + heartbeat.FRESH + timedelta(seconds=1), tick=False):
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["background"] == "not seen lately"


@pytest.mark.django_db
def test_readyz_names_the_queues_nobody_takes_tasks_of(client: Client) -> None:
    with time_machine.travel(clock.now() - heartbeat.FRESH - timedelta(seconds=1), tick=False):
        beat_all()
    for queue in ("webhooks", "documents", "bulk"):
        heartbeat.beat(queue)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["background"] == "not seen lately: provider, default"


def test_every_queue_is_sent_its_heartbeat() -> None:
    sent = {
        (entry["options"]["queue"], *entry["args"])
        for entry in current_app.conf.beat_schedule.values()
        if entry["task"] == "portal.tasks.queue_heartbeat"
    }
    assert sent == {(queue.name, queue.name) for queue in current_app.conf.task_queues}


@pytest.mark.django_db
def test_readyz_while_a_migration_is_missing(client: Client) -> None:
    newest = next(leaf for leaf in MigrationLoader(connection).graph.leaf_nodes() if leaf[0] == "portal")
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "pending"
    MigrationRecorder(connection).record_applied(*newest)
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_readyz_while_the_database_is_away(client: Client) -> None:
    def away(*_: Any) -> None:
        raise OperationalError('connection to "db.internal" failed for user "portal"')

    with connection.execute_wrapper(away):
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "OperationalError"
    assert "internal" not in answer.content.decode()


@pytest.mark.django_db
def test_readyz_tells_of_a_broker_that_is_away_and_stays_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://:hunter2@127.0.0.1:1/0")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"]["broker"] == "OperationalError"
    assert "hunter2" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer the-token", 200),
        ("Bearer other", 404),
        ("Bearer é", 404),
        ("", 404),
    ],
)
def test_metrics_take_the_token(client: Client, settings: Any, header: str, status: int) -> None:
    settings.METRICS_TOKEN = "the-token"
    assert client.get("/metrics", headers={"Authorization": header}).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(("production", "status"), [(True, 404), (False, 200)])
def test_metrics_without_a_token(client: Client, tokenless: Any, production: bool, status: int) -> None:
    tokenless.PRODUCTION = production
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == status


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_known_methods(client: Client, tokenless: Any) -> None:
    client.get("/healthz?q=secret")
    client.generic("BREW", "/healthz")
    client.get("/no/such/page-of-ana")
    text = client.get("/metrics").content.decode()
    assert 'portal_requests_total{method="GET",route="healthz",status="200"}' in text
    assert 'method="other",route="healthz"' in text
    assert 'route="unmatched",status="404"' in text
    assert 'portal_request_seconds_count{route="healthz"}' in text
    for leak in ("secret", "BREW", "of-ana"):
        assert leak not in text


@pytest.mark.django_db
def test_gauges_tell_what_waits(client: Client, tokenless: Any) -> None:
    MailMessage.objects.create(content={"a": 1})
    with time_machine.travel(clock.now() - timedelta(seconds=90), tick=False):
        heartbeat.beat("provider")
        Heartbeat.objects.create(name="a part of an earlier release")
    lines = dict(
        line.rsplit(" ", 1)
        for line in client.get("/metrics").content.decode().splitlines()
        if not line.startswith("#")
    )
    assert lines['portal_mail_waiting{kind="mail"}'] == "1.0"
    assert lines['portal_outbox_calls{status="unknown"}'] == "0.0"
    assert lines['portal_inbox_events{status="received"}'] == "0.0"
    assert 85 < float(lines['portal_heartbeat_age_seconds{queue="provider"}']) < 120
    assert sum(line.startswith("portal_heartbeat_age_seconds") for line in lines) == 1
    assert lines["portal_gauges_failed"] == "0.0"


@pytest.mark.django_db
def test_a_gauge_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> dict[str, float]:
        raise OperationalError

    monkeypatch.setattr(metrics, "_gauges", {})
    metrics.register_gauge("portal_broken", "Fails", "x", broken)
    metrics.register_gauge("portal_fine", "Works", "x", lambda: {"a": 3})
    text = metrics.exposition().decode()
    assert 'portal_fine{x="a"} 3.0' in text
    assert "portal_gauges_failed 1.0" in text
    assert "portal_broken{" not in text


def test_several_processes_are_summed(tmp_path: Path) -> None:
    code = (
        "from portal.metrics import REQUESTS, exposition, _gauges; _gauges.clear();"
        "REQUESTS.labels('home', 'GET', 200).inc(2);"
        "print([l for l in exposition().decode().splitlines() if l.startswith('portal_requests_total{')][0])"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert [line.split()[-1] for line in said] == ["2.0", "4.0"]


def test_a_starting_web_keeps_the_counts_of_those_that_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    kept, dropped = tmp_path / f"counter_{os.getpid()}.db", tmp_path / f"histogram_{gone.pid}.db"
    for file in (kept, dropped):
        file.touch()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    root = Path(__file__).resolve().parents[2]
    runpy.run_path(str(root / "gunicorn.conf.py"))["on_starting"](None)
    assert list(tmp_path.iterdir()) == [kept]


def counted(folder: Path, number: int, *, keep: bool = False) -> subprocess.Popen[str]:
    """A process that counted `number` requests in the folder; `keep`: it goes on living until its input ends."""
    code = (
        "from portal.metrics import REQUESTS, LATENCY;"
        f"REQUESTS.labels('home', 'GET', 200).inc({number}); LATENCY.labels('home').observe(0.2);"
        "print('counted', flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "counted\n"
    if not keep:
        process.communicate("")
    return process


def sums(folder: Path) -> list[float]:
    """Requests, and the latencies seen, over all processes."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return [
        registry.get_sample_value(
            "portal_requests_total", {"route": "home", "method": "GET", "status": "200"}
        )
        or 0,
        registry.get_sample_value("portal_request_seconds_count", {"route": "home"}) or 0,
    ]


def test_processes_that_ended_leave_their_numbers_and_no_files(tmp_path: Path) -> None:
    living = counted(tmp_path, 5, keep=True)
    try:
        counted(tmp_path, 2)
        counted(tmp_path, 3)
        assert sums(tmp_path) == [10, 3]
        assert metric_files.fold_dead(tmp_path) == 4
        assert sums(tmp_path) == [10, 3]
        counted(tmp_path, 1)
        assert metric_files.fold_dead(tmp_path) == 2
        assert metric_files.fold_dead(tmp_path) == 0
        assert sums(tmp_path) == [11, 4]
        names = {f"counter_{living.pid}.db", f"histogram_{living.pid}.db", "counter_0.db", "histogram_0.db"}
        assert {file.name for file in tmp_path.iterdir()} == names | {"lock"}
        # A web that starts anew counts from nothing, beside those that live.
        metric_files.drop_dead(tmp_path)
        assert sums(tmp_path) == [5, 1]
    finally:
        living.communicate("")


def test_gunicorn_folds_when_a_worker_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted(tmp_path, 2)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    root = Path(__file__).resolve().parents[2]
    runpy.run_path(str(root / "gunicorn.conf.py"))["child_exit"](None, None)
    assert {file.name for file in tmp_path.iterdir()} == {"counter_0.db", "histogram_0.db", "lock"}
    assert sums(tmp_path) == [2, 1]
