"""Customers and their applications."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q

from onboarding.words import AccountType, EntityType, SettlementMethod
from portal import clock, ids
from portal.states import Stateful


def new_reference() -> str:
    """A reference people can read out, such as PA-7K3M-9QX2."""
    return ids.new_reference("PA")


class Customer(models.Model):
    """A person who holds, or applies for, accounts through the partner."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    user = models.OneToOneField("portal.User", on_delete=models.PROTECT, related_name="customer")
    #: What their browser or app asked for when they applied last, such as "es": who can talk with them.
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    #: Since when what the law makes us keep is shut away, and until when it is kept (docs/decisions/0021).
    restricted_at = models.DateTimeField(null=True, blank=True)
    restricted_until = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"customer {str(self.pk)[-8:]}"


class Application(Stateful):
    """A request to open one account, from the first answer to the provider's verdict."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        HELD = "held", "Being looked at"
        SUBMITTED = "submitted", "Submitted"
        RECEIVED = "received", "Being checked"
        CORRECTION_NEEDED = "correction_needed", "Correction needed"
        IN_REVIEW = "in_review", "In review"
        ACTION_REQUIRED = "action_required", "Action required"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Not approved"
        WITHDRAWN = "withdrawn", "Withdrawn"

    _VERDICTS: ClassVar[frozenset[str]] = frozenset(
        {Status.IN_REVIEW, Status.ACTION_REQUIRED, Status.APPROVED, Status.REJECTED}
    )
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.DRAFT: frozenset({Status.HELD, Status.SUBMITTED, Status.WITHDRAWN}),
        # Complete, but a person of ours looks before the provider hears of it (onboarding/cases/duplicates.py).
        Status.HELD: frozenset({Status.SUBMITTED, Status.REJECTED, Status.WITHDRAWN}),
        # A webhook may be here before the answer to our own POST, hence verdicts straight from submitted.
        Status.SUBMITTED: frozenset({Status.RECEIVED, Status.CORRECTION_NEEDED}) | _VERDICTS,
        Status.RECEIVED: _VERDICTS,
        Status.CORRECTION_NEEDED: frozenset({Status.HELD, Status.SUBMITTED, Status.WITHDRAWN}),
        Status.IN_REVIEW: frozenset({Status.ACTION_REQUIRED, Status.APPROVED, Status.REJECTED}),
        Status.ACTION_REQUIRED: frozenset({Status.IN_REVIEW, Status.APPROVED, Status.REJECTED}),
        # The provider publishes no table of its own; a refusal may be taken back after a manual look.
        Status.REJECTED: frozenset({Status.IN_REVIEW, Status.ACTION_REQUIRED, Status.APPROVED}),
        Status.APPROVED: frozenset(),
        Status.WITHDRAWN: frozenset(),
    }
    EDITABLE: ClassVar[frozenset[str]] = frozenset({Status.DRAFT, Status.CORRECTION_NEEDED})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="applications")
    reference = models.CharField(max_length=16, unique=True, default=new_reference, editable=False)
    account_type = models.CharField(
        max_length=24, choices=AccountType.choices, default=AccountType.INDIVIDUAL
    )
    #: The kind of company or trust; empty for accounts of people.
    entity_type = models.CharField(max_length=20, choices=EntityType.choices, blank=True)
    settlement_method = models.CharField(max_length=16, choices=SettlementMethod.choices, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    #: Counts every change of the draft; the API's ETag.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    submitted_at = models.DateTimeField(null=True, blank=True)
    #: When a person said that it is no duplicate; it is not held for that again.
    cleared_at = models.DateTimeField(null=True, blank=True)
    #: Who of the staff started it for the customer, and when it was handed over: until then staff fill it in.
    started_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    handed_over_at = models.DateTimeField(null=True, blank=True)
    #: When a draft nobody went on with was given up; it is withdrawn then.
    expired_at = models.DateTimeField(null=True, blank=True)
    #: What the provider complained about when it refused the data: {code, field, message} per complaint.
    corrections = models.JSONField(default=list)
    #: The file an existing customer came with; empty for those who apply.
    batch = models.ForeignKey(
        "ImportBatch", on_delete=models.PROTECT, null=True, blank=True, related_name="applications"
    )
    #: The key of the account that the customer brings along; where empty, the reference becomes it.
    client_account_id = models.CharField(max_length=32, blank=True)
    #: Counted by onboarding/document_requests.py: what we asked for that waits for the customer, how many of these are
    #: questions, the first day one is due, those handed in that wait for us, and since when the first of them waits.
    papers_asked = models.PositiveSmallIntegerField(default=0)
    questions_asked = models.PositiveSmallIntegerField(default=0)
    papers_since = models.DateTimeField(null=True, blank=True)
    papers_due_on = models.DateField(null=True, blank=True)
    papers_to_check = models.PositiveSmallIntegerField(default=0)
    search = SearchVectorField(null=True, editable=False)
    #: When everything personal in it was erased; the row stays, for the trail refers to it.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["customer"],
                name="application_one_open",
                # Of other types a person may open several: for two children, for two companies.
                condition=Q(account_type=AccountType.INDIVIDUAL)
                & Q(
                    status__in=[
                        "draft",
                        "held",
                        "submitted",
                        "received",
                        "correction_needed",
                        "in_review",
                        "action_required",
                    ]
                ),
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "held",
                        "submitted",
                        "received",
                        "correction_needed",
                        "in_review",
                        "action_required",
                        "approved",
                        "rejected",
                        "withdrawn",
                    ]
                ),
                name="application_status_known",
            ),
            models.UniqueConstraint(
                fields=["client_account_id"],
                name="application_client_account_id",
                condition=~Q(client_account_id=""),
            ),
            models.CheckConstraint(
                condition=Q(account_type__in=AccountType.values), name="application_type_known"
            ),
            models.CheckConstraint(
                condition=Q(account_type__in=[AccountType.INDIVIDUAL, AccountType.CUSTODIAL], entity_type="")
                | Q(account_type=AccountType.ENTITY_PERSONAL_TRUST, entity_type=EntityType.TRUST)
                | Q(account_type=AccountType.ENTITY, entity_type__in=EntityType.values),
                name="application_entity_type_fits",
            ),
        ]
        indexes = [
            models.Index(fields=["-id"], name="application_newest"),
            models.Index(fields=["status", "-id"], name="application_by_status"),
            models.Index(fields=["created_at"], name="application_by_begin"),
            models.Index(fields=["status", "status_at"], name="application_waiting"),
            models.Index(
                fields=["updated_at"], name="application_untouched_drafts", condition=Q(status="draft")
            ),
            models.Index(fields=["-id"], name="application_papers_asked", condition=Q(papers_asked__gt=0)),
            models.Index(
                fields=["-id"], name="application_papers_to_check", condition=Q(papers_to_check__gt=0)
            ),
            GinIndex(fields=["search"], name="application_search"),
        ]

    def __str__(self) -> str:
        return f"application {self.reference}"

    @property
    def is_editable(self) -> bool:
        """Whether the customer may still change answers."""
        return self.status in self.EDITABLE

    @property
    def is_with_staff(self) -> bool:
        """Whether staff still fill it in for the customer."""
        return (
            self.status == self.Status.DRAFT
            and self.started_by_id is not None
            and self.handed_over_at is None
        )

    @property
    def etag(self) -> str:
        """The draft's version as an HTTP entity tag."""
        return f'"{self.version}"'


class DraftReminder(models.Model):
    """That one day of the plan came for a draft (onboarding/abandoned.py): its letter is written once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="draft_reminders")
    #: The last change it is counted from: after a new one the plan begins again.
    unchanged_since = models.DateTimeField()
    day = models.PositiveSmallIntegerField()
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "unchanged_since", "day"], name="draft_reminder_once"
            )
        ]

    def __str__(self) -> str:
        return f"reminder of day {self.day}"


class ApplicationStep(models.Model):
    """One step of an application that was saved: which version, when, by whom, and whether it is complete."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="steps")
    #: Whose step it is; empty for steps of the account as a whole.
    owner = models.ForeignKey("Owner", on_delete=models.CASCADE, null=True, blank=True, related_name="steps")
    name = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    saved_at = models.DateTimeField(default=clock.now)
    saved_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["application", "owner", "name"], name="application_step_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
