"""Carrying out the retention policy: every night, in batches that each are whole.

A batch erases its rows, counts them and writes the audit entry in one transaction. A worker killed in between has done
whole batches only, and whoever comes next goes on with what is still due.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from onboarding.models import RetentionPeriod, RetentionRun
from onboarding.privacy.policy import BY_CODE, CLASSES, DataClass, days_of
from portal import audit, clock, permissions
from portal.errors import Invalid, NotFound
from portal.models import User

BATCH = 50
#: A task may run for 200 seconds; what is left the next one takes.
LONGEST_RUN_SECONDS = 150.0


@dataclass(frozen=True)
class Due:
    """A class with its period and how many of its rows would go tonight."""

    kind: DataClass
    days: int
    rows: int
    changed: RetentionPeriod | None
    last: RetentionRun | None


def _before(days: int) -> datetime:
    return clock.now() - timedelta(days=days)


def classes_for_staff(viewer: User) -> list[Due]:
    """Every class with what is due. Raises Forbidden."""
    permissions.require(viewer, "retention.view")
    changed = {row.code: row for row in RetentionPeriod.objects.select_related("changed_by")}
    last = {row.code: row for row in RetentionRun.objects.order_by("code", "-day").distinct("code")}
    return [_due(kind, days_of(kind.code), changed.get(kind.code), last.get(kind.code)) for kind in CLASSES]


def _due(kind: DataClass, days: int, changed: RetentionPeriod | None, last: RetentionRun | None) -> Due:
    return Due(kind, days, kind.rows(_before(days)).count(), changed, last)


def dry_run(viewer: User, code: str, days: int) -> int:
    """How many rows would go tonight with that period. Raises Forbidden, NotFound and Invalid."""
    permissions.require(viewer, "retention.view")
    return _class(code).rows(_before(_checked(_class(code), days))).count()


def period_set(*, actor: User, code: str, days: int, source: str = "page") -> RetentionPeriod:
    """Keep a class of data for so many days. Raises Forbidden, NotFound, and Invalid below what the law asks."""
    permissions.require(actor, "retention.manage")
    kind = _class(code)
    _checked(kind, days)
    with transaction.atomic():
        before = days_of(code)
        row, _ = RetentionPeriod.objects.update_or_create(
            code=code, defaults={"days": days, "changed_by": actor, "changed_at": clock.now()}
        )
        audit.record(
            "retention.period",
            subject=None,
            actor=actor,
            before={"class": code, "days": before},
            after={"class": code, "days": days},
            source=source,
        )
    return row


def _class(code: str) -> DataClass:
    if code not in BY_CODE:
        raise NotFound("There is no such class of data.")
    return BY_CODE[code]


def _checked(kind: DataClass, days: int) -> int:
    if not kind.least <= days <= 36500:
        problem = (
            f"Use at least {kind.least} days: {kind.law}."
            if days < kind.least
            else "Use at most 36,500 days."
        )
        raise Invalid(problem, fields={"days": [problem]})
    return days


def carry_out(most_seconds: float = LONGEST_RUN_SECONDS) -> int:
    """Erase what is due, class by class; how many rows. Stops at the time, between two batches."""
    until = time.monotonic() + most_seconds
    done = 0
    for kind in CLASSES:
        while time.monotonic() < until:
            removed = _batch(kind)
            done += removed
            if removed < BATCH:
                break
    return done


def _batch(kind: DataClass) -> int:
    days = days_of(kind.code)
    with transaction.atomic():
        keys = list(kind.rows(_before(days)).order_by("pk").values_list("pk", flat=True)[:BATCH])
        # Asked again under the lock: somebody may have placed a hold, or come back, meanwhile.
        rows = kind.rows(_before(days)).filter(pk__in=keys).select_for_update(of=("self",), skip_locked=True)
        removed = 0
        for row in rows:
            kind.erase(row)
            removed += 1
        if removed:
            _counted(kind, days, removed)
    return removed


def _counted(kind: DataClass, days: int, removed: int) -> None:
    run, _ = RetentionRun.objects.get_or_create(code=kind.code, day=clock.today(), defaults={"days": days})
    RetentionRun.objects.filter(pk=run.pk).update(removed=F("removed") + removed, at=clock.now(), days=days)
    audit.record(
        "retention.removed",
        subject=run,
        source="task",
        after={"class": kind.code, "days": days, "removed": removed},
    )
