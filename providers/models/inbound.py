"""Inbound events: every webhook, stored raw before anything is done about it."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from portal import clock, ids
from portal.sealed import SealedTextField
from portal.states import Stateful


class InboundEvent(Stateful):
    """One webhook. A repeat of the same body is the same row: `deliveries` counts how often it came."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        IGNORED = "ignored", "No effect"
        QUARANTINED = "quarantined", "Quarantined"
        FAILED = "failed", "Failed"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.RECEIVED: frozenset({Status.PROCESSED, Status.IGNORED, Status.QUARANTINED, Status.FAILED}),
        # A person may have any event processed again; what it would change is shown first.
        Status.PROCESSED: frozenset({Status.RECEIVED}),
        Status.IGNORED: frozenset({Status.RECEIVED}),
        Status.QUARANTINED: frozenset({Status.RECEIVED, Status.PROCESSED}),
        Status.FAILED: frozenset({Status.RECEIVED}),
    }
    # What is held is applied only by someone who looked at it.
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset({(Status.QUARANTINED, Status.PROCESSED)})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=16)
    digest = models.CharField(max_length=64)
    #: Sealed: a body may hold a link that starts an identity check.
    body = SealedTextField(mask="none")
    headers = models.JSONField(default=dict)
    source_ip = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(default=clock.now)
    deliveries = models.PositiveIntegerField(default=1)
    last_received_at = models.DateTimeField(default=clock.now)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RECEIVED)
    #: What processing found out; empty until then.
    kind = models.CharField(max_length=64, blank=True)
    provider_request_id = models.CharField(max_length=255, blank=True)
    party_ref = models.CharField(max_length=255, blank=True)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    outcome = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "webhook"
        constraints = [
            models.UniqueConstraint(fields=["provider", "digest"], name="inbound_event_once"),
            models.CheckConstraint(
                condition=Q(status__in=["received", "processed", "ignored", "quarantined", "failed"]),
                name="inbound_event_status_known",
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], name="inbound_newest"),
            models.Index(fields=["status", "-id"], name="inbound_by_status"),
            models.Index(fields=["party_ref", "-id"], name="inbound_by_party"),
            # Filled in by processing, so these cost the intake nothing.
            models.Index(fields=["kind", "-id"], name="inbound_by_kind", condition=~Q(kind="")),
            models.Index(
                fields=["provider_request_id"],
                name="inbound_by_request",
                condition=~Q(provider_request_id=""),
            ),
            # Rows arrive in the order of this column: a few pages find a day among millions.
            BrinIndex(fields=["received_at"], name="inbound_by_day", autosummarize=True),
            models.Index(fields=["subject_type", "subject_id", "received_at"], name="inbound_subject"),
            models.Index(
                fields=["next_attempt_at"], name="inbound_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.kind or 'event'} ({self.status})"
