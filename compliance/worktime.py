"""Working time: how much of it lies between two moments, and which moment comes after so much of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

#: Nobody is closed for longer; a calendar that seems so is counted round the clock from there.
LONGEST_DAYS = 4000
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """The hours of some days of the week, in a time zone, but for holidays. Monday is 0."""

    time_zone: str
    weekdays: frozenset[int]
    opens: time
    closes: time
    keeps_federal_holidays: bool = True
    days_off: frozenset[date] = frozenset()

    def works_on(self, day: date) -> bool:
        """Whether anybody works that day."""
        if day.weekday() not in self.weekdays or day in self.days_off:
            return False
        return not (self.keeps_federal_holidays and day in federal_holidays(day.year))

    def after(self, start: datetime, work: timedelta) -> datetime:
        """When so much has been worked since `start`. Less than nothing counts back on the wall clock."""
        if work <= timedelta():
            return start + work
        end = start
        for begin, end in self._shifts(start, start + LONGEST_DAYS * DAY):
            if end - begin >= work:
                return begin + work
            work -= end - begin
        return end + work

    def between(self, start: datetime, end: datetime) -> timedelta:
        """How much is worked between the two moments."""
        return sum((until - begin for begin, until in self._shifts(start, end)), timedelta())

    def _shifts(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working hours between two moments, day by day, in UTC so that a change of the clocks counts."""
        zone = ZoneInfo(self.time_zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        while day <= last:
            if self.works_on(day):
                begin = max(start, datetime.combine(day, self.opens, zone).astimezone(UTC))
                until = min(end, datetime.combine(day, self.closes, zone).astimezone(UTC))
                if begin < until:
                    yield begin, until
            day += DAY


@lru_cache(maxsize=64)
def federal_holidays(year: int) -> frozenset[date]:
    """The federal holidays of the United States as they are observed in that year (5 U.S.C. 6103).

    One that falls on a Saturday is observed on the Friday, one on a Sunday on the Monday.
    """
    return _holidays(year, saturdays_move=True)


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> frozenset[date]:
    """The days on which the Federal Reserve's banks are closed: the federal holidays, but for one on a Saturday banks
    do not close the Friday before."""
    return _holidays(year, saturdays_move=False)


def _holidays(year: int, *, saturdays_move: bool) -> frozenset[date]:
    fixed = [
        date(year, 1, 1),
        date(year, 6, 19),
        date(year, 7, 4),
        date(year, 11, 11),
        date(year, 12, 25),
        date(year + 1, 1, 1),
    ]
    shift = {5: -DAY if saturdays_move else timedelta(), 6: DAY}
    observed = [day + shift.get(day.weekday(), timedelta()) for day in fixed]
    moving = [
        _nth(year, 1, 0, 3),
        _nth(year, 2, 0, 3),
        _last_monday_of_may(year),
        _nth(year, 9, 0, 1),
        _nth(year, 10, 0, 2),
        _nth(year, 11, 3, 4),
    ]
    return frozenset(day for day in (*observed, *moving) if day.year == year)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())
