"""How far the migration is: what customers of a batch still lack, and whether they will be through in time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from onboarding.agreements import scope
from onboarding.models import (
    Application,
    Employment,
    ImportBatch,
    ImportTally,
    InvestmentProfile,
    Owner,
)
from portal import clock, permissions
from portal.models import User
from portal.pages import Page, keyset

#: What a file may not bring along: what may be missing for a while (onboarding.requirements.grace), and agreements,
#: which nobody can accept for the customer. As people read it.
LABELS = {
    "investment": "Investment profile",
    "employment": "Employment",
    "phone": "Phone number",
    "agreements": "Agreements",
}
#: So many days back the pace is measured.
PACE_DAYS = 14


@dataclass(frozen=True)
class Standing:
    """A wave, or all of them together: how many customers, and how many lack each thing."""

    total: int
    lacking: int
    by_item: Mapping[str, int]

    @property
    def complete(self) -> int:
        """Customers of whom nothing is missing."""
        return self.total - self.lacking


def live(batches: QuerySet[ImportBatch]) -> QuerySet[Application]:
    """The applications of batches that still count."""
    over = (Application.Status.REJECTED, Application.Status.WITHDRAWN)
    return Application.objects.filter(batch__in=batches).exclude(status__in=over)


def lacks() -> dict[str, Q]:
    """The condition under which an application lacks each thing."""
    unsigned = Q(pk__in=[])
    for agreement in scope.in_force():
        unsigned |= Q(Exists(scope.yet_to_accept(agreement).filter(application=OuterRef("pk"))))
    return {
        "investment": ~Q(Exists(InvestmentProfile.objects.filter(application=OuterRef("pk")))),
        "employment": ~Q(Exists(Employment.objects.filter(owner__application=OuterRef("pk")))),
        "phone": Q(Exists(Owner.objects.filter(application=OuterRef("pk"), phone=""))),
        "agreements": unsigned,
    }


def lacking(batches: QuerySet[ImportBatch]) -> QuerySet[Application]:
    """The applications that lack anything."""
    anything = Q(pk__in=[])
    for condition in lacks().values():
        anything |= condition
    return live(batches).filter(anything)


def standing(batches: QuerySet[ImportBatch]) -> Standing:
    """Counted by the database, whatever the size."""
    conditions = lacks()
    counts = live(batches).aggregate(
        total=Count("pk"), **{name: Count("pk", filter=condition) for name, condition in conditions.items()}
    )
    return Standing(counts["total"], lacking(batches).count(), {name: counts[name] for name in conditions})


def one(batch: ImportBatch) -> QuerySet[ImportBatch]:
    """The batch alone, as the functions here take it."""
    return ImportBatch.objects.filter(pk=batch.pk)


def waves() -> QuerySet[ImportBatch]:
    """Every batch that made customers."""
    return ImportBatch.objects.filter(status=ImportBatch.Status.IMPORTED)


def tally_keep() -> None:
    """Note today's number of each wave; a later look of the same day replaces it."""
    today = clock.today()
    for batch in waves():
        number = lacking(one(batch)).count()
        ImportTally.objects.update_or_create(batch=batch, day=today, defaults={"lacking": number})


def burn_down(batch: ImportBatch) -> list[tuple[str, int]]:
    """(day, customers who still lacked something), oldest first."""
    rows = list(ImportTally.objects.filter(batch=batch).order_by("-day")[:60])
    return [(f"{row.day:%b} {row.day.day}", row.lacking) for row in reversed(rows)]


def countdown(batch: ImportBatch) -> str:
    """How long the grace period still lasts, in words."""
    if batch.grace_until is None:
        return "No grace period"
    left = (batch.grace_until - clock.today()).days
    if left < 0:
        return "The grace period is over"
    return "Last day of grace" if left == 0 else f"{left} day{'' if left == 1 else 's'} of grace left"


def forecast(batch: ImportBatch, now_lacking: int) -> str:
    """The plain sentence: whether the wave will be through in time."""
    if now_lacking == 0:
        return "Everybody is complete."
    if batch.grace_until is None:
        return f"{_people(now_lacking)} still lack something."
    today = clock.today()
    if batch.grace_until < today:
        return f"{_people(now_lacking)} missed the date."
    since = ImportTally.objects.filter(batch=batch, day__gte=today - timedelta(days=PACE_DAYS), day__lt=today)
    first = since.order_by("day").first()
    if first is None:
        return f"{_people(now_lacking)} still lack something. The pace is known after a day."
    missing = _will_miss(first.day, first.lacking, today, now_lacking, batch.grace_until)
    if missing == 0:
        return "At this pace everybody will be complete in time."
    return f"At this pace {missing:,} will miss the date."


def _will_miss(since: date, then: int, today: date, now: int, until: date) -> int:
    a_day = max(then - now, 0) / (today - since).days
    return max(0, math.ceil(now - a_day * (until - today).days))


def _people(number: int) -> str:
    return "One customer" if number == 1 else f"{number:,} customers"


def customers_lacking(
    viewer: User, batch: ImportBatch, *, after: str = "", before: str = ""
) -> tuple[Page[Application], dict[str, list[str]]]:
    """Who lacks something, and {application id: what}."""
    permissions.require(viewer, "import.view")
    page = keyset(lacking(one(batch)).prefetch_related("owners"), after=after, before=before)
    conditions = lacks()
    keys = [row.pk for row in page.rows]
    found: dict[str, list[str]] = {str(key): [] for key in keys}
    for name, condition in conditions.items():
        for key in Application.objects.filter(condition, pk__in=keys).values_list("pk", flat=True):
            found[str(key)].append(LABELS[name])
    return page, found
