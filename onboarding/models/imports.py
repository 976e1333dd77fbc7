"""A file of existing customers: the batch that came in, its rows until each became an application, handing them in."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django_countries.fields import CountryField

from portal import clock, ids
from portal.sealed import SealedJSONField
from portal.states import Stateful


class ImportBatch(Stateful):
    """One file, from its upload to the applications made of it; a wave of the migration."""

    class Status(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        IMPORTING = "importing", "Being imported"
        IMPORTED = "imported", "Imported"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        FAILED = "failed", "Stopped"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.UPLOADED: frozenset({Status.CHECKING}),
        Status.CHECKING: frozenset({Status.CHECKED, Status.FAILED}),
        # Checked again with another mapping.
        Status.CHECKED: frozenset({Status.CHECKING, Status.IMPORTING}),
        Status.IMPORTING: frozenset({Status.IMPORTED, Status.FAILED}),
        # Back to imported where somebody handed in or signed in before the worker came to it.
        Status.IMPORTED: frozenset({Status.UNDOING}),
        Status.UNDOING: frozenset({Status.UNDONE, Status.IMPORTED}),
        Status.UNDONE: frozenset(),
        # A fault of ours was mended: it goes on where it stood.
        Status.FAILED: frozenset({Status.CHECKING, Status.IMPORTING}),
    }
    AT_WORK: ClassVar[frozenset[str]] = frozenset({Status.CHECKING, Status.IMPORTING, Status.UNDOING})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    #: What staff call the wave.
    name = models.CharField(max_length=100)
    file_name = models.CharField(max_length=200)
    #: Where people live whose row names no country.
    country = CountryField(default="US")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UPLOADED)
    #: The file's columns in their order, and {question: column} as staff chose it.
    columns = ArrayField(models.CharField(max_length=100))
    mapping = models.JSONField(default=dict)
    #: Until the end of this day an account of the batch may lack what onboarding.requirements.grace lists.
    grace_until = models.DateField(null=True, blank=True)
    #: Counted as the file was read; the others as it is checked and imported.
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    rows_wrong = models.PositiveIntegerField(default=0)
    rows_imported = models.PositiveIntegerField(default=0)
    #: Number of the last row that the present pass has dealt with: where a restarted worker goes on.
    position = models.PositiveIntegerField(default=0)
    #: When a worker last got on with it; long ago means that it was lost.
    progressed_at = models.DateTimeField(default=clock.now)
    #: When staff had the customers asked for what is missing; from then on reminders follow.
    asked_at = models.DateTimeField(null=True, blank=True)
    #: What stopped it, or why it could not be undone; no personal data.
    problem = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "import"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "uploaded",
                        "checking",
                        "checked",
                        "importing",
                        "imported",
                        "undoing",
                        "undone",
                        "failed",
                    ]
                ),
                name="import_status_known",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def at_work(self) -> bool:
        """Whether a worker is busy with it, or should be."""
        return self.status in self.AT_WORK

    @property
    def rows_right(self) -> int:
        """Rows that may be imported, once the batch is checked."""
        return self.rows_total - self.rows_wrong

    @property
    def in_grace(self) -> bool:
        """Whether data may still be missing today."""
        return self.grace_until is not None and clock.today() <= self.grace_until


class ImportRow(models.Model):
    """One row of the file. What it says is sealed, and forgotten once it became an application."""

    class State(models.TextChoices):
        NEW = "new", "Not checked"
        UNREADABLE = "unreadable", "Not readable"
        WRONG = "wrong", "Wrong"
        READY = "ready", "Ready"
        IMPORTED = "imported", "Imported"

    class Verdict(models.TextChoices):
        """What a person said of a row that looks like another customer."""

        SAME = "same", "The same person"
        OTHER = "other", "Somebody else"
        LEFT_OUT = "left_out", "Left out"

    class Outcome(models.TextChoices):
        """What came of handing the customer in."""

        WAITS = "waits", "Waits for its turn"
        HANDED_IN = "handed_in", "Handed in"
        HELD = "held", "Held as a possible duplicate"
        UPDATED = "updated", "Sent as an update"
        NOTHING_NEW = "nothing_new", "Nothing new to send"
        LEFT_OUT = "left_out", "Left out"
        FAILED = "failed", "Stopped by a fault of ours"

    #: With these a row is not imported, and a draft made of it is withdrawn.
    AGAINST: ClassVar[frozenset[str]] = frozenset({Verdict.SAME, Verdict.LEFT_OUT})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    #: Counted from 1 without the header.
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.NEW)
    #: The row's cells in the order of the batch's columns.
    cells = SealedJSONField(null=True, blank=True)
    #: {question, or "" for the whole row: sentences}; no answers.
    errors = models.JSONField(default=dict)
    #: What a person should know though it stops nothing.
    doubts = ArrayField(models.CharField(max_length=200), default=list)
    #: What a person said about the doubts, who and when; empty until somebody did.
    verdict = models.CharField(max_length=8, choices=Verdict.choices, blank=True)
    verdict_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    verdict_at = models.DateTimeField(null=True, blank=True)
    #: Keyed hashes by which the same person is found in the file; empty where unknown.
    email_index = models.CharField(max_length=64, blank=True)
    tax_id_index = models.CharField(max_length=64, blank=True)
    person_index = models.CharField(max_length=64, blank=True)
    account_index = models.CharField(max_length=64, blank=True)
    #: How often, and when last, the customer was asked for what is missing.
    asks = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(null=True, blank=True)
    application = models.OneToOneField(
        "Application", on_delete=models.SET_NULL, null=True, blank=True, related_name="import_row"
    )
    #: The last run that handed the customer in or tried to, and what came of it. A row that waits is the queue.
    hand_in = models.ForeignKey(
        "HandIn", on_delete=models.PROTECT, null=True, blank=True, related_name="rows", db_index=False
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    #: Why, in words without answers.
    outcome_note = models.CharField(max_length=300, blank=True)
    outcome_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="import_row_once"),
            models.CheckConstraint(
                condition=Q(state__in=["new", "unreadable", "wrong", "ready", "imported"]),
                name="import_row_state_known",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["", "same", "other", "left_out"]), name="import_row_verdict_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    outcome__in=[
                        "",
                        "waits",
                        "handed_in",
                        "held",
                        "updated",
                        "nothing_new",
                        "left_out",
                        "failed",
                    ]
                ),
                name="import_row_outcome_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["batch", "id"],
                name="import_row_wrong",
                condition=Q(state__in=["wrong", "unreadable"]),
            ),
            models.Index(fields=["batch", "id"], name="import_row_doubtful", condition=~Q(doubts=[])),
            models.Index(fields=["hand_in", "id"], name="import_row_in_turn", condition=Q(outcome="waits")),
            models.Index(
                fields=["hand_in", "id"], name="import_row_of_hand_in", condition=Q(hand_in__isnull=False)
            ),
            *(
                models.Index(fields=["batch", name], name=f"import_row_{name}", condition=~Q(**{name: ""}))
                for name in ("email_index", "tax_id_index", "person_index", "account_index")
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"


class ImportTally(models.Model):
    """How many customers of a batch still lacked something on a day: the burn-down."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="tallies")
    day = models.DateField()
    lacking = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "day"], name="import_tally_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.lacking}"


