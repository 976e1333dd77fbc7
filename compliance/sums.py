"""Figures of a period added up, and compared with the period before: from the kept days, and from what is counted now
of those that are not kept. Two queries whatever the period holds, besides the counting of today.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from compliance import figures
from compliance.models import Figure

COLUMNS = frozenset({"day", "measure", "kind", "code", "reason", "queue_id", "person_id"})
DAY = timedelta(days=1)
#: By source and days: the runs of days that are not kept, and what was counted of them.
Memo = dict[tuple[str, date, date], tuple[list[tuple[date, date]], list[Figure]]]


@dataclass(frozen=True)
class Period:
    """Days from first to last, both included, and those they are compared with."""

    first: date
    last: date
    before: tuple[date, date]
    words: str

    @classmethod
    def of(cls, first: date, last: date, words: str) -> "Period":
        """The days, compared with as many before them."""
        length = last - first + DAY
        return cls(first, last, (first - length, first - DAY), words)

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + DAY * number for number in range((self.last - self.first).days + 1)]


@dataclass(frozen=True)
class Scope:
    """Of which queue and which person; None for all."""

    queue: UUID | None = None
    person: UUID | None = None


@dataclass
class Sum:
    """Numbers of one group. Median and 90th percentile are in seconds, None where nothing was measured."""

    number: int = 0
    met: int = 0
    judged: int = 0
    median: int | None = None
    p90: int | None = None

    @property
    def share_met(self) -> float | None:
        """Percent in time of those that had a due date."""
        return self.met / self.judged * 100 if self.judged else None


class Sums:
    """Sums by (measure, group), of the period and of the one before. What did not happen is a sum of nothing."""

    def __init__(self) -> None:
        self.now: dict[tuple[Any, ...], Sum] = {}
        self.before: dict[tuple[Any, ...], Sum] = {}

    def of(self, *key: Any) -> Sum:
        """The sum of a measure and group in the period."""
        return self.now.get(key, Sum())

    def was(self, *key: Any) -> Sum:
        """The same in the period before."""
        return self.before.get(key, Sum())

    def groups(self) -> list[Any]:
        """Every group there is a sum of, without the measure."""
        return list(dict.fromkeys(key[1:] for key in (*self.now, *self.before)))


def sums(
    source: str,
    period: Period,
    measures: Sequence[str],
    *,
    by: Sequence[str] = (),
    scope: Scope | None = None,
    memo: Memo | None = None,
) -> Sums:
    """Add up these measures of the source, for each value of the columns `by`.

    `memo` remembers what was counted on the spot, for several sums of one page.
    """
    assert set(by) <= COLUMNS
    # Names of columns alone stand in the statements; what is asked for goes in beside them.
    groups = ", ".join(["measure", *by])
    kept, params = _kept(source, period, measures, scope or Scope(), {} if memo is None else memo)
    found = Sums()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{kept} SELECT is_now, {groups}, sum(number), sum(met), sum(judged) FROM kept"  # noqa: S608
            f" GROUP BY is_now, {groups}",
            params,
        )
        for is_now, *rest in cursor.fetchall():
            key, (number, met, judged) = tuple(rest[:-3]), rest[-3:]
            (found.now if is_now else found.before)[key] = Sum(int(number), int(met), int(judged))
        cursor.execute(
            f"{kept} SELECT is_now, {groups}, percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY took)"  # noqa: S608
            f" FROM kept, unnest(seconds) AS took GROUP BY is_now, {groups}",
            params,
        )
        for is_now, *key, (median, p90) in cursor.fetchall():
            one = (found.now if is_now else found.before)[tuple(key)]
            one.median, one.p90 = median, p90
    return found


def _kept(
    source: str, period: Period, measures: Sequence[str], scope: Scope, memo: Memo
) -> tuple[str, list[Any]]:
    begin, end = period.before[0], period.last
    if (source, begin, end) not in memo:
        runs = figures.uncounted(source, begin, end)
        memo[source, begin, end] = runs, [row for run in runs for row in figures.get(source).count(*run)]
    runs, counted_now = memo[source, begin, end]
    rows = json.dumps([_as_row(row) for row in counted_now if row.measure in measures], default=str)
    # The days that are kept alone: a day whose figures are being replaced is counted once.
    late = [day for first, last in runs for day in Period.of(first, last, "").days]
    params: list[Any] = [
        source, begin, end, late, list(measures), rows, *period.before, period.first, period.last,
    ]  # fmt: skip
    where = ""
    for column, value in (("queue_id", scope.queue), ("person_id", scope.person)):
        if value is not None:
            where += f" AND {column} = %s"
            params.append(value)
    return _KEPT + where + ")", [period.first, *params]


_COLUMNS = "day, measure, kind, code, reason, queue_id, person_id, number, met, judged, seconds"
_KEPT = f"""WITH kept AS (SELECT day >= %s AS is_now, * FROM (
  SELECT {_COLUMNS} FROM compliance_figure
  WHERE source = %s AND day BETWEEN %s AND %s AND day <> ALL(%s::date[]) AND measure = ANY(%s)
  UNION ALL
  SELECT {_COLUMNS} FROM jsonb_to_recordset(%s::jsonb) AS now_counted(day date, measure varchar, kind varchar,
    code varchar, reason varchar, queue_id uuid, person_id uuid, number int, met int, judged int, seconds int[])
) AS days WHERE (day BETWEEN %s AND %s OR day BETWEEN %s AND %s)"""  # noqa: S608


def _as_row(row: Figure) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _COLUMNS.split(", ")}
