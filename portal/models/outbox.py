"""Outbound calls: what must reach a provider, written in the transaction of the change that needs it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal import clock, ids
from portal.sealed import SealedJSONField
from portal.states import Stateful


class OutboundCall(Stateful):
    """One call to a provider, its body sealed so that every repeat sends the same bytes under the same key."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        SUCCEEDED = "succeeded", "Succeeded"
        REJECTED = "rejected", "Rejected"
        NEEDS_PERSON = "needs_person", "Needs a person"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.QUEUED: frozenset({Status.SENDING}),
        # Back to queued: the provider certainly did nothing (not sent, busy), so nothing is unknown.
        Status.SENDING: frozenset(
            {Status.SUCCEEDED, Status.REJECTED, Status.UNKNOWN, Status.QUEUED, Status.NEEDS_PERSON}
        ),
        Status.UNKNOWN: frozenset({Status.SENDING, Status.NEEDS_PERSON, Status.SUCCEEDED, Status.REJECTED}),
        Status.NEEDS_PERSON: frozenset({Status.QUEUED, Status.REJECTED, Status.SUCCEEDED}),
        Status.SUCCEEDED: frozenset(),
        Status.REJECTED: frozenset(),
    }
    FINAL: ClassVar[frozenset[str]] = frozenset({Status.SUCCEEDED, Status.REJECTED})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    operation = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    idempotency_key = models.CharField(max_length=64, unique=True)
    #: The key met an answer after which it may not go out again; the next attempt looks the request up first.
    key_spent = models.BooleanField(default=False)
    body = SealedJSONField(mask="none")
    body_hash = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    swept_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    first_sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    answer = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    problem_fields = models.JSONField(default=list)
    actor = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "outbound call"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=["queued", "sending", "unknown", "succeeded", "rejected", "needs_person"]
                ),
                name="outbound_call_status_known",
            )
        ]
        indexes = [
            # The sweeper's question: what is due and not finished.
            models.Index(
                fields=["next_attempt_at"],
                name="outbound_call_due",
                condition=Q(status__in=["queued", "unknown", "sending"]),
            ),
            models.Index(fields=["subject_type", "subject_id", "created_at"], name="outbound_call_subject"),
            models.Index(fields=["status", "-created_at", "-id"], name="outbound_call_list"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} ({self.status})"
