"""Where a case stands: who has the ball, and how it is coloured; for the queue and the case page alike."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from compliance import kinds
from compliance.approvers import Second
from compliance.kinds import Words
from compliance.models import Case
from portal import clock
from portal.ball import Ball

Status = Case.Status

_USUAL: dict[str, Words] = {
    Status.OPEN: Words("us", "Waiting for someone of us to take it", "Assigning it"),
    Status.IN_PROGRESS: Words("us", "Waiting for our decision", "A decision"),
    Status.WAITING_CUSTOMER: Words("customer", "Waiting for the customer", "The customer's answer"),
    Status.WAITING_PROVIDER: Words("provider", "Waiting for the provider", "The provider's answer"),
    Status.HELD: Words("us", "Put on hold by us", "Its day, or something new"),
    Status.ESCALATED: Words("us", "Waiting for a manager", "A manager's decision"),
    Status.WAITING_APPROVAL: Words("us", "Waiting for a second person", "Their approval"),
    Status.DECIDED: Words("us", "Decided; what was decided is on its way", "Its confirmation"),
    Status.CLOSED: Words("nobody", "Closed"),
}

#: What Django's `get_status_display` looks up, which a list does sixty times for each page.
STATUS_WORDS: dict[str, str] = {status.value: str(status.label) for status in Status}
PRIORITY_WORDS: dict[int, str] = {each.value: str(each.label) for each in Case.Priority}
TONES: dict[str, str] = {
    Status.OPEN: "info",
    Status.IN_PROGRESS: "accent",
    Status.WAITING_CUSTOMER: "neutral",
    Status.WAITING_PROVIDER: "neutral",
    Status.HELD: "warning",
    Status.ESCALATED: "danger",
    Status.WAITING_APPROVAL: "warning",
    Status.DECIDED: "success",
    Status.CLOSED: "neutral",
}
PRIORITY_TONES: dict[int, str] = {
    Case.Priority.LOW: "neutral",
    Case.Priority.NORMAL: "neutral",
    Case.Priority.HIGH: "warning",
    Case.Priority.URGENT: "danger",
}


#: An undecided case so many days old is coloured, the oldest first.
AGE_TONES = ((timedelta(days=7), "danger"), (timedelta(days=3), "warning"))


def age_tone(case: Case) -> str:
    """The colour of an undecided case's age."""
    if case.is_done:
        return "neutral"
    age = clock.now() - case.opened_at
    return next((tone for least, tone in AGE_TONES if age >= least), "neutral")


@dataclass(frozen=True)
class Due:
    """When a case is due in words, with the colour that goes with them; never the colour alone."""

    words: str
    tone: str = "neutral"
    at: datetime | None = None


def due(case: Case) -> Due:
    """How a case's clock stands."""
    if case.is_done:
        return Due("Decided", "success")
    if case.status in Case.WAITING:
        return Due("Clock stopped")
    if case.due_at is None:
        return Due("No date")
    if case.due_at <= clock.now():
        return Due("Overdue", "danger", case.due_at)
    if timezone.localtime(case.due_at).date() <= clock.today():
        return Due("Due today", "warning", case.due_at)
    return Due("On time", "success", case.due_at)


def ball(case: Case, second: Second | None = None) -> Ball:
    """Who has the ball, in the kind's words where it has its own; `second` names who can approve."""
    words = kinds.get(case.kind).balls.get(case.status, _USUAL[case.status])
    line = words.line
    if case.status == Status.IN_PROGRESS and case.assignee is not None and words is _USUAL[case.status]:
        line = f"Waiting for {case.assignee} to decide"
    if case.status == Status.HELD and case.waiting_until is not None:
        by = f" by {case.assignee}" if case.assignee else ""
        line = f"Put on hold{by} until {date_format(timezone.localtime(case.waiting_until), 'M j, Y')}"
    if second is not None:
        line = second.line
    due = None
    if case.status in Case.WAITING:
        due = case.waiting_until
    elif not case.is_done:
        due = case.due_at
    return Ball(words.holder, line, case.status_at, words.unblocks, due)
