"""Which queue a case belongs into. The rules are matched by the database, for one case as for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from compliance import kinds, sla
from compliance.models import Case, Queue, Rule, RuleBook
from compliance.permissions import role_sees
from portal import audit

NO_RULE = -1
FIELDS = ("queue", "priority", "told_priority", "routed_by", "sla_seconds", "calendar")


@dataclass(frozen=True)
class Move:
    """So many cases that would go from one queue to another."""

    before: str
    after: str
    cases: int


def route(case: Case, *, source: str) -> None:
    """Put a locked case where the rules say, with the priority and the time they give it.

    Whoever had it and does not see its new queue has it no more. Saves the case; counts no change of it, since
    nothing that a decision rests upon is another.
    """
    book = RuleBook.current()
    rules = list(Rule.objects.select_related("queue__calendar"))
    rule = first_rule(case, rules)
    queue = rule.queue if rule else Queue.default()
    before = case.queue
    case.queue, case.routed_by = queue, book.version
    case.told_priority = case.told_priority or case.priority
    case.priority = rule.priority if rule and rule.priority else case.told_priority
    if rule and rule.due_hours:
        case.sla_seconds, case.calendar = rule.due_hours * 3600, queue.calendar
    else:
        usual = kinds.get(case.kind).due_after
        case.sla_seconds, case.calendar = int(usual.total_seconds()) if usual else None, None
    if case.clock_from is None and case.status not in Case.WAITING and not case.is_done:
        case.clock_from = case.opened_at
    sla.set_due(case)
    case.save(update_fields=[*FIELDS, *sla.FIELDS])
    if before is not None and before.pk != queue.pk:
        audit.record(
            "case.routed",
            subject=case,
            before={"queue": before.name},
            after={"queue": queue.name},
            source=source,
        )
    if case.assignee and not role_sees(case.assignee, queue):
        _put_back(case, source=source)


def _put_back(case: Case, *, source: str) -> None:
    audit.record(
        "case.assigned",
        subject=case,
        before={"assignee": str(case.assignee_id)},
        after={"assignee": None},
        source=source,
    )
    case.assignee = None
    case.version += 1
    is_worked = case.status in Case.WORKED
    case.waiting_until = None if is_worked else case.waiting_until
    case.save(update_fields=["assignee", "version", "waiting_until"])
    if is_worked:
        case.move_to(
            Case.Status.OPEN, actor=None, reason="Whoever had it does not see its queue", source=source
        )


def first_rule(case: Case, rules: Sequence[Rule]) -> Rule | None:
    """The first of the rules that matches the case as it is stored."""
    at = _asked(Case.objects.filter(pk=case.pk)).values_list(_place(rules), flat=True).get()
    return None if at == NO_RULE else rules[at]


def moves(rules: Sequence[Rule]) -> list[Move]:
    """How the undecided cases would move if these were the rules, the most first. One reading of them, none changed."""
    queues = [*(rule.queue_id for rule in rules), Queue.default().pk]
    names = dict(Queue.objects.values_list("pk", "name"))
    places = (
        _asked(Case.objects.filter(~Q(status__in=Case.DONE)))
        .annotate(place=_place(rules))
        .values_list("queue", "place")
        .annotate(cases=Count("pk"))
        .order_by()
    )
    found: dict[tuple[UUID | None, UUID], int] = {}
    for queue, place, cases in places:
        # NO_RULE, being -1, is the last: the default queue.
        if queue != queues[place]:
            pair = (queue, queues[place])
            found[pair] = found.get(pair, 0) + cases
    listed = [
        Move(names.get(before, "None yet") if before else "None yet", names[after], cases)
        for (before, after), cases in found.items()
    ]
    return sorted(listed, key=lambda move: (-move.cases, move.before, move.after))


def _asked(rows: QuerySet[Case]) -> QuerySet[Any]:
    # A rule may give a priority; what it reads is the one that the facts ask for.
    return rows.annotate(asked=Coalesce(F("told_priority"), F("priority")))


def _place(rules: Sequence[Rule]) -> models.Case:
    whens = [When(_matches(rule), then=Value(at)) for at, rule in enumerate(rules)]
    return models.Case(*whens, default=Value(NO_RULE), output_field=models.IntegerField())


def _matches(rule: Rule) -> Q:
    found = Q(asked__gte=rule.priority_from)
    for name in ("kind", "country", "language", "currency"):
        if getattr(rule, name):
            found &= Q(**{name: getattr(rule, name)})
    if rule.amount_minor is not None:
        found &= Q(amount_minor__gte=rule.amount_minor)
    return found
