"""Files that staff attach to a case."""

from typing import ClassVar

from django.core.files.storage import storages
from django.db import models
from django.db.models import Q

from compliance.models.cases import Case
from portal import clock, ids
from portal.document_storage import STORAGE
from portal.file_kinds import EXTENSIONS, FileKind
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader


class CaseFile(models.Model):
    """One attached file. It lies beside the customers' papers, sealed with a key of its own, and is never changed."""

    class Scan(models.TextChoices):
        """What the malware scanner said; whether anybody may open the file hangs on it."""

        PENDING = "pending", "Being checked"
        OFF = "off", "Not scanned: no scanner is set up"
        CLEAN = "clean", "Scanned, nothing found"
        FOUND = "found", "Held back: the scanner found something"

    SAFE: ClassVar[frozenset[str]] = frozenset({Scan.OFF, Scan.CLEAN})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="files", db_index=False)
    #: What it is, in the words of whoever attached it. The file's own name is not kept.
    title = models.CharField(max_length=120)
    content_type = models.CharField(max_length=20, choices=FileKind.choices)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    pages = models.PositiveSmallIntegerField(default=1)
    file_key = SealedTextField()
    scan = models.CharField(max_length=10, choices=Scan.choices, default=Scan.PENDING)
    #: The scanner's name for what it found.
    scan_found = models.CharField(max_length=200, blank=True)
    #: When it is scanned next; empty when done. A scan under way put it ahead (lease).
    next_check_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    checks = models.PositiveIntegerField(default=0)
    uploaded_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="case_file_not_empty"),
            models.CheckConstraint(
                condition=Q(scan__in=["pending", "off", "clean", "found"]), name="case_file_scan_known"
            ),
        ]
        indexes = [
            models.Index(fields=["case", "id"], name="case_file_of"),
            models.Index(
                fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="case_file_check_due"
            ),
        ]

    def __str__(self) -> str:
        return f"file {str(self.pk)[-8:]}"

    @property
    def path(self) -> str:
        """Where it lies in the storage."""
        return f"cases/{self.case_id}/{self.pk}"

    @property
    def extension(self) -> str:
        """What a download is called at its end."""
        return EXTENSIONS[self.content_type]

    @property
    def is_safe(self) -> bool:
        """Whether it may be opened."""
        return self.scan in self.SAFE

    def open(self) -> SealedReader:
        """The file itself, readable and seekable. Raises CannotUnseal when it was changed."""
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())