class HandIn(Stateful):
    """One run that hands in customers of a batch, a few each minute. Its rows that wait are the queue."""

    class Status(models.TextChoices):
        RUNNING = "running", "Under way"
        PAUSED = "paused", "Paused"
        STOPPED = "stopped", "Stopped"
        DONE = "done", "Done"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.RUNNING: frozenset({Status.PAUSED, Status.STOPPED, Status.DONE}),
        Status.PAUSED: frozenset({Status.RUNNING, Status.STOPPED}),
        Status.STOPPED: frozenset(),
        Status.DONE: frozenset(),
    }
    OPEN: ClassVar[frozenset[str]] = frozenset({Status.RUNNING, Status.PAUSED})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.PROTECT, related_name="hand_ins")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RUNNING)
    #: Whether only customers went of whom nothing is missing, or all who may go while the grace period runs.
    complete_only = models.BooleanField(default=True)
    per_minute = models.PositiveSmallIntegerField()
    total = models.PositiveIntegerField(default=0)
    #: When the next customer may go: so the pace holds, also after a worker was away.
    next_at = models.DateTimeField(default=clock.now)
    #: What paused it, where nobody did; no personal data.
    problem = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "hand-in"
        constraints = [
            models.UniqueConstraint(
                fields=["batch"], name="hand_in_one_open", condition=Q(status__in=["running", "paused"])
            ),
            models.CheckConstraint(
                condition=Q(status__in=["running", "paused", "stopped", "done"]), name="hand_in_status_known"
            ),
            models.CheckConstraint(condition=Q(per_minute__gte=1), name="hand_in_has_a_pace"),
        ]

    def __str__(self) -> str:
        return f"hand-in {str(self.pk)[-8:]}"

    @property
    def is_open(self) -> bool:
        """Whether it goes on, or may."""
        return self.status in self.OPEN
