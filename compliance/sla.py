"""A case's clock. It runs only while the ball is ours, and counts on the calendar of the case's queue.

These change a locked case and leave the saving to whoever calls; FIELDS are what they may have changed.
"""

from datetime import timedelta

from compliance.models import Case
from portal import clock

FIELDS = ("due_at", "clock_from", "spent_seconds")


def start(case: Case) -> None:
    """The ball is ours: the clock runs on from now."""
    if case.clock_from is None:
        case.clock_from = clock.now()
        set_due(case)


def stop(case: Case) -> None:
    """The case waits for others: what was spent is kept, and nothing is due."""
    if case.clock_from is not None:
        case.spent_seconds = spent(case)
    case.clock_from = case.due_at = None


def spent(case: Case) -> int:
    """Our time so far since it was opened or reopened, in seconds."""
    if case.clock_from is None:
        return case.spent_seconds
    # A clock that was set back meanwhile gives nobody time.
    return case.spent_seconds + max(0, int(case.worked(case.clock_from, clock.now()).total_seconds()))


def is_met(case: Case) -> bool | None:
    """Whether it is in time now; None where nothing says how long we may take."""
    return None if case.sla_seconds is None else spent(case) <= case.sla_seconds


def values(case: Case) -> dict[str, object]:
    """What these functions may have changed, by field."""
    return {name: getattr(case, name) for name in FIELDS}


def restart(case: Case) -> None:
    """Begin anew."""
    case.spent_seconds, case.clock_from = 0, None
    start(case)


def set_due(case: Case) -> None:
    """When it is due by what is left of its time."""
    case.due_at = None
    if case.sla_seconds is not None and case.clock_from is not None:
        left = timedelta(seconds=case.sla_seconds - case.spent_seconds)
        hours = case.calendar.hours() if case.calendar else None
        case.due_at = hours.after(case.clock_from, left) if hours else case.clock_from + left
