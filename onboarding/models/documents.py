"""Papers of an application, and where each stands on its way to the provider."""

from typing import ClassVar

from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django_countries.fields import CountryField

from onboarding.models.applications import Application
from onboarding.models.owners import Owner
from onboarding.words_documents import DocumentSide, DocumentType
from portal import clock, ids
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader
from portal.states import Stateful

STORAGE = "documents"


class Document(Stateful):
    """One uploaded file: one side of a paper of an owner, or a paper of the entity. Never overwritten: a newer one
    of the same side replaces it, and it stays.

    Its id is the clientDocumentId, by which the provider knows it (contract 4.5). The file lies in the storage
    `documents`, sealed with a key of its own; that key is a sealed field, so it follows the rotation of the rings
    and what is left of a file whose row is gone cannot be read.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        SENDING = "sending", "Being passed on"
        AT_PROVIDER = "at_provider", "At the provider"
        REFUSED = "refused", "Not accepted"
        REPLACED = "replaced", "Replaced"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.RECEIVED: frozenset({Status.SENDING, Status.REPLACED}),
        Status.SENDING: frozenset({Status.AT_PROVIDER, Status.REFUSED, Status.REPLACED}),
        Status.AT_PROVIDER: frozenset({Status.REPLACED}),
        Status.REFUSED: frozenset({Status.REPLACED}),
        Status.REPLACED: frozenset(),
    }

    class ContentType(models.TextChoices):
        PDF = "application/pdf", "PDF"
        JPEG = "image/jpeg", "JPEG"
        PNG = "image/png", "PNG"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    #: Whose paper it is; empty for papers of the company or trust itself.
    owner = models.ForeignKey(
        Owner, on_delete=models.CASCADE, null=True, blank=True, related_name="documents"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RECEIVED)
    type = models.CharField(max_length=32, choices=DocumentType.choices)
    side = models.CharField(max_length=12, choices=DocumentSide.choices)
    country = CountryField()
    expires_on = models.DateField(null=True, blank=True)
    description = models.CharField(max_length=300, blank=True)
    content_type = models.CharField(max_length=20, choices=ContentType.choices)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file_key = SealedTextField()
    #: The provider's own id of it.
    provider_id = models.CharField(max_length=64, blank=True)
    #: What the provider said when it refused it.
    problem = models.CharField(max_length=300, blank=True)
    uploaded_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "owner", "type", "side"],
                name="document_one_current",
                condition=~Q(status="replaced"),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(status__in=["received", "sending", "at_provider", "refused", "replaced"]),
                name="document_status_known",
            ),
            models.CheckConstraint(condition=Q(type__in=DocumentType.values), name="document_type_known"),
            models.CheckConstraint(condition=Q(side__in=DocumentSide.values), name="document_side_known"),
            models.CheckConstraint(condition=Q(size__gt=0), name="document_not_empty"),
        ]

    def __str__(self) -> str:
        return f"document {str(self.pk)[-8:]}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage. No name of a person's making is in it."""
        return f"{self.application_id}/{self.pk}"

    @property
    def extension(self) -> str:
        """What a download is called at its end."""
        return {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}[self.content_type]

    def open(self) -> SealedReader:
        """The file itself, readable and seekable. Raises CannotUnseal when it was changed."""
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())
