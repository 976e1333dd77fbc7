"""What we ask a customer for beyond the table of papers: by staff, after a rejection, before one expires.

A paper, and where a case asks a question, an answer in words.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from onboarding.models.applications import Application
from onboarding.models.documents import Document
from onboarding.models.owners import Owner
from onboarding.words_documents import DocumentType
from portal import clock, ids
from portal.models import User
from portal.sealed import SealedTextField
from portal.states import Stateful


class DocumentRequest(Stateful):
    """One paper asked for, of a person or of the entity, met by any one of `types`; or `in_words`, by an answer."""

    class Status(models.TextChoices):
        OPEN = "open", "Waiting for the customer"
        HANDED_IN = "handed_in", "Handed in"
        ACCEPTED = "accepted", "Accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Source(models.TextChoices):
        STAFF = "staff", "Asked by staff"
        REJECTION = "rejection", "A paper was not accepted"
        EXPIRY = "expiry", "A paper expires"
        CHANGE = "change", "Proves a restricted change"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.OPEN: frozenset({Status.HANDED_IN, Status.ACCEPTED, Status.WITHDRAWN}),
        Status.HANDED_IN: frozenset({Status.OPEN, Status.ACCEPTED, Status.WITHDRAWN}),
        Status.ACCEPTED: frozenset(),
        Status.WITHDRAWN: frozenset(),
    }
    LIVE: ClassVar[frozenset[str]] = frozenset({Status.OPEN, Status.HANDED_IN})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="document_requests")
    #: Whose paper; empty for the company's or trust's own.
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.STAFF)
    types = ArrayField(models.CharField(max_length=32, choices=DocumentType.choices))
    #: Whether an answer in words meets it. Only a case asks that: somebody waits to read it.
    in_words = models.BooleanField(default=False)
    answer = SealedTextField(mask="none", null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: What the customer reads; with `in_words`, the question.
    reason = models.CharField(max_length=500)
    #: For colleagues alone; it may name numbers.
    note = SealedTextField(mask="none", null=True, blank=True)
    due_on = models.DateField()
    #: Only files uploaded since then meet it; empty where what is there already counts.
    counts_from = models.DateTimeField(null=True, blank=True)
    #: The day of its next letter, or of the case at the end of the plan; empty when none is to come.
    next_on = models.DateField(null=True, blank=True)
    #: The paper whose last day it is about.
    renews = models.ForeignKey(
        Document, on_delete=models.CASCADE, null=True, blank=True, related_name="renewals"
    )
    #: The case that asked, which the customer's answer brings back.
    case = models.ForeignKey(
        "compliance.Case", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    requested_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "document request"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "handed_in", "accepted", "withdrawn"]),
                name="document_request_status_known",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["staff", "rejection", "expiry", "change"]),
                name="document_request_source_known",
            ),
            models.CheckConstraint(
                condition=Q(types__len__gt=0) | Q(in_words=True), name="document_request_names_a_type"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None) | Q(in_words=True), name="document_request_answered_in_words"
            ),
            models.UniqueConstraint(
                fields=["renews"], name="document_request_once_per_expiry", condition=Q(source="expiry")
            ),
        ]
        indexes = [
            models.Index(fields=["next_on"], name="document_request_next", condition=Q(status="open")),
        ]

    def __str__(self) -> str:
        return f"document request {str(self.pk)[-8:]}"

    @property
    def title(self) -> str:
        """What it names: any one of them meets it."""
        names = [str(DocumentType(kind).label) for kind in self.types]
        if self.in_words:
            names.append("an answer in words" if names else "An answer in words")
        return " or ".join(names)

    @property
    def uploader(self) -> User:
        """Who is asked: the person themselves, where they took their own part, else the customer."""
        if self.owner is not None and self.owner.fills_in_themselves and self.owner.user is not None:
            return self.owner.user
        return self.application.customer.user

    @property
    def is_overdue(self) -> bool:
        """Whether its day is past and the customer has not done their part."""
        return self.status == self.Status.OPEN and self.due_on < clock.now().date()
