"""Papers of an application, and where each stands on its way to the provider."""

from typing import ClassVar

from django.core.files.storage import storages
from django.db import models
from django.db.models import Q
from django_countries.fields import CountryField

from onboarding.models.applications import Application
from onboarding.models.owners import Owner
from onboarding.words_documents import REJECTED_BECAUSE, DocumentSide, DocumentType, RejectReason, Verdict
from portal import clock, ids
from portal.document_storage import STORAGE
from portal.file_kinds import EXTENSIONS, FileKind
from portal.sealed import SealedTextField
from portal.sealed_files import SealedReader
from portal.states import Stateful

FOUND_WORDS = (
    "Our virus scanner found something in this file. "
    "Take a new photo of the paper, or scan it again, and upload that."
)
UNOPENABLE = (
    "We could not open this file. Take a photo of the paper, or print it to a new PDF, and upload that."
)


class Document(Stateful):
    """One uploaded file: one side of a paper of an owner, or a paper of the entity. Never overwritten: a newer one
    of the same side replaces it, and it stays.

    Its id is the clientDocumentId, by which the provider knows it (contract 4.5). The file lies in the storage
    `documents`, sealed with a key of its own; that key is a sealed field, so it follows the rotation of the rings
    and what is left of a file whose row is gone cannot be read.
    """

    class Status(models.TextChoices):
        #: Waits for the malware scan and for its previews (onboarding/document_checks.py). Goes nowhere before.
        CHECKING = "checking", "Being checked"
        #: The scan found something: nobody opens it but who decides its case.
        QUARANTINED = "quarantined", "Held back"
        RECEIVED = "received", "Received"
        SENDING = "sending", "Being passed on"
        AT_PROVIDER = "at_provider", "At the provider"
        REFUSED = "refused", "Not accepted"
        REPLACED = "replaced", "Replaced"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.CHECKING: frozenset({Status.RECEIVED, Status.QUARANTINED, Status.REFUSED, Status.REPLACED}),
        Status.QUARANTINED: frozenset({Status.CHECKING, Status.REFUSED, Status.REPLACED}),
        Status.RECEIVED: frozenset({Status.SENDING, Status.REPLACED}),
        Status.SENDING: frozenset({Status.AT_PROVIDER, Status.REFUSED, Status.REPLACED}),
        Status.AT_PROVIDER: frozenset({Status.REPLACED}),
        Status.REFUSED: frozenset({Status.REPLACED}),
        Status.REPLACED: frozenset(),
    }

    #: Back to the checks, which then do not scan it again.
    BY_PERSON = frozenset({(Status.QUARANTINED, Status.CHECKING)})

    ContentType = FileKind

    class Scan(models.TextChoices):
        """What the malware scanner said; whether anybody may open the file hangs on it, not on the status."""

        PENDING = "pending", "Not scanned yet"
        OFF = "off", "Not scanned: no scanner is set up"
        CLEAN = "clean", "Scanned, nothing found"
        FOUND = "found", "Something was found"
        RELEASED = "released", "Released as a false alarm"

    #: Of these the file may be opened and passed on.
    SAFE: ClassVar[frozenset[str]] = frozenset({Scan.OFF, Scan.CLEAN, Scan.RELEASED})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    #: Whose paper it is; empty for papers of the company or trust itself.
    owner = models.ForeignKey(
        Owner, on_delete=models.CASCADE, null=True, blank=True, related_name="documents"
    )
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CHECKING)
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
    scan = models.CharField(max_length=10, choices=Scan.choices, default=Scan.PENDING)
    #: The scanner's name for what it found.
    scan_found = models.CharField(max_length=200, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    #: When it is checked next, also once replaced; empty when done. A check under way put it ahead (lease).
    next_check_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    checks = models.PositiveIntegerField(default=0)
    #: How many pages a PDF has; 1 of an image.
    pages = models.PositiveSmallIntegerField(default=1)
    #: What goes to the provider is a JPEG made of it: it is a HEIC, or holds more than a picture.
    is_sent_as_copy = models.BooleanField(default=False)
    uploaded_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    #: What our staff say of it, beside its way to the provider; empty while nobody has decided.
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True, default="")
    reject_reason = models.CharField(max_length=12, choices=RejectReason.choices, blank=True, default="")
    #: What the customer reads besides the words of the reason.
    reject_text = models.CharField(max_length=300, blank=True, default="")
    decided_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    #: Counts the decisions, so that nobody decides over one they have not seen.
    decisions = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=["", "accepted"], reject_reason="")
                | Q(verdict="rejected", reject_reason__in=RejectReason.values),
                name="document_verdict_known",
            ),
            models.UniqueConstraint(
                fields=["application", "owner", "type", "side"],
                name="document_one_current",
                condition=~Q(status="replaced"),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "checking",
                        "quarantined",
                        "received",
                        "sending",
                        "at_provider",
                        "refused",
                        "replaced",
                    ]
                ),
                name="document_status_known",
            ),
            models.CheckConstraint(condition=Q(type__in=DocumentType.values), name="document_type_known"),
            models.CheckConstraint(condition=Q(side__in=DocumentSide.values), name="document_side_known"),
            models.CheckConstraint(condition=Q(size__gt=0), name="document_not_empty"),
            models.CheckConstraint(
                condition=Q(scan__in=["pending", "off", "clean", "found", "released"]),
                name="document_scan_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="document_check_due"
            ),
            models.Index(
                fields=["expires_on", "id"],
                name="document_expiring",
                condition=Q(expires_on__isnull=False) & ~Q(status="replaced"),
            ),
        ]

    def __str__(self) -> str:
        return f"document {str(self.pk)[-8:]}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage. No name of a person's making is in it."""
        return f"{self.application_id}/{self.pk}"

    @property
    def rejected_because(self) -> str:
        """Why our staff did not accept it, as the customer reads it; empty when they did not reject it."""
        words = REJECTED_BECAUSE.get(self.reject_reason, "")
        return f"{words} {self.reject_text}".strip()

    @property
    def extension(self) -> str:
        """What a download is called at its end."""
        return EXTENSIONS[self.content_type]

    @property
    def why_useless(self) -> str:
        """Why we do not pass it on, as the customer reads it; empty when that is not so."""
        if self.status == self.Status.QUARANTINED or (
            self.status == self.Status.REFUSED and self.scan == self.Scan.FOUND
        ):
            return FOUND_WORDS
        return self.problem if self.problem == UNOPENABLE else ""

    @property
    def is_safe(self) -> bool:
        """Whether it may be opened and passed on."""
        return self.scan in self.SAFE

    def open(self) -> SealedReader:
        """The file itself, readable and seekable. Raises CannotUnseal when it was changed."""
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())


class DocumentCopy(models.Model):
    """A picture made of a document: re-encoded, turned upright, without anything that is not the picture.

    Previews are what people look at; the provider's copy is what is sent of a file that is not sent as it came.
    """

    class Kind(models.TextChoices):
        PREVIEW = "preview", "Preview"
        PROVIDER = "provider", "Sent to the provider"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="copies")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    page = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    file_key = SealedTextField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "kind", "page"], name="document_copy_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["preview", "provider"]), name="document_copy_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.page} of document {str(self.document_id)[-8:]}"

    @property
    def path(self) -> str:
        """Where its file lies in the storage."""
        return f"{self.document.path}.{self.pk}"

    def open(self) -> SealedReader:
        """The picture, readable and seekable. Raises CannotUnseal when it was changed."""
        return SealedReader(storages[STORAGE].open(self.path), self.file_key.reveal())
