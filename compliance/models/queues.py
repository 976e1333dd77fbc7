"""Queues, the rules that put cases into them, and the calendars their clocks count on.

All of it is changed under the row lock of the one RuleBook, which counts the changes.
"""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from compliance.worktime import Hours
from portal import clock, ids
from portal.models.users import Role

#: Who sees and decides in a queue until a manager says otherwise.
USUAL_ROLES = (Role.COMPLIANCE_ANALYST.value,)


def usual_roles() -> list[str]:
    """The roles of a new queue."""
    return list(USUAL_ROLES)


class WorkCalendar(models.Model):
    """When we work: hours of some days of the week, but for holidays."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64)
    #: Monday is 0.
    weekdays = ArrayField(models.PositiveSmallIntegerField())
    opens = models.TimeField()
    closes = models.TimeField()
    #: Whether the federal holidays of the United States are days off.
    keeps_federal_holidays = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(opens__lt=F("closes")), name="calendar_opens_before_it_closes"
            ),
            models.CheckConstraint(
                condition=Q(weekdays__len__gt=0, weekdays__contained_by=[0, 1, 2, 3, 4, 5, 6]),
                name="calendar_has_a_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def hours(self) -> Hours:
        """The same as the clocks count on it."""
        return Hours(
            self.time_zone,
            frozenset(self.weekdays),
            self.opens,
            self.closes,
            self.keeps_federal_holidays,
            frozenset(self.days_off.values_list("day", flat=True)),
        )


class DayOff(models.Model):
    """A day of a calendar's own on which nobody works."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    calendar = models.ForeignKey(
        WorkCalendar, on_delete=models.CASCADE, related_name="days_off", db_index=False
    )
    day = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["calendar", "day"], name="day_off_once")]

    def __str__(self) -> str:
        return self.name


class Queue(models.Model):
    """Where cases wait for people. It narrows what a role may do, and never widens it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=80, unique=True)
    purpose = models.CharField(max_length=300, blank=True)
    seen_by = ArrayField(models.CharField(max_length=32), default=usual_roles, blank=True)
    decided_by = ArrayField(models.CharField(max_length=32), default=usual_roles, blank=True)
    #: The hours of its rules are counted on this calendar; without one, round the clock.
    calendar = models.ForeignKey(
        WorkCalendar, null=True, blank=True, on_delete=models.PROTECT, related_name="queues"
    )
    #: What no rule claims comes here.
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="queue_one_default"
            ),
            # Whoever decides must see.
            models.CheckConstraint(
                condition=Q(decided_by__contained_by=F("seen_by")), name="queue_deciders_see"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def default(cls) -> Self:
        """The queue of what no rule claims, made when it is first needed."""
        made, _ = cls.objects.get_or_create(
            is_default=True,
            defaults={"name": "All cases", "purpose": "What no rule puts elsewhere."},
        )
        return made


class RuleBook(models.Model):
    """The one row that whoever changes queues, rules or calendars locks, with the number of the last change."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    is_the_one = models.BooleanField(default=True, unique=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(is_the_one=True), name="rule_book_is_the_one")]

    def __str__(self) -> str:
        return f"rules, version {self.version}"

    @classmethod
    def current(cls) -> Self:
        """The rule book, made when it is first needed."""
        found, _ = cls.objects.get_or_create(is_the_one=True)
        return found


class Rule(models.Model):
    """Which cases go into a queue. The first rule that matches holds; what is empty matches anything."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=64, blank=True)
    #: Matches this priority and what presses more.
    priority_from = models.PositiveSmallIntegerField(default=1)
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=8, blank=True)
    #: Matches amounts of this currency from here on.
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="rules")
    #: The priority it gives; empty leaves the case's own.
    priority = models.PositiveSmallIntegerField(null=True, blank=True)
    #: In so many hours of the queue's calendar it should be decided; empty leaves the kind's own time.
    due_hours = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(priority_from__range=(1, 4)), name="rule_priority_from_known"),
            models.CheckConstraint(
                condition=Q(priority__isnull=True) | Q(priority__range=(1, 4)), name="rule_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True, currency="")
                | (Q(amount_minor__gt=0) & ~Q(currency="")),
                name="rule_amount_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(due_hours__isnull=True) | Q(due_hours__range=(1, 2000)),
                name="rule_hours_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"rule {self.position}"
