"""What people may ask of us about their data, what keeps it, and how long it stays."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.core.files.storage import storages
from django.db import models
from django.db.models import Q

from onboarding.models.applications import Customer
from portal import clock, ids
from portal.document_storage import STORAGE
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader
from portal.states import Stateful

#: How long a finished export can be fetched.
EXPORT_LASTS = timedelta(days=7)


class DataRequest(Stateful):
    """A person's request for a copy of their data, or for its erasure. A case decides it."""

    class Kind(models.TextChoices):
        EXPORT = "export", "A copy of the data"
        ERASURE = "erasure", "Erasure of the data"

    class Status(models.TextChoices):
        ASKED = "asked", "Looked at by us"
        PREPARING = "preparing", "Being put together"
        READY = "ready", "Ready to download"
        DONE = "done", "Done"
        REFUSED = "refused", "Not granted"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "No longer there"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.ASKED: frozenset({Status.PREPARING, Status.DONE, Status.REFUSED, Status.WITHDRAWN}),
        Status.PREPARING: frozenset({Status.READY}),
        Status.READY: frozenset({Status.EXPIRED}),
        Status.DONE: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
        Status.EXPIRED: frozenset(),
    }
    OPEN: ClassVar[frozenset[str]] = frozenset({Status.ASKED, Status.PREPARING})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="data_requests")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ASKED)
    #: The customer, or who of the staff asked on their behalf, and how they made sure who was asking.
    asked_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    verified_how = models.CharField(max_length=300, blank=True)
    #: The last day by law.
    due_on = models.DateField()
    #: What the customer is told about a refusal.
    refused_because = models.CharField(max_length=500, blank=True)
    #: Of an erasure: [{"what"}] that is gone, [{"what", "why", "until"}] that is kept. No personal data.
    erased = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    #: Of an export: its file, sealed, and until when it is there.
    file_key = SealedTextField(null=True, blank=True)
    size = models.PositiveBigIntegerField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "data request"
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"],
                name="data_request_one_open",
                condition=Q(status__in=["asked", "preparing"]),
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["export", "erasure"]), name="data_request_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["asked", "preparing", "ready", "done", "refused", "withdrawn", "expired"]
                ),
                name="data_request_status_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status_at"],
                name="data_request_under_way",
                condition=Q(status__in=["preparing", "ready"]),
            ),
        ]

    def __str__(self) -> str:
        return f"data request {str(self.pk)[-8:]}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage of papers."""
        return f"exports/{self.pk}"

    @property
    def fetchable_until(self) -> datetime | None:
        """Until when the export can be downloaded; None when it cannot."""
        return self.ready_at + EXPORT_LASTS if self.status == self.Status.READY and self.ready_at else None

    def open(self) -> SealedReader:
        """The export's zip. Raises CannotUnseal when it was changed."""
        assert self.file_key is not None
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())


class LegalHold(models.Model):
    """That nothing of a customer may be erased, for a court or an authority, until it is lifted."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="legal_holds")
    reason = models.CharField(max_length=300)
    placed_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(default=clock.now)
    lifted_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_because = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"], name="legal_hold_one", condition=Q(lifted_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None)
                | Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="legal_hold_lifted_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"legal hold {str(self.pk)[-8:]}"


class RetentionPeriod(models.Model):
    """How long a class of data is kept where that is not as onboarding/privacy/policy.py says by itself."""

    code = models.CharField(max_length=32, primary_key=True)
    days = models.PositiveIntegerField()
    changed_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.code}: {self.days} days"


class RetentionRun(models.Model):
    """What one night removed of one class of data: counts, nothing else."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    code = models.CharField(max_length=32)
    day = models.DateField()
    days = models.PositiveIntegerField()
    removed = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "day"], name="retention_run_once_a_day")]
        indexes = [models.Index(fields=["-day", "code"], name="retention_run_newest")]

    def __str__(self) -> str:
        return f"{self.code} on {self.day}: {self.removed}"
