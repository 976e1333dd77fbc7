"""Answers we wait for, and the notice that a provider is silent."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from portal import clock, ids


class ExpectedEvent(models.Model):
    """An answer that must come about a subject, and by when."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        MET = "met", "Came"
        RECOVERED = "recovered", "Recovered by poll"
        LATE = "late", "Late"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    kind = models.CharField(max_length=64)
    provider = models.CharField(max_length=16)
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField()
    #: When the sweeper looks at it next; late ones are looked at again until they are settled.
    next_look_at = models.DateTimeField()
    looks = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=clock.now)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id", "kind"],
                name="expected_event_one_open",
                condition=Q(state__in=["waiting", "late"]),
            )
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"], name="expected_due", condition=Q(state__in=["waiting", "late"])
            ),
            models.Index(fields=["provider", "due_at"], name="expected_by_provider"),
            models.Index(fields=["settled_at"], name="expected_recovered", condition=Q(state="recovered")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"


class ProviderOutage(models.Model):
    """One notice for many late answers: the provider is silent, not four hundred customers in trouble."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=16)
    started_at = models.DateTimeField(default=clock.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    late_count = models.PositiveIntegerField()
    #: What staff should know of it, the last word only; the audit trail has the ones before.
    note = models.CharField(max_length=500, blank=True, default="", db_default="")
    noted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    noted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider"], name="provider_outage_one_open", condition=Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider} since {self.started_at:%Y-%m-%d %H:%M}"
