"""What the dashboard counts: a mark for each thing that counts, and the figures of each day added up from them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from compliance.models.queues import Queue
from portal import clock, ids


class CaseMark(models.Model):
    """One thing that happened to a case and counts. What the words mean stands in compliance/measures.py."""

    class Measure(models.TextChoices):
        ARRIVED = "arrived", "Arrived"
        TOUCHED = "touched", "First touched"
        DECIDED = "decided", "Decided"
        SETTLED = "settled", "Settled by itself"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(
        "compliance.Case", on_delete=models.PROTECT, related_name="marks", db_index=False
    )
    measure = models.CharField(max_length=8, choices=Measure.choices)
    at = models.DateTimeField(default=clock.now)
    #: Of which arrival: a case that is reopened arrives again.
    arrived_at = models.DateTimeField()
    kind = models.CharField(max_length=64)
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    person = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    #: Our time until then, on the case's calendar; empty where it is not measured.
    seconds = models.PositiveIntegerField(null=True, blank=True)
    #: Whether it was in time; empty for cases without a due date.
    is_met = models.BooleanField(null=True, blank=True)
    #: Of a decision: its code, its reason, and whether it approves or refuses what was asked.
    code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    verdict = models.CharField(max_length=8, blank=True)
    #: When it was written: later than `at` when it was filled in afterwards.
    written_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "measure", "arrived_at"], name="case_mark_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["measure", "at", "id"], name="case_mark_by_time"),
            models.Index(fields=["written_at"], name="case_mark_written"),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.at:%Y-%m-%d %H:%M}"


class DayCounted(models.Model):
    """That the figures of a day are counted, by whose counting and when."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    source = models.CharField(max_length=32)
    day = models.DateField()
    counted_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="day_counted_once")]

    def __str__(self) -> str:
        return f"{self.source} of {self.day}"


class Figure(models.Model):
    """A number of one day, by what the source tells apart. `seconds` holds every duration: medians are exact."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    source = models.CharField(max_length=32)
    day = models.DateField()
    measure = models.CharField(max_length=32)
    #: What the numbers are of: a kind of case, a type of account; with the decision and its reason.
    kind = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    queue = models.ForeignKey(
        Queue, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    person = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField()
    #: Of `judged` that had a due date, so many were in time.
    met = models.PositiveIntegerField(default=0)
    judged = models.PositiveIntegerField(default=0)
    seconds = ArrayField(models.PositiveIntegerField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "measure", "kind", "code", "reason", "queue", "person"],
                nulls_distinct=False,
                name="figure_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.day}: {self.number}"
