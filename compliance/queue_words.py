"""Queues, rules and calendars in plain words: for the page, and for the audit trail, which keeps names, not keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance import kinds
from compliance.models import Case, Queue, Rule, RuleBook, WorkCalendar
from portal import audit
from portal.models import Role
from portal.money import Money

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: So many changes the page shows; the audit trail has them all.
MOST_CHANGES = 20
SAID = {
    "queues.rule": "Rule",
    "queues.queue": "Queue",
    "queues.calendar": "Calendar",
    "queues.approval_rule": "Second person",
}


@dataclass(frozen=True)
class Change:
    """Who changed what, when: the lines that differ, before and after."""

    at: datetime
    actor: str
    title: str
    lines: list[tuple[str, str, str]]


def when(rule: Rule) -> str:
    """What a rule is about."""
    parts = [kinds.get(rule.kind).title] if rule.kind else []
    if rule.priority_from > Case.Priority.LOW:
        parts.append(f"priority {Case.Priority(rule.priority_from).label.lower()} or more")
    parts += [f"country {rule.country}"] if rule.country else []
    parts += [f"language {rule.language}"] if rule.language else []
    if rule.amount_minor is not None:
        parts.append(f"{Money(rule.amount_minor, rule.currency)} or more")
    return ", ".join(parts) or "Every case"


def then(rule: Rule) -> str:
    """What a rule does, beside the queue."""
    parts = [f"priority {Case.Priority(rule.priority).label.lower()}"] if rule.priority else []
    parts += [f"due in {rule.due_hours} working hours"] if rule.due_hours and rule.queue.calendar_id else []
    parts += [f"due in {rule.due_hours} hours"] if rule.due_hours and not rule.queue.calendar_id else []
    return ", ".join(parts) or "nothing else"


def rule(row: Rule) -> dict[str, Any]:
    """A rule for the audit trail."""
    return {"place": row.position, "when": when(row), "queue": row.queue.name, "then": then(row)}


def queue(row: Queue) -> dict[str, Any]:
    """A queue for the audit trail."""
    return {
        "name": row.name,
        "purpose": row.purpose,
        "seen_by": roles(row.seen_by),
        "decided_by": roles(row.decided_by),
        "calendar": row.calendar.name if row.calendar else "round the clock",
        "takes_all_the_rest": row.is_default,
    }


def calendar(row: WorkCalendar) -> dict[str, Any]:
    """A calendar for the audit trail."""
    days = row.days_off.order_by("day").values_list("day", "name")
    return {
        "name": row.name,
        "hours": f"{row.opens:%H:%M} to {row.closes:%H:%M}, {row.time_zone}",
        "days": ", ".join(DAYS[day] for day in row.weekdays),
        "federal_holidays_off": row.keeps_federal_holidays,
        "days_off": ", ".join(f"{day} {name}".strip() for day, name in days),
    }


def roles(words: list[str]) -> str:
    """Roles by their names."""
    return ", ".join(Role(word).label for word in words) or "managers alone"


def changes(book: RuleBook, actions: Collection[str] = tuple(SAID)) -> list[Change]:
    """The latest changes of these sorts, newest first."""
    rows = audit.entries_for(book).filter(action__in=actions).order_by("-at", "-id")[:MOST_CHANGES]
    found = []
    for row in rows:
        before, after = row.before or {}, row.after or {}
        lines = [
            (name.replace("_", " "), _word(before.get(name)), _word(after.get(name)))
            for name in {**before, **after}
            if before.get(name) != after.get(name) and (before.get(name) or after.get(name))
        ]
        did = "changed" if before and after else "added" if after else "removed"
        found.append(Change(row.at, row.actor_label, f"{SAID[row.action]} {did}", lines))
    return found


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
