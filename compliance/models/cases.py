"""Cases and what belongs to them. Facts, notes and decisions are only ever added; a database trigger holds that.

Keys with `db_index=False` are the first column of an index or constraint below.
"""

from datetime import UTC, datetime
from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from compliance.models.queues import Queue, WorkCalendar
from portal import clock, ids
from portal.states import Stateful

#: Where cases without a date stand among those with one.
NEVER = models.Value(datetime(9999, 1, 1, tzinfo=UTC), output_field=models.DateTimeField())


def new_reference() -> str:
    """A reference people can read out, such as CS-7K3M-9QX2."""
    return ids.new_reference("CS")


class Case(Stateful):
    """One question about one subject that a person answers. What it is about and what follows is its kind's."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        IN_PROGRESS = "in_progress", "In progress"
        WAITING_CUSTOMER = "waiting_customer", "Waiting for the customer"
        WAITING_PROVIDER = "waiting_provider", "Waiting for the provider"
        ESCALATED = "escalated", "Escalated"
        DECIDED = "decided", "Decided"
        CLOSED = "closed", "Closed"

    class Priority(models.IntegerChoices):
        LOW = 1, "Low"
        NORMAL = 2, "Normal"
        HIGH = 3, "High"
        URGENT = 4, "Urgent"

    WAITING: ClassVar[frozenset[str]] = frozenset({Status.WAITING_CUSTOMER, Status.WAITING_PROVIDER})
    #: Nothing is left to decide.
    DONE: ClassVar[tuple[str, ...]] = (Status.DECIDED, Status.CLOSED)
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        # Closed without a decision: what it was about settled itself.
        Status.OPEN: WAITING | {Status.IN_PROGRESS, Status.ESCALATED, Status.CLOSED},
        Status.IN_PROGRESS: WAITING | {Status.OPEN, Status.ESCALATED, Status.DECIDED, Status.CLOSED},
        Status.WAITING_CUSTOMER: frozenset(
            {Status.OPEN, Status.IN_PROGRESS, Status.WAITING_PROVIDER, Status.ESCALATED, *DONE}
        ),
        Status.WAITING_PROVIDER: frozenset(
            {Status.OPEN, Status.IN_PROGRESS, Status.WAITING_CUSTOMER, Status.ESCALATED, *DONE}
        ),
        Status.ESCALATED: WAITING | {Status.IN_PROGRESS, Status.DECIDED, Status.CLOSED},
        Status.DECIDED: frozenset({Status.CLOSED, Status.OPEN}),
        Status.CLOSED: frozenset({Status.OPEN}),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {(Status.DECIDED, Status.OPEN), (Status.CLOSED, Status.OPEN)}
    )

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    reference = models.CharField(max_length=12, unique=True, default=new_reference, editable=False)
    kind = models.CharField(max_length=64)
    #: What it is about: a model's label and its key. No foreign key, since the apps with the models come after us.
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    #: How the subject is called in lists. A name or a reference, nothing that is sealed elsewhere.
    subject_label = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    #: The person whose work opened it; empty when an event or a job did.
    opened_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    assignee = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: When it should be decided; empty while it waits for others, since the clock stands still then.
    due_at = models.DateTimeField(null=True, blank=True)
    waiting_until = models.DateTimeField(null=True, blank=True)
    last_fact_at = models.DateTimeField(default=clock.now)
    #: Where the rules put it, and the number of the rule book's change they stood at.
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    routed_by = models.PositiveIntegerField(default=0, db_default=0)
    #: What the rules read beside the kind (kinds.Traits), and the priority its facts ask for.
    country = models.CharField(max_length=2, blank=True, default="", db_default="")
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    told_priority = models.PositiveSmallIntegerField(null=True, blank=True)
    #: The clock (compliance/sla.py): how long we may take, how much of it is spent, since when it runs on.
    sla_seconds = models.PositiveIntegerField(null=True, blank=True)
    spent_seconds = models.PositiveIntegerField(default=0, db_default=0)
    clock_from = models.DateTimeField(null=True, blank=True)
    calendar = models.ForeignKey(
        WorkCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: Counts every change, so that a decision says what it was made upon.
    version = models.PositiveIntegerField(default=1)
    #: The words of the reference and the subject's label, written when the case is opened.
    search = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject_type", "subject_id"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_one_open_per_subject_and_kind",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=(
                        "open",
                        "in_progress",
                        "waiting_customer",
                        "waiting_provider",
                        "escalated",
                        "decided",
                        "closed",
                    )
                ),
                name="case_status_known",
            ),
            models.CheckConstraint(condition=Q(priority__range=(1, 4)), name="case_priority_known"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=~Q(status__in=("decided", "closed")), name="case_undone"),
            models.Index(
                fields=["queue", "id"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_queue",
            ),
            models.Index(
                Coalesce("due_at", NEVER),
                "id",
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_due",
            ),
            models.Index(
                fields=["-priority", "id"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_priority",
            ),
            models.Index(
                fields=["routed_by"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_to_route",
            ),
            models.Index(fields=["status", "id"], name="case_by_status"),
            models.Index(fields=["kind", "id"], name="case_by_kind"),
            models.Index(fields=["assignee", "id"], name="case_by_assignee"),
            models.Index(fields=["opened_by", "id"], name="case_by_opener"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="case_by_subject"),
            models.Index(
                F("priority").desc(),
                Coalesce("due_at", NEVER),
                "id",
                condition=Q(status="open", assignee__isnull=True),
                name="case_to_take_by_due",
            ),
            models.Index(
                fields=["assignee"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_assignee",
            ),
            models.Index(
                fields=["waiting_until"],
                condition=Q(status__in=("waiting_customer", "waiting_provider")),
                name="case_to_return",
            ),
            GinIndex(fields=["search"], name="case_search"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to decide."""
        return self.status in self.DONE


class CaseFact(models.Model):
    """One event that opened the case or added to it, with its evidence masked."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="facts", db_index=False)
    title = models.CharField(max_length=200)
    evidence = models.JSONField(default=dict)
    source = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)
    #: Kind, subject and the caller's key: the same event adds nothing, also after the case was decided.
    dedupe = models.CharField(max_length=400, unique=True)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="case_fact_of")]

    def __str__(self) -> str:
        return self.title


class CaseNote(models.Model):
    """What a member of staff wrote down for colleagues. Customers never see it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes", db_index=False)
    author = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    text = models.TextField(max_length=4000)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["case", "id"], name="case_note_of")]

    def __str__(self) -> str:
        return f"note of {self.at:%Y-%m-%d %H:%M}"


class CaseTick(models.Model):
    """An item of the checklist that someone has done."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="ticks", db_index=False)
    item = models.CharField(max_length=64)
    by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "item"], name="case_tick_once")]

    def __str__(self) -> str:
        return self.item


class CaseDecision(models.Model):
    """What was decided, by whom, upon which version of the case, and what its effect came to."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    actor = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=64)
    #: The words as they stood then; a kind may be worded otherwise later.
    label = models.CharField(max_length=120)
    reason_code = models.CharField(max_length=64, blank=True)
    reason_label = models.CharField(max_length=200, blank=True)
    text = models.TextField(max_length=4000, blank=True)
    outcome = models.TextField(blank=True)
    seen_version = models.PositiveIntegerField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "seen_version"], name="case_decided_once_per_version")
        ]

    def __str__(self) -> str:
        return self.label
