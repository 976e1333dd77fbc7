"""Runs of the check that the audit trail is whole."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal import clock, ids
from portal.states import Stateful


class AuditCheck(Stateful):
    """One walk along the whole trail, a stretch at a time, so that a worker that dies loses only a stretch."""

    class Status(models.TextChoices):
        RUNNING = "running", "Under way"
        WHOLE = "whole", "Whole"
        BROKEN = "broken", "Not whole"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.RUNNING: frozenset({Status.WHOLE, Status.BROKEN}),
        Status.WHOLE: frozenset(),
        Status.BROKEN: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    started_at = models.DateTimeField(default=clock.now, editable=False)
    #: Who asked for it; empty for the nightly one.
    asked_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    #: The newest seal when it began; it walks up to there.
    until = models.PositiveBigIntegerField()
    #: How far it is (portal.audit_walk.Place), and how many entries it has looked at.
    seq = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    newest = models.DateTimeField(null=True, blank=True)
    entries = models.PositiveBigIntegerField(default=0)
    #: The first problems in words, and how many there are.
    problems = models.JSONField(default=list)
    problem_count = models.PositiveIntegerField(default=0)
    #: A worker is at it until then; after that another goes on.
    lease_until = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="running"), name="audit_check_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(status__in=("running", "whole", "broken")), name="audit_check_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"check of {self.started_at:%Y-%m-%d %H:%M}"
