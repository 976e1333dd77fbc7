"""Which decisions need a second person. The rules are matched by the database, for one case as for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest

from compliance import kinds
from compliance.models import ApprovalRule, Case
from portal.money import Money


@dataclass(frozen=True)
class KindCount:
    """So many undecided cases of a kind hold a decision that needs two: as the rules are, and as they would be."""

    kind: str
    now: int
    then: int


def needing_two(case: Case, decisions: Sequence[kinds.Decision]) -> set[str]:
    """The codes of those of the decisions that need a second person in this case, as it is stored."""
    rules = list(ApprovalRule.objects.all())
    if not rules:
        return set()
    names = {f"rule_{at}": _wrapped(rule) for at, rule in enumerate(rules)}
    held = _pressing(Case.objects.filter(pk=case.pk)).annotate(**names).values_list(*names).get()
    codes = {rule.decision for rule, holds in zip(rules, held, strict=True) if holds}
    return {decision.code for decision in decisions if "" in codes or decision.code in codes}


def dry_run(rules: Sequence[ApprovalRule]) -> list[KindCount]:
    """The undecided cases with a decision that needs two, by kind: now, and if these were the rules."""
    now, then = _counts(ApprovalRule.objects.all()), _counts(rules)
    return [
        KindCount(kinds.get(kind).title, now.get(kind, 0), then.get(kind, 0))
        for kind in sorted({*now, *then}, key=lambda name: kinds.get(name).title)
    ]


def words(rule: ApprovalRule) -> str:
    """What a rule is about, in plain words."""
    kind = kinds.get(rule.kind)
    decision = kind.decision(rule.decision)
    what = f"“{decision.label if decision else rule.decision}”" if rule.decision else "Every decision"
    parts = [f"{what} of “{kind.title}”" if rule.kind else what]
    if rule.priority_from > Case.Priority.LOW:
        parts.append(f"priority {Case.Priority(rule.priority_from).label.lower()} or more")
    if rule.amount_minor is not None:
        parts.append(f"{Money(rule.amount_minor, rule.currency)} or more")
    return ", ".join(parts)


def _counts(rules: Sequence[ApprovalRule] | QuerySet[ApprovalRule]) -> dict[str, int]:
    matching = [_matches(rule) for rule in rules]
    if not matching:
        return {}
    undone = _pressing(Case.objects.filter(~Q(status__in=Case.DONE))).filter(reduce(or_, matching))
    return dict(undone.values_list("kind").annotate(cases=Count("pk")).order_by())


def _pressing(rows: QuerySet[Case]) -> QuerySet[Any]:
    # A rule of the queues may give a lower priority than the facts ask for: that must not switch the check off.
    asked = Greatest(Coalesce(F("told_priority"), Value(0)), F("priority"))
    return rows.annotate(pressing=asked)


def _wrapped(rule: ApprovalRule) -> "ExpressionWrapper[Any]":
    return ExpressionWrapper(_matches(rule), output_field=BooleanField())


def _matches(rule: ApprovalRule) -> Q:
    found = Q(pressing__gte=rule.priority_from)
    if rule.kind:
        found &= Q(kind=rule.kind)
    if rule.amount_minor is not None:
        found &= Q(currency=rule.currency, amount_minor__gte=rule.amount_minor)
    return found
