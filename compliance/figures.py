"""Figures of each day, counted by those who know: cases here, applications and returns by their own apps.

    figures.register(figures.Source("onboarding", count=cohorts, follow_days=90))

`count(first, last)` gives the figures of these days, both included, read from an index; nothing is saved. A job keeps
them (compliance/jobs.py), each day as one: what was there of it is replaced, so a day may be counted again at any time.
Days that are not counted yet, today above all, are counted when somebody looks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import TruncDate
from django.utils import timezone

from compliance.models import CaseMark, DayCounted, Figure
from portal import clock

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Source:
    """Somebody who counts. Each of the last `follow_days` days is counted again every day.

    `changed` says in which days something was written since a moment, for what comes late.
    """

    name: str
    count: Callable[[date, date], Iterable[Figure]]
    follow_days: int = 14
    changed: Callable[[datetime], set[date]] = lambda _since: set()


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Have the days counted. Raises ValueError when the name is another's."""
    if _sources.get(source.name, source) is not source:
        raise ValueError(f"There is a source of figures {source.name} already.")
    _sources[source.name] = source


def all_sources() -> list[Source]:
    """Everybody who counts."""
    return list(_sources.values())


def get(name: str) -> Source:
    """The source of that name. Raises KeyError."""
    return _sources[name]


def begin_of(day: date) -> datetime:
    """Midnight of the day in the portal's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def count_day(source: Source, day: date) -> int:
    """Count a day and keep its figures in place of those that were there. Answers how many rows it took.

    Two at once follow one another. Raises ValueError for a day that is not over.
    """
    if day >= clock.today():
        raise ValueError("A day is counted when it is over.")
    with transaction.atomic():
        DayCounted.objects.get_or_create(source=source.name, day=day)
        row = DayCounted.objects.select_for_update().get(source=source.name, day=day)
        # What is written while we count is counted again: the moment stands from before.
        row.counted_at = clock.now()
        figures = list(source.count(day, day))
        Figure.objects.filter(source=source.name, day=day).delete()
        Figure.objects.bulk_create(figures, batch_size=1000)
        row.save(update_fields=["counted_at"])
    return len(figures)


def days_to_count(source: Source) -> list[date]:
    """The days before today whose figures are missing or from before today, and those where something came late."""
    today = clock.today()
    begun = begin_of(today)
    follow = {today - DAY * back for back in range(1, source.follow_days + 1)}
    done = DayCounted.objects.filter(source=source.name)
    fresh = set(done.filter(day__in=follow, counted_at__gte=begun).values_list("day", flat=True))
    last = done.order_by("-counted_at").values_list("counted_at", flat=True).first()
    # Somebody may have held a transaction open when it was counted last.
    late = source.changed(last - timedelta(hours=1)) if last else set()
    return sorted(((follow - fresh) | late) - {today})


def uncounted(source: str, first: date, last: date) -> list[tuple[date, date]]:
    """The days of a period that nobody has counted, as runs of first and last."""
    done = set(
        DayCounted.objects.filter(source=source, day__range=(first, last)).values_list("day", flat=True)
    )
    runs: list[tuple[date, date]] = []
    for back in range((last - first).days + 1):
        day = first + DAY * back
        if day in done:
            continue
        if runs and runs[-1][1] == day - DAY:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def count_cases(first: date, last: date) -> list[Figure]:
    """The figures of cases: by queue and person, and the decisions by kind, code and reason."""
    between = [begin_of(first), begin_of(last + DAY)]
    with connection.cursor() as cursor:
        cursor.execute(_CASES, [settings.TIME_ZONE, *between, settings.TIME_ZONE, *between])
        return [
            Figure(
                source="cases",
                day=row[0],
                measure=row[1],
                kind=row[2],
                code=row[3],
                reason=row[4],
                queue_id=row[5],
                person_id=row[6],
                number=row[7],
                met=row[8],
                judged=row[9],
                seconds=row[10] or [],
            )
            for row in cursor.fetchall()
        ]


_CASES = """
SELECT (at AT TIME ZONE %s)::date, measure, '', '', '', queue_id, person_id, count(*),
  count(*) FILTER (WHERE is_met), count(is_met), array_agg(seconds ORDER BY seconds) FILTER (WHERE seconds IS NOT NULL)
FROM compliance_casemark
WHERE measure IN ('arrived', 'touched', 'decided', 'settled') AND at >= %s AND at < %s GROUP BY 1, 2, 6, 7
UNION ALL
SELECT (at AT TIME ZONE %s)::date, CASE verdict WHEN '' THEN 'other' ELSE verdict END, kind, code, reason,
  queue_id, NULL, count(*), 0, 0, NULL
FROM compliance_casemark WHERE measure = 'decided' AND at >= %s AND at < %s GROUP BY 1, 2, 3, 4, 5, 6"""


def days_of_marks(since: datetime) -> set[date]:
    """In which days something counts that was written since then."""
    written = CaseMark.objects.filter(written_at__gte=since)
    return set(written.values_list(TruncDate("at"), flat=True).distinct())


CASES = Source("cases", count_cases, changed=days_of_marks)
