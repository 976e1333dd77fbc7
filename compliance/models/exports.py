"""Case files that were asked for, how far their making is, and until when they can be fetched."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.files.storage import storages
from django.db import models
from django.db.models import Q

from portal import clock, ids
from portal.document_storage import STORAGE
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader
from portal.states import Stateful


class CaseExport(Stateful):
    """One archive of one case or of several. Its file is sealed with a key of its own, and removed when it expires."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Waits for its turn"
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Removed"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.QUEUED: frozenset({Status.MAKING}),
        Status.MAKING: frozenset({Status.READY, Status.FAILED}),
        Status.READY: frozenset({Status.EXPIRED}),
        Status.FAILED: frozenset(),
        Status.EXPIRED: frozenset(),
    }
    UNDER_WAY: ClassVar[tuple[str, ...]] = (Status.QUEUED, Status.MAKING)

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.QUEUED)
    asked_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.now, editable=False)
    reason = models.CharField(max_length=300)
    case_ids = ArrayField(models.UUIDField())
    with_papers = models.BooleanField(default=True)
    #: Parts of the archive: one for each case's texts, one for each file.
    parts = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)
    #: How often a worker began it; one that died is followed by another.
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(default=clock.now)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    file_key = SealedTextField(null=True)
    #: What went wrong, as the page says it.
    problem = models.CharField(max_length=300, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=("queued", "making", "ready", "failed", "expired")),
                name="case_export_status_known",
            ),
            models.CheckConstraint(condition=Q(case_ids__len__gt=0), name="case_export_of_something"),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=("queued", "making")),
                name="case_export_under_way",
            ),
            models.Index(fields=["expires_at"], condition=Q(status="ready"), name="case_export_to_remove"),
        ]

    def __str__(self) -> str:
        return f"case file {str(self.pk)[-8:]}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage."""
        return f"case-files/{self.pk}"

    def open(self) -> SealedReader:
        """The archive, readable and seekable. Raises CannotUnseal when it was changed."""
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())
