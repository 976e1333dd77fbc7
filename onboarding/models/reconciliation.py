"""Comparing our accounts with the provider's: the runs, what each account came to, and accounts nobody here knows."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from onboarding.models.accounts import ProviderAccount
from portal import clock, ids
from portal.sealed import SealedJSONField
from portal.states import Stateful


class ReconciliationRun(Stateful):
    """One look at all accounts. Its row is the place where a worker takes a batch, so it goes on after a crash."""

    class Kind(models.TextChoices):
        READING = "reading", "All accounts"
        LIST = "list", "Provider's list"

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.RUNNING: frozenset({Status.FINISHED, Status.STOPPED}),
        Status.FINISHED: frozenset(),
        Status.STOPPED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.READING)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.RUNNING)
    #: Empty for the nightly one.
    started_by = models.ForeignKey(
        "portal.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    started_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    #: When the next batch may be taken. While a worker is at one, this is the end of its lease.
    next_at = models.DateTimeField(default=clock.now)
    #: The last account taken, in the order of the keys.
    cursor = models.UUIDField(null=True, blank=True)
    #: How many accounts were to be read, or rows to be compared, when it began.
    expected = models.PositiveIntegerField(default=0)
    agree = models.PositiveIntegerField(default=0)
    differ = models.PositiveIntegerField(default=0)
    #: Ours, and the provider says that it has no such account.
    missing = models.PositiveIntegerField(default=0)
    #: Theirs, and nobody here knows it.
    unknown = models.PositiveIntegerField(default=0)
    not_answered = models.PositiveIntegerField(default=0)
    #: Not comparable now: being opened, or a change of it is on its way.
    under_way = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "reconciliation"
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], name="reconciliation_one_running", condition=Q(status="running")
            ),
            models.CheckConstraint(
                condition=Q(status__in=["running", "finished", "stopped"]), name="reconciliation_status_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["reading", "list"]), name="reconciliation_kind_known"
            ),
        ]
        indexes = [models.Index(F("kind"), F("id").desc(), name="reconciliation_newest")]

    def __str__(self) -> str:
        return f"reconciliation of {self.started_at:%Y-%m-%d}"

    @property
    def read(self) -> int:
        """How many accounts the provider has answered for, or rows that were compared."""
        return self.agree + self.differ + self.missing + self.under_way + self.listed_unknown

    @property
    def listed_unknown(self) -> int:
        """The unknown accounts of a list are rows of it; those of a nightly run came by webhook."""
        return self.unknown if self.kind == self.Kind.LIST else 0

    @property
    def done(self) -> int:
        """How far it is, out of `expected`."""
        return self.read + self.not_answered


class AccountCheck(models.Model):
    """What the last comparison of one account came to."""

    class Outcome(models.TextChoices):
        READING = "reading", "Being read"
        AGREES = "agrees", "Agrees"
        DIFFERS = "differs", "Differs"
        MISSING = "missing", "Not at the provider"
        UNDER_WAY = "under_way", "Not comparable now"
        NOT_ANSWERED = "not_answered", "Not answered"

    account = models.OneToOneField(
        ProviderAccount, primary_key=True, on_delete=models.CASCADE, related_name="check_row"
    )
    #: The run that took it last.
    run = models.ForeignKey(
        ReconciliationRun, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.READING)
    #: How often the run asked.
    attempts = models.PositiveSmallIntegerField(default=0)
    checked_at = models.DateTimeField(null=True, blank=True)
    #: One stretch of differing: a new one begins after the copies agreed, and after a decision to make them agree.
    episode = models.UUIDField(null=True, blank=True)
    #: Of the differences, so that the same ones are no news.
    fingerprint = models.CharField(max_length=64, blank=True)
    #: [{path, words, ours, sent, theirs, restricted}], masked, as they were read.
    lines = SealedJSONField(null=True, blank=True)
    #: What the provider's own list called it last; empty where no list did.
    listed = models.CharField(max_length=64, blank=True)
    #: [{owner, step, answers}]: what of the provider's copy could be taken over, in the form the step takes.
    takeable = SealedJSONField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    outcome__in=["reading", "agrees", "differs", "missing", "under_way", "not_answered"]
                ),
                name="account_check_outcome_known",
            )
        ]
        indexes = [models.Index(fields=["run", "outcome", "account"], name="account_check_of_run")]

    def __str__(self) -> str:
        return f"check of {self.account_id}"


class ListedAccount(models.Model):
    """A row of an uploaded list that is still to be compared; gone afterwards."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="+", db_index=False)
    ref = models.CharField(max_length=255)
    words = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="listed_account_of_run")]

    def __str__(self) -> str:
        return f"row {self.pk}"


class UnknownAccount(models.Model):
    """An account that the provider speaks of and nobody here knows."""

    class FoundBy(models.TextChoices):
        WEBHOOK = "webhook", "A webhook"
        LIST = "list", "The provider's list"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    provider = models.CharField(max_length=16, default="bakkt")
    ref = models.CharField(max_length=255)
    #: The provider's own word for its status, where the list gave one.
    words = models.CharField(max_length=64, blank=True)
    found_by = models.CharField(max_length=8, choices=FoundBy.choices)
    first_seen_at = models.DateTimeField(default=clock.now, editable=False)
    last_seen_at = models.DateTimeField(default=clock.now)
    #: When an account here came to bear this reference.
    known_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="unknown_account_once"),
            models.CheckConstraint(
                condition=Q(found_by__in=["webhook", "list"]), name="unknown_account_found_by_known"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="unknown_account_open", condition=Q(known_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"unknown account {str(self.pk)[-8:]}"


class JurisdictionReading(models.Model):
    """What the provider allows in one place, as it said last. `orders` and `transfers` map a coin to its word."""

    country = models.CharField(max_length=3)
    state = models.CharField(max_length=10, blank=True)
    orders = models.JSONField(default=dict)
    transfers = models.JSONField(default=dict)
    read_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["country", "state"], name="jurisdiction_reading_once")]

    def __str__(self) -> str:
        return f"{self.country} {self.state}".strip()
