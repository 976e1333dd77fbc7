"""Files on their way in pieces: what was announced, which bytes are here, and what became of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from django.core.files.storage import storages
from django.db import models
from django.db.models import F, Q
from django_countries.fields import CountryField

from onboarding.models.applications import Application
from onboarding.models.documents import Document
from onboarding.models.owners import Owner
from onboarding.words_documents import DocumentSide, DocumentType
from portal import clock, ids
from portal.document_storage import STORAGE
from portal.errors import Conflict
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader

#: How long an upload may be gone on with, and how long its outcome can be asked for.
UPLOAD_LASTS = timedelta(hours=24)


class UploadState(StrEnum):
    RECEIVING = "receiving"
    TAKEN = "taken"
    REFUSED = "refused"


def upload_end() -> datetime:
    """When an upload begun now runs out."""
    return clock.now() + UPLOAD_LASTS


class Upload(models.Model):
    """One file announced by one user for one application, with what was said of it then; nothing of that changes.

    It ends as a document, or with what is wrong with the file.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    type = models.CharField(max_length=32, choices=DocumentType.choices)
    side = models.CharField(max_length=12, choices=DocumentSide.choices)
    country = CountryField()
    expires_on = models.DateField(null=True, blank=True)
    #: In the uploader's own words; the sentence about an approval by hand is put before them.
    description = models.CharField(max_length=300, blank=True)
    by_hand = models.BooleanField(default=False)
    source = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    offset = models.PositiveIntegerField(default=0)
    document = models.OneToOneField(
        Document, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    #: What is wrong with the whole file, {field: [sentence]}; empty while nothing is known to be.
    problems: "models.JSONField[dict[str, list[str]]]" = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    #: When bytes came last.
    moved_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField(default=upload_end, editable=False, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
            models.CheckConstraint(condition=Q(offset__lte=F("size")), name="upload_within_its_size"),
        ]
        indexes: ClassVar = [models.Index(fields=["user", "expires_at"], name="upload_of_user")]

    def __str__(self) -> str:
        return f"upload {str(self.pk)[-8:]}"

    @property
    def is_whole(self) -> bool:
        """Whether every byte is here."""
        return self.offset == self.size

    @property
    def state(self) -> UploadState:
        """What it came to so far."""
        if self.document_id is not None:
            return UploadState.TAKEN
        return UploadState.REFUSED if self.problems else UploadState.RECEIVING

    @property
    def folder(self) -> str:
        """Where its parts lie in the storage."""
        return f"uploads/{self.pk}"

    def became(self, document: Document) -> None:
        """Write down its document, in the document's transaction. Raises Conflict when it has one: repeats end here."""
        unfinished = Upload.objects.filter(pk=self.pk, document=None, problems={})
        if unfinished.update(document=document) != 1:
            raise Conflict("This upload was taken already.")
        self.document = document


class UploadPart(models.Model):
    """Some bytes of an upload, sealed in a file of their own with a key of their own.

    A key for each part: a part that was written and not recorded is written again with other bytes, and no two
    contents may share a key.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    start = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    file_key = SealedTextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "start"], name="upload_part_once"),
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_part_not_empty"),
        ]

    def __str__(self) -> str:
        return f"part at {self.start}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage."""
        return f"uploads/{self.upload_id}/{self.pk}"

    def read(self) -> bytes:
        """Its bytes. Raises CannotUnseal when the file was changed."""
        with SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal()) as reader:
            return reader.read()
