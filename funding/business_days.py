"""Days on which banks work, and by when money is there.

Banks keep the Federal Reserve's holidays: one on a Saturday is not made up for, one on a Sunday is on the Monday.
Wires: in by 14:00 New York on a business day, processed that day (contract 5.5). For ACH the provider publishes no
times (seed 001: "T+n"); what stands here is assumed, in this one place.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compliance.worktime import bank_holidays

NEW_YORK = ZoneInfo("America/New_York")
CUT_OFF = {"ach": time(16), "wire": time(14)}
#: Business days from the day it goes until it is there, by (direction, rail).
DAYS = {
    ("deposit", "ach"): 3,
    ("withdrawal", "ach"): 2,
    ("withdrawal", "wire"): 0,
    ("deposit", "wire"): 0,
}
#: Business days after which a deposit by ACH may be withdrawn: most returns have come by then (R01 to R04 and such
#: within two banking days of settling).
RELEASE_DAYS = 5


def is_business_day(day: date) -> bool:
    """Whether banks work that day."""
    return day.weekday() < 5 and day not in bank_holidays(day.year)


def add(day: date, count: int) -> date:
    """The business day that comes `count` business days after `day`; with 0 the first one from `day` on."""
    while not is_business_day(day):
        day += timedelta(days=1)
    for _ in range(count):
        day += timedelta(days=1)
        while not is_business_day(day):
            day += timedelta(days=1)
    return day


def goes_on(rail: str, moment: datetime) -> date:
    """The business day on which what is asked for now leaves, by the rail's cut-off."""
    local = moment.astimezone(NEW_YORK)
    late = is_business_day(local.date()) and local.time() >= CUT_OFF[rail]
    return add(local.date() + timedelta(days=1) if late else local.date(), 0)


def expected_on(direction: str, rail: str, moment: datetime) -> date:
    """The business day by which a transfer asked for now should be there."""
    return add(goes_on(rail, moment), DAYS[direction, rail])


def release_on(rail: str, moment: datetime, *, extra_days: int = 0) -> date:
    """From when a deposit asked for now may be withdrawn, if it is not returned; a wire is final at once.

    `extra_days` are calendar days, as the playbook of returns counts them.
    """
    if rail == "wire":
        return expected_on("deposit", rail, moment)
    return add(add(goes_on(rail, moment), RELEASE_DAYS) + timedelta(days=extra_days), 0)


def today(moment: datetime) -> date:
    """The banks' date."""
    return moment.astimezone(NEW_YORK).date()
