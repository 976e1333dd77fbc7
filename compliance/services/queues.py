"""What a compliance manager changes of the queues: the queues, the rules, the calendars.

Every change locks the rule book, says which change it was made upon, counts one more and is audited with what was
before. The job cases_route takes it to the undecided cases within a minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from compliance import queue_words
from compliance.models import DayOff, Queue, Rule, RuleBook, WorkCalendar
from compliance.services.shared import clean, invalid
from portal import audit, clock
from portal.errors import Conflict, NotFound
from portal.models import User
from portal.money import Money
from portal.permissions import require

MOST_RULES = 200


@dataclass(frozen=True)
class RuleWish:
    """A rule as a manager wishes it: what it matches, at which place, and what it does."""

    position: int
    queue: Queue
    kind: str = ""
    priority_from: int = 1
    country: str = ""
    language: str = ""
    amount: Money | None = None
    priority: int | None = None
    due_hours: int | None = None

    def onto(self, rule: Rule) -> Rule:
        """The rule with all of this, unsaved."""
        for name in ("queue", "kind", "priority_from", "country", "language", "priority", "due_hours"):
            setattr(rule, name, getattr(self, name))
        rule.amount_minor = self.amount.minor if self.amount else None
        rule.currency = self.amount.currency if self.amount else ""
        return rule


def rules_with(wish: RuleWish, rule_id: UUID | None) -> tuple[list[Rule], Rule]:
    """The rules as they would be with the wish, in their order, and the one wished; nothing is saved."""
    rules = list(Rule.objects.select_related("queue"))
    rule = next((known for known in rules if known.pk == rule_id), None) or Rule()
    others = [known for known in rules if known.pk != rule.pk]
    others.insert(max(0, wish.position - 1), wish.onto(rule))
    return others, rule


def rule_save(*, actor: User, rule_id: UUID | None, wish: RuleWish, version: int) -> Rule:
    """Add a rule, or change one. Those behind its place move back.

    Raises Forbidden, NotFound for a rule that is gone, Conflict when the rules changed meanwhile, Invalid for one
    rule too many.
    """
    with transaction.atomic():
        book = locked_book(actor, version)
        before = queue_words.rule(_found(Rule, rule_id)) if rule_id else None
        if rule_id is None and Rule.objects.count() >= MOST_RULES:
            raise invalid(position=f"There are {MOST_RULES} rules already. Remove one first.")
        rules, saved = rules_with(wish, rule_id)
        for position, rule in enumerate(rules, start=1):
            rule.position = position
            rule.save()
        changed_book(book, actor, "queues.rule", before, queue_words.rule(saved))
    return saved


def rule_remove(*, actor: User, rule_id: UUID, version: int) -> None:
    """Take a rule away. Raises as `rule_save` does."""
    with transaction.atomic():
        book = locked_book(actor, version)
        rule = _found(Rule, rule_id)
        before = queue_words.rule(rule)
        rule.delete()
        for position, other in enumerate(Rule.objects.all(), start=1):
            other.position = position
            other.save(update_fields=["position"])
        changed_book(book, actor, "queues.rule", before, None)


def queue_save(
    *,
    actor: User,
    queue_id: UUID | None,
    name: str,
    purpose: str,
    seen_by: Sequence[str],
    decided_by: Sequence[str],
    calendar: WorkCalendar | None,
    is_default: bool,
    version: int,
) -> Queue:
    """Make a queue, or change one. The queue for all the rest stays that until another becomes it.

    Raises as `rule_save` does, and Invalid for a name that another queue has.
    """
    with transaction.atomic():
        book = locked_book(actor, version)
        Queue.default()  # there is always one
        queue = _found(Queue, queue_id) if queue_id else Queue()
        before = queue_words.queue(queue) if queue_id else None
        if queue.is_default and not is_default:
            raise invalid(is_default="Something must take all the rest: tick this on another queue instead.")
        queue.name, queue.purpose, queue.calendar = clean(name), clean(purpose), calendar
        queue.decided_by = sorted(decided_by)
        queue.seen_by = sorted({*seen_by, *decided_by})
        if is_default and not queue.is_default:
            Queue.objects.filter(is_default=True).update(is_default=False)
        queue.is_default = is_default
        _save(queue)
        changed_book(book, actor, "queues.queue", before, queue_words.queue(queue))
    return queue


def calendar_save(
    *,
    actor: User,
    calendar_id: UUID | None,
    name: str,
    time_zone: str,
    weekdays: Sequence[int],
    opens: time,
    closes: time,
    keeps_federal_holidays: bool,
    days_off: dict[date, str],
    version: int,
) -> WorkCalendar:
    """Make a calendar, or change one with all its days off. Raises as `queue_save` does."""
    if opens >= closes:
        raise invalid(closes="Work must end after it begins.")
    with transaction.atomic():
        book = locked_book(actor, version)
        calendar = _found(WorkCalendar, calendar_id) if calendar_id else WorkCalendar()
        before = queue_words.calendar(calendar) if calendar_id else None
        calendar.name, calendar.time_zone = clean(name), time_zone
        calendar.weekdays = sorted(set(weekdays))
        calendar.opens, calendar.closes = opens, closes
        calendar.keeps_federal_holidays = keeps_federal_holidays
        _save(calendar)
        calendar.days_off.all().delete()
        DayOff.objects.bulk_create(
            DayOff(calendar=calendar, day=day, name=clean(words)[:80]) for day, words in days_off.items()
        )
        changed_book(book, actor, "queues.calendar", before, queue_words.calendar(calendar))
    return calendar


def locked_book(actor: User, version: int) -> RuleBook:
    """The rule book, locked for a change made upon that version. Raises Forbidden, or Conflict for an old one."""
    require(actor, "queue.manage")
    RuleBook.current()
    book = RuleBook.objects.select_for_update().get()
    if book.version != version:
        raise Conflict(
            "Someone changed the queues or rules since you opened this. Look at them and try again."
        )
    return book


def _found(model: Any, key: UUID) -> Any:
    found = model.objects.filter(pk=key).first()
    if found is None:
        raise NotFound("It is no longer there.")
    return found


def _save(row: Queue | WorkCalendar) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise invalid(name="Another one has this name. Choose a name of its own.") from error


def changed_book(
    book: RuleBook, actor: User, action: str, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> None:
    """Count a change made under the lock, and audit it in words."""
    book.version += 1
    book.changed_at = clock.now()
    book.save(update_fields=["version", "changed_at"])
    audit.record(action, subject=book, actor=actor, before=before, after=after, source="page")
