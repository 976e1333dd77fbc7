"""The call log is cut by age, in batches; nothing else is."""

from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab

from portal import audit, clock
from portal.celery import app
from portal.models import AuditEntry
from providers import retention, tasks
from providers.models import CallLog

pytestmark = pytest.mark.django_db


def attempt(*, days_ago: float) -> CallLog:
    return CallLog.objects.create(
        at=clock.now() - timedelta(days=days_ago),
        operation="bakkt.read_status",
        method="GET",
        template="/status/{id}",
        host="api.example",
        attempt=1,
        outcome=CallLog.Outcome.ANSWERED,
        duration_ms=5,
        bytes_out=0,
        bytes_in=10,
    )


def test_what_is_older_than_the_setting_goes_and_the_rest_stays(
    settings: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    settings.CALL_LOG_DAYS = 90
    monkeypatch.setattr(retention, "BATCH", 2)
    kept = [attempt(days_ago=0), attempt(days_ago=89.9)]
    for days in (90.1, 100, 200, 400, 1000):
        attempt(days_ago=days)
    audit.record("test.kept", subject=None)
    # Three batches, each read and removed, and the look that finds no fourth.
    with django_assert_num_queries(7):
        assert retention.remove_old_calls() == 5
    assert set(CallLog.objects.values_list("pk", flat=True)) == {row.pk for row in kept}
    assert AuditEntry.objects.filter(action="test.kept").exists()
    assert retention.remove_old_calls() == 0


def test_a_long_run_stops_and_leaves_the_rest_for_the_next_night(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LONGEST_RUN_SECONDS", 0.0)
    attempt(days_ago=1000)
    assert retention.remove_old_calls() == 0
    assert CallLog.objects.count() == 1


def test_it_runs_every_night_and_a_busy_worker_does_not_miss_it() -> None:
    entry = app.conf.beat_schedule["calls-remove-old"]
    assert entry["task"] == tasks.calls_remove_old.name
    assert entry["schedule"] == crontab(hour="3", minute="15")
    assert entry["options"]["expires"] > 3600
