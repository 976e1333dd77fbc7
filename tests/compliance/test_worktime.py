"""Working time: weekends, holidays, changes of the clocks, and that adding and counting agree."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.worktime import Hours, federal_holidays

NEW_YORK = Hours("America/New_York", frozenset(range(5)), time(9), time(17))
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-16T10:00-05:00", 4, "2026-11-16T14:00-05:00"),
        # Over a night, and over a week-end.
        ("2026-11-16T16:00-05:00", 2, "2026-11-17T10:00-05:00"),
        ("2026-11-20T16:00-05:00", 2, "2026-11-23T10:00-05:00"),
        # What begins before or after hours, or on a Sunday, begins when work does.
        ("2026-11-16T03:00-05:00", 1, "2026-11-16T10:00-05:00"),
        ("2026-11-16T22:00-05:00", 1, "2026-11-17T10:00-05:00"),
        ("2026-11-22T12:00-05:00", 8, "2026-11-23T17:00-05:00"),
        # Thanksgiving, and the Friday on which the Fourth of July was observed in 2026.
        ("2026-11-25T16:00-05:00", 2, "2026-11-27T10:00-05:00"),
        ("2026-07-02T16:00-04:00", 2, "2026-07-06T10:00-04:00"),
        # The clocks go back on November 1: nine in the morning is another moment.
        ("2026-10-30T16:00-04:00", 2, "2026-11-02T10:00-05:00"),
    ],
)
def test_so_many_working_hours_later(start: str, hours: int, end: str) -> None:
    assert NEW_YORK.after(at(start), hours * HOUR) == at(end)
    assert NEW_YORK.between(at(start), at(end)) == hours * HOUR


def test_days_off_of_its_own() -> None:
    off = Hours("UTC", frozenset({0, 1}), time(9), time(10), False, frozenset({date(2026, 11, 16)}))
    assert off.after(at("2026-11-16T08:00+00:00"), HOUR) == at("2026-11-17T10:00+00:00")
    assert Hours("UTC", frozenset(range(7)), time(0), time(1), False).works_on(date(2026, 12, 25))


def test_what_is_late_stays_late_by_as_much() -> None:
    assert NEW_YORK.after(at("2026-11-16T10:00-05:00"), -HOUR) == at("2026-11-16T09:00-05:00")


def test_a_calendar_without_end_of_days_off_ends() -> None:
    """A calendar whose every day is off still gives an answer."""
    every = frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(5000))
    closed = Hours("UTC", frozenset(range(7)), time(9), time(10), False, every)
    assert closed.after(at("2026-01-02T00:00+00:00"), HOUR) > at("2026-01-02T00:00+00:00")


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # As the Office of Personnel Management publishes them.
        (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
        (2027, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
        (2028, "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"),
    ],
)
def test_federal_holidays(year: int, days: str) -> None:
    assert federal_holidays(year) == {date.fromisoformat(f"{year}-{day}") for day in days.split()}


@given(
    days=st.integers(0, 1500),
    seconds=st.integers(0, 86_399),
    minutes=st.integers(1, 20_000),
)
def test_adding_and_counting_agree(days: int, seconds: int, minutes: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days, seconds=seconds)
    work = timedelta(minutes=minutes)
    end = NEW_YORK.after(start, work)
    assert NEW_YORK.between(start, end) == work
    assert NEW_YORK.between(start, end - timedelta(microseconds=1)) < work
