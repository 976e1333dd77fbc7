"""Cases and what belongs to them. Facts, notes and decisions are only ever added; a database trigger holds that.

Keys with `db_index=False` are the first column of an index or constraint below.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from compliance.models.figures import CaseMark
from compliance.models.queues import Queue, WorkCalendar
from portal import clock, ids
from portal.states import Stateful

if TYPE_CHECKING:
    from portal.models import User

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
        HELD = "held", "On hold"
        ESCALATED = "escalated", "Escalated"
        WAITING_APPROVAL = "waiting_approval", "Waiting for approval"
        DECIDED = "decided", "Decided"
        CLOSED = "closed", "Closed"

    class Priority(models.IntegerChoices):
        LOW = 1, "Low"
        NORMAL = 2, "Normal"
        HIGH = 3, "High"
        URGENT = 4, "Urgent"

    WAITING: ClassVar[frozenset[str]] = frozenset({Status.WAITING_CUSTOMER, Status.WAITING_PROVIDER})
    #: Comes back by itself. A hold is our own choice, so its clock runs on.
    RETURNING: ClassVar[frozenset[str]] = WAITING | {Status.HELD}
    #: In the hands of one of us.
    WORKED: ClassVar[frozenset[str]] = frozenset({Status.IN_PROGRESS, Status.HELD})
    #: Nothing is left to decide.
    DONE: ClassVar[tuple[str, ...]] = (Status.DECIDED, Status.CLOSED)
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        # Closed without a decision: what it was about settled itself.
        Status.OPEN: WAITING | {Status.IN_PROGRESS, Status.ESCALATED, Status.CLOSED},
        Status.IN_PROGRESS: RETURNING | {Status.OPEN, Status.ESCALATED, Status.WAITING_APPROVAL, *DONE},
        Status.WAITING_CUSTOMER: frozenset(
            {
                Status.OPEN,
                Status.IN_PROGRESS,
                Status.HELD,
                Status.WAITING_PROVIDER,
                Status.ESCALATED,
                Status.WAITING_APPROVAL,
                *DONE,
            }
        ),
        Status.WAITING_PROVIDER: frozenset(
            {
                Status.OPEN,
                Status.IN_PROGRESS,
                Status.HELD,
                Status.WAITING_CUSTOMER,
                Status.ESCALATED,
                Status.WAITING_APPROVAL,
                *DONE,
            }
        ),
        Status.HELD: WAITING
        | {Status.OPEN, Status.IN_PROGRESS, Status.ESCALATED, Status.WAITING_APPROVAL, *DONE},
        Status.ESCALATED: RETURNING | {Status.IN_PROGRESS, Status.WAITING_APPROVAL, *DONE},
        # Whatever else is done with it first ends the proposal (services/proposals.py).
        Status.WAITING_APPROVAL: WAITING | {Status.OPEN, Status.IN_PROGRESS, Status.ESCALATED, *DONE},
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
    #: When it was last reopened, and when a person of ours first did something with it since.
    arrived_at = models.DateTimeField(null=True, blank=True)
    touched_at = models.DateTimeField(null=True, blank=True)
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
                        "held",
                        "escalated",
                        "waiting_approval",
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
                fields=["queue"],
                condition=Q(status="open", assignee__isnull=True),
                name="case_to_take_by_queue",
            ),
            models.Index(
                fields=["assignee"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_assignee",
            ),
            models.Index(
                fields=["queue", "opened_at"],
                condition=~Q(status__in=("decided", "closed")),
                name="case_undone_by_age",
            ),
            models.Index(
                fields=["waiting_until"],
                condition=Q(status__in=("held", "waiting_customer", "waiting_provider")),
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

    @property
    def since(self) -> datetime:
        """When it was opened, or last reopened."""
        return self.arrived_at or self.opened_at

    def worked(self, begin: datetime, end: datetime) -> timedelta:
        """Our time between two moments: the hours of its calendar, or round the clock where it has none."""
        return self.calendar.hours().between(begin, end) if self.calendar else end - begin

    def move_to(self, new: str, *, actor: "User | None", reason: str = "", source: str = "") -> None:
        """As every row with a lifecycle; what of it counts on the dashboard is marked in the same transaction."""
        old = self.status
        super().move_to(new, actor=actor, reason=reason, source=source)
        if new == self.Status.OPEN and old in self.DONE:
            self.arrived_at, self.touched_at = self.status_at, None
            self.save(update_fields=["arrived_at", "touched_at"])
            self.mark(CaseMark.Measure.ARRIVED)
        elif new == self.Status.CLOSED and old not in self.DONE:
            self.mark(CaseMark.Measure.SETTLED)
        elif actor is not None and self.assignee_id == actor.pk:
            self.mark_touched(actor)

    def mark_touched(self, actor: "User") -> None:
        """A person of ours did something with it; only the first time counts."""
        if self.touched_at is None and not self.is_done:
            self.touched_at = clock.now()
            self.save(update_fields=["touched_at"])
            seconds = self.worked(self.since, self.touched_at).total_seconds()
            self.mark(CaseMark.Measure.TOUCHED, person=actor, seconds=max(0, int(seconds)))

    def mark(self, measure: str, **said: Any) -> None:
        """Write the mark, with where the case lies now; a second one of the same arrival changes nothing."""
        mark = CaseMark(
            case=self, measure=measure, arrived_at=self.since, kind=self.kind, queue=self.queue, **said
        )
        CaseMark.objects.bulk_create([mark], ignore_conflicts=True)


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
    #: Where a second person approved it: who, and what exactly they were asked.
    proposal = models.OneToOneField(
        "compliance.Proposal", null=True, blank=True, on_delete=models.PROTECT, related_name="decision"
    )
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "seen_version"], name="case_decided_once_per_version")
        ]

    def __str__(self) -> str:
        return self.label
