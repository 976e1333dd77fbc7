"""Moments in words, and events by day."""

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.formats import date_format

from portal import clock


class Moment(NamedTuple):
    """A moment as a page prints it: for machines, exactly, and in words as of now."""

    iso: str
    exact: str
    words: str


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def since_words(at: dt.datetime) -> str:
    """`12 minutes ago`, `in 3 days`; beyond a month the date itself."""
    seconds = int((clock.now() - at).total_seconds())
    size = abs(seconds)
    if size < 45:
        return "just now" if seconds >= 0 else "in a moment"
    if size < 3600:
        words = _count(max(1, round(size / 60)), "minute")
    elif size < 86400:
        words = _count(max(1, round(size / 3600)), "hour")
    elif size < 31 * 86400:
        words = _count(max(1, round(size / 86400)), "day")
    else:
        local = timezone.localtime(at)
        return f"{local:%b} {local.day}, {local.year}"
    return f"{words} ago" if seconds >= 0 else f"in {words}"


def moment(at: dt.datetime) -> Moment:
    """The moment in words, in the portal's time zone."""
    return Moment(*_exactly(at), since_words(at))


@lru_cache(maxsize=4096)
def _exactly(at: dt.datetime) -> tuple[str, str]:
    local = timezone.localtime(at)
    # Written out here, not by Django's date filter: a list shows a hundred of them.
    exact = f"{local:%b} {local.day}, {local.year}, {local.hour % 12 or 12}:{local:%M:%S %p %Z}"
    return local.isoformat(), exact


@lru_cache(maxsize=4096)
def moment_words(at: dt.datetime) -> str:
    """`Nov 3, 2026, 2:05 PM EST`, in the portal's time zone."""
    return date_format(timezone.localtime(at), "M j, Y, g:i A T")


def day_words(day: dt.date) -> str:
    """`Today`, `Yesterday`, or the date written out."""
    today = timezone.localtime(clock.now()).date()
    if day == today:
        return "Today"
    if day == today - dt.timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day:%B} {day.day}" + ("" if day.year == today.year else f", {day.year}")


def by_day(items: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    """Items with `.at` as (day in words, its items), newest first, days in the reader's time zone."""
    ordered = sorted(items, key=lambda item: item.at, reverse=True)
    days = groupby(ordered, key=lambda item: timezone.localtime(item.at).date())
    return [(day_words(day), list(group)) for day, group in days]
