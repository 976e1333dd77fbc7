"""The check of the audit trail in the background: begun by a person or every night, a stretch at a time.

A million entries take minutes, so no request waits for it: the row says how far it is and what it found.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Max

from portal import clock, mail, permissions
from portal.audit import record
from portal.audit_walk import Place, Problem, never_sealed, walk
from portal.doorbell import ring
from portal.errors import Conflict
from portal.models import AuditCheck, AuditSeal, Role, User

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
#: What one task does before it hands on, so that it never comes near a task's limit of time.
STRETCHES = 20
#: So many problems are kept in words; the rest is counted.
MOST_TOLD = 100
TASK = "portal.tasks.audit_check_step"
Status = AuditCheck.Status


def check_start(*, actor: User | None) -> AuditCheck:
    """Begin a check; `actor` is None for the nightly one. Raises Forbidden, or Conflict while one is under way."""
    if actor is not None:
        permissions.require(actor, "audit.view")
    until = AuditSeal.objects.aggregate(newest=Max("seq"))["newest"] or 0
    try:
        with transaction.atomic():
            check = AuditCheck.objects.create(asked_by=actor, until=until)
            record("audit.check", subject=check, actor=actor, source="page" if actor else "task")
    except IntegrityError as error:
        raise Conflict(
            "The trail is being checked already. Its result shows here when it is done."
        ) from error
    ring(TASK, check.pk, queue="bulk")
    return check


def checks_left() -> list[UUID]:
    """Checks under way that no worker holds: it died, or the broker lost its task."""
    rows = AuditCheck.objects.filter(status=Status.RUNNING, lease_until__lte=clock.now())
    return list(rows.values_list("pk", flat=True))


def check_step(check_id: UUID) -> None:
    """Go some stretches on; nothing when another worker is at it, or it is done."""
    held = AuditCheck.objects.filter(pk=check_id, status=Status.RUNNING, lease_until__lte=clock.now())
    if not held.update(lease_until=clock.now() + LEASE):
        return
    check = AuditCheck.objects.get(pk=check_id)
    for _ in range(STRETCHES):
        stretch = walk(Place(check.seq, check.digest, check.newest), until=check.until)
        if stretch.is_last:
            _end(check)
            return
        check.seq, check.digest, check.newest = stretch.place.seq, stretch.place.digest, stretch.place.newest
        check.entries += stretch.entries
        _keep(check, stretch.problems)
    AuditCheck.objects.filter(pk=check_id).update(lease_until=clock.now())
    ring(TASK, check_id, queue="bulk")


def _keep(check: AuditCheck, found: list[Problem]) -> None:
    """Write down how far it is; the lease begins anew."""
    check.problem_count += len(found)
    check.problems = [*check.problems, *(problem.text for problem in found)][:MOST_TOLD]
    check.lease_until = clock.now() + LEASE
    check.save(
        update_fields=["seq", "digest", "newest", "entries", "problem_count", "problems", "lease_until"]
    )


def _end(check: AuditCheck) -> None:
    with transaction.atomic():
        _keep(check, never_sealed())
        broken = check.problem_count > 0
        check.move_to(
            Status.BROKEN if broken else Status.WHOLE,
            actor=None,
            reason="Every seal was walked",
            source="task",
        )
        if broken:
            _alarm(check)
    word = log.error if broken else log.info
    word("audit_checked", problems=check.problem_count, entries=check.entries, until=check.until)


def _alarm(check: AuditCheck) -> None:
    """Tell every administrator, in the caller's transaction."""
    for person in User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).order_by("pk"):
        mail.send(
            to=person.email,
            subject="The audit trail is not whole",
            template="audit_broken",
            context={"count": check.problem_count, "problems": check.problems[:10]},
        )


def last_check() -> AuditCheck | None:
    """The last one that came to its end."""
    return AuditCheck.objects.exclude(status=Status.RUNNING).order_by("-started_at").first()


def running_check() -> AuditCheck | None:
    """The one under way."""
    return AuditCheck.objects.filter(status=Status.RUNNING).select_related("asked_by").first()


def recent_checks(limit: int = 10) -> list[AuditCheck]:
    """The newest, whoever asked for them."""
    rows = AuditCheck.objects.select_related("asked_by").order_by(F("started_at").desc())
    return list(rows[:limit])
