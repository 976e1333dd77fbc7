"""Agreements, who accepted them, and the letters that ask for it."""

import hashlib
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from onboarding.models.owners import Owner
from portal import clock, ids
from portal.states import Stateful

#: The largest PDF an agreement may be.
LARGEST_DOCUMENT = 5 * 1024 * 1024


def text_hash(text: str) -> str:
    """SHA-256 of the exact text shown, as hex: what an acceptance vouches for."""
    return hashlib.sha256(text.encode()).hexdigest()


def usual_reminders() -> list[int]:
    """A letter on the day of publishing, and three more for those who do not answer."""
    return [0, 7, 21, 28]


class Agreement(Stateful):
    """One version of one agreement. What it says and whom it binds never change once it is published.

    A trigger of the database holds the latter (migration 0002), and a constraint that one version of a name is
    in force.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "In force"
        RETIRED = "retired", "Retired"

    class Format(models.TextChoices):
        MARKDOWN = "markdown", "Text"
        PDF = "pdf", "PDF"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.DRAFT: frozenset({Status.PUBLISHED}),
        Status.PUBLISHED: frozenset({Status.RETIRED}),
        Status.RETIRED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=100)
    version = models.CharField(max_length=32)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.MARKDOWN)
    #: Markdown; empty for a PDF, which is in AgreementDocument.
    text = models.TextField(blank=True)
    #: Of the text, or of the PDF's bytes.
    text_sha256 = models.CharField(max_length=64)
    #: Whom it binds; an empty list means all.
    account_types = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    roles = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    #: How many days after publishing those who have not accepted get a letter; 0 is the day itself.
    remind_after_days = ArrayField(models.PositiveSmallIntegerField(), default=usual_reminders, blank=True)
    #: Counts the edits of a draft, so that nobody publishes what they have not seen.
    revision = models.PositiveIntegerField(default=1)
    published_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="agreement_version_once"),
            models.UniqueConstraint(
                fields=["name"],
                name="agreement_one_in_force",
                condition=Q(published_at__isnull=False, retired_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=Q(status="draft", retired_at=None)
                | Q(status="published", published_at__isnull=False)
                | Q(status="retired", published_at__isnull=False, retired_at__isnull=False),
                name="agreement_status_has_times",
            ),
            models.CheckConstraint(
                condition=Q(format="markdown") | Q(format="pdf", text=""), name="agreement_format_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.version})"

    @property
    def is_pdf(self) -> bool:
        """Whether customers read it as a PDF."""
        return self.format == self.Format.PDF


class AgreementDocument(models.Model):
    """The PDF of an agreement, in a row of its own so that lists do not read it."""

    agreement = models.OneToOneField(
        Agreement, primary_key=True, on_delete=models.CASCADE, related_name="document"
    )
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    pages = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gte=1, size__lte=LARGEST_DOCUMENT), name="agreement_document_size"
            )
        ]

    def __str__(self) -> str:
        return f"document of {self.agreement_id}"


class AgreementAcceptance(models.Model):
    """The evidence that an owner accepted one version: when, from where, with what, and the hash of the text shown.

    A trigger refuses every change of it.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="acceptances")
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="acceptances")
    text_sha256 = models.CharField(max_length=64)
    accepted_at = models.DateTimeField(default=clock.now)
    #: Whose login it was: the owner's own, or the applicant's for a minor or a beneficiary.
    accepted_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, null=True, related_name="+")
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "agreement"], name="acceptance_once")]

    def __str__(self) -> str:
        return f"acceptance of {self.agreement_id}"


class AgreementReminder(models.Model):
    """That a person was sent the letter of one day of an agreement's reminder plan."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="reminders")
    user = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    day = models.PositiveSmallIntegerField()
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "user", "day"], name="agreement_reminder_once")
        ]

    def __str__(self) -> str:
        return f"reminder of day {self.day} of {self.agreement_id}"
