"""Comparing our transfers with the provider's own record: runs, what was read, and what differs."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from funding.models.transfers import Transfer
from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.money import Money
from portal.states import Stateful


class MoneyRun(Stateful):
    """One comparison. How far it is stands here, so it goes on after a crash; one runs at a time."""

    class Kind(models.TextChoices):
        READING = "reading", "All accounts"
        ACTIVITY = "activity", "Cash Activity file"
        BALANCES = "balances", "Cash Balance file"

    class Status(models.TextChoices):
        CHECKED = "checked", "Checked, not compared"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped"

    class Stage(models.TextChoices):
        GATHER = "gather", "Reading the provider's record"
        MATCH = "match", "Comparing it with our transfers"
        ABSENT = "absent", "Looking for transfers that it lacks"
        CLOSE = "close", "Closing what is right by now"
        CLEAR = "clear", "Clearing up"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.CHECKED: frozenset({Status.RUNNING, Status.STOPPED}),
        Status.RUNNING: frozenset({Status.FINISHED, Status.STOPPED}),
        Status.FINISHED: frozenset(),
        Status.STOPPED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.READING)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.GATHER)
    #: Empty for the daily one.
    started_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: What the record covers: movements begun since then, as they stood at `as_of`.
    since = models.DateTimeField()
    as_of = models.DateTimeField(default=clock.now)
    #: Whether movements are compared; False where the provider's transactions cannot be read, and for balances.
    with_movements = models.BooleanField(default=True)
    #: When the next step may be taken. While a worker reads, this is the end of its lease.
    next_at = models.DateTimeField(default=clock.now)
    #: The last key that the stage has dealt with: an account's, a movement's, a transfer's or an item's.
    cursor = models.CharField(max_length=40, blank=True)
    #: How often the provider fell silent.
    silences = models.PositiveSmallIntegerField(default=0)
    #: How many accounts or rows there are, and how many were dealt with.
    expected = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    not_answered = models.PositiveIntegerField(default=0)
    #: How many movements or balances the record has, known once all of it is read, and how many were compared.
    stated_count = models.PositiveIntegerField(default=0)
    compared = models.PositiveIntegerField(default=0)
    #: What differed, new or not; how much of it was new; and how much closed by itself.
    differ = models.PositiveIntegerField(default=0)
    opened = models.PositiveIntegerField(default=0)
    settled = models.PositiveIntegerField(default=0)
    file_name = models.CharField(max_length=200, blank=True)
    #: Rows of the file that cannot be read: how many, and the first of them as [row number, why].
    refused = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "comparison"
        constraints = [
            models.UniqueConstraint(
                fields=["status"], name="money_run_one_running", condition=Q(status="running")
            ),
            models.CheckConstraint(
                condition=Q(status__in=["checked", "running", "finished", "stopped"]),
                name="money_run_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"comparison of {self.started_at:%Y-%m-%d}"

    @property
    def step_words(self) -> str:
        """Which of its stages it is in."""
        stages = self.Stage.values
        return f"Step {stages.index(self.stage) + 1} of {len(stages)}"


class AccountReading(models.Model):
    """That a run read an account, and when; without a time it was not answered."""

    run = models.ForeignKey(MoneyRun, on_delete=models.CASCADE, related_name="readings", db_index=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+", db_index=False)
    as_of = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "account"], name="account_reading_once")]

    def __str__(self) -> str:
        return f"reading of {self.account_id}"


class StatedMovement(models.Model):
    """One movement, or one balance, as the provider's record has it; kept for as long as its run lasts.

    `key` is our reference, or `bakkt:` and theirs for what they began; `own` the latter always, where they name one.
    There may be a million, so the database is not asked for each whether its run and its account are there.
    """

    run = models.ForeignKey(
        MoneyRun, on_delete=models.CASCADE, related_name="stated", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        ProviderAccount,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    party_ref = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    own = models.CharField(max_length=255, blank=True)
    instrument = models.CharField(max_length=64, blank=True)
    type_word = models.CharField(max_length=64, blank=True)
    word = models.CharField(max_length=64, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    #: What the words mean to us; empty where nobody knows.
    status = models.CharField(max_length=10, blank=True)
    direction = models.CharField(max_length=10, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="USD")
    at = models.DateTimeField(null=True)
    as_of = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "key", "own"], name="stated_movement_once")]
        indexes = [models.Index(fields=["run", "id"], name="stated_movement_of_run")]

    def __str__(self) -> str:
        return f"movement {self.pk}"


class ReconciliationItem(Stateful):
    """One difference between our books and the provider's, until it is right or somebody dealt with it."""

    class Kind(models.TextChoices):
        MISSING_HERE = "missing_here", "They have it, we do not"
        MISSING_THERE = "missing_there", "We have it, they do not"
        TWICE = "twice", "They have it more than once"
        AMOUNT = "amount", "The amounts differ"
        STATE = "state", "The states differ"
        BALANCE = "balance", "The balances differ"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        THEIRS = "theirs", "Theirs to mend"
        PROPOSED = "proposed", "Write-off waits for a second person"
        RESOLVED = "resolved", "Resolved"
        SETTLED = "settled", "Right by itself"

    class Resolution(models.TextChoices):
        APPLIED = "applied", "Their record was taken over"
        SENT_AGAIN = "sent_again", "Sent again"
        WRITTEN_OFF = "written_off", "Written off"

    _DONE: ClassVar[frozenset[str]] = frozenset({Status.RESOLVED, Status.SETTLED})
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.OPEN: _DONE | {Status.THEIRS, Status.PROPOSED},
        Status.THEIRS: _DONE | {Status.PROPOSED},
        Status.PROPOSED: _DONE | {Status.OPEN},
        Status.RESOLVED: frozenset(),
        Status.SETTLED: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        (old, new) for old, news in MOVES.items() for new in news if new != "settled"
    )
    ACTIVE: ClassVar[tuple[str, ...]] = (Status.OPEN, Status.THEIRS, Status.PROPOSED)

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=13, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    #: The run that found it, and the last one that still did.
    run = models.ForeignKey(MoneyRun, on_delete=models.PROTECT, related_name="+")
    seen_run = models.ForeignKey(MoneyRun, on_delete=models.PROTECT, related_name="items")
    key = models.CharField(max_length=255)
    own = models.CharField(max_length=255, blank=True)
    party_ref = models.CharField(max_length=255)
    account = models.ForeignKey(ProviderAccount, null=True, on_delete=models.PROTECT, related_name="+")
    transfer = models.ForeignKey(Transfer, null=True, on_delete=models.PROTECT, related_name="differences")
    #: Both sides as they were seen last, in their words.
    our_status = models.CharField(max_length=10, blank=True)
    our_direction = models.CharField(max_length=10, blank=True)
    our_minor = models.BigIntegerField(null=True)
    their_status = models.CharField(max_length=10, blank=True)
    their_direction = models.CharField(max_length=10, blank=True)
    their_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="USD")
    instrument = models.CharField(max_length=64, blank=True)
    type_word = models.CharField(max_length=64, blank=True)
    word = models.CharField(max_length=64, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    their_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(default=clock.now, editable=False)
    note = models.CharField(max_length=500, blank=True)
    resolution = models.CharField(max_length=11, choices=Resolution.choices, blank=True)
    proposed_by = models.ForeignKey("portal.User", null=True, on_delete=models.PROTECT, related_name="+")
    resolved_by = models.ForeignKey("portal.User", null=True, on_delete=models.PROTECT, related_name="+")
    #: The booking that wrote it off.
    adjustment = models.ForeignKey(Transfer, null=True, on_delete=models.PROTECT, related_name="+")
    case_opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "difference"
        constraints = [
            models.UniqueConstraint(
                fields=["key", "kind"],
                name="difference_one_open",
                condition=Q(status__in=["open", "theirs", "proposed"]),
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "theirs", "proposed", "resolved", "settled"]),
                name="difference_status_known",
            ),
        ]
        indexes = [
            models.Index(F("status"), F("id").desc(), name="difference_by_status"),
            models.Index(fields=["key", "kind"], name="difference_of_key"),
        ]

    def __str__(self) -> str:
        return f"difference {str(self.pk)[-8:].upper()}"

    @property
    def active(self) -> bool:
        """Whether it still waits for somebody, here or at the provider."""
        return self.status in self.ACTIVE

    @property
    def gap(self) -> Money:
        """What the customer has more by their record than by ours, negative for less; what a write-off books."""
        if self.kind == self.Kind.BALANCE:
            return Money((self.their_minor or 0) - (self.our_minor or 0), self.currency)
        theirs = _effect(self.their_status, self.their_direction, self.their_minor)
        ours = _effect(self.our_status, self.our_direction, self.our_minor)
        return Money(theirs - ours, self.currency)


def _effect(status: str, direction: str, minor: int | None) -> int:
    """What such a movement does to what the customer may use: a withdrawal is set aside from the start."""
    if not status or not minor or status in Transfer.ENDED_BADLY:
        return 0
    if direction == Transfer.Direction.DEPOSIT:
        return minor if status == Transfer.Status.COMPLETED else 0
    return -minor
