"""Which decisions need a second person, as compliance managers change it.

A rule is added at once: it only tightens. It goes away when a second manager agrees, since whoever could switch the
check off alone would have none. Each change locks the rule book, as those of the queues do, and is audited.
"""

from uuid import UUID

from django.db import transaction

from compliance import approval_policy, kinds
from compliance.models import ApprovalRule, RuleBook
from compliance.services.queues import changed_book, locked_book
from compliance.services.shared import invalid
from portal.errors import Conflict, NotFound
from portal.models import User
from portal.money import Money

MOST_RULES = 100
ACTION = "queues.approval_rule"


def approval_rule_add(
    *,
    actor: User,
    kind: str,
    decision: str,
    priority_from: int,
    amount: Money | None,
    version: int,
) -> ApprovalRule:
    """Ask for a second person from now on. What is proposed or decided already stays as it is.

    Raises Forbidden, Conflict when the rules changed meanwhile, Invalid for a rule that is there, or one too many.
    """
    rule = rule_of(kind=kind, decision=decision, priority_from=priority_from, amount=amount)
    with transaction.atomic():
        book = locked_book(actor, version)
        if ApprovalRule.objects.count() >= MOST_RULES:
            raise invalid(what=f"There are {MOST_RULES} rules already. Remove one first.")
        if ApprovalRule.objects.filter(**_same(rule)).exists():
            raise invalid(what="There is this very rule already.")
        rule.save(force_insert=True)
        changed_book(book, actor, ACTION, None, _words(rule))
    return rule


def approval_rule_remove(*, actor: User, rule_id: UUID, version: int) -> bool:
    """Ask that a rule goes away; where another manager has asked, agree, and it is gone. Whether it is gone.

    Asking twice changes nothing. Raises as `approval_rule_add` does, and NotFound.
    """
    with transaction.atomic():
        book, rule = _locked(actor, rule_id, version)
        if rule.removal_asked_by == actor:
            return False
        before = _words(rule)
        if rule.removal_asked_by is None:
            rule.removal_asked_by = actor
            rule.save(update_fields=["removal_asked_by"])
            changed_book(book, actor, ACTION, before, _words(rule))
            return False
        rule.delete()
        changed_book(book, actor, ACTION, before, None)
    return True


def approval_rule_keep(*, actor: User, rule_id: UUID, version: int) -> None:
    """The rule stays: one's own wish is taken back, or another's is not agreed to. Raises as the removal does."""
    with transaction.atomic():
        book, rule = _locked(actor, rule_id, version)
        if rule.removal_asked_by is None:
            raise Conflict("Nobody asks for its removal any more.")
        before = _words(rule)
        rule.removal_asked_by = None
        rule.save(update_fields=["removal_asked_by"])
        changed_book(book, actor, ACTION, before, _words(rule))


def rule_of(*, kind: str, decision: str, priority_from: int, amount: Money | None) -> ApprovalRule:
    """The rule, unsaved. Raises Invalid for a kind or a decision that nobody registered."""
    known = kinds.get(kind)
    if kind and (not kinds.known(kind) or (decision and known.decision(decision) is None)):
        raise invalid(what="Choose a decision of the list.")
    if decision and not kind:
        raise invalid(what="Choose a decision of the list.")
    return ApprovalRule(
        kind=kind,
        decision=decision,
        priority_from=priority_from,
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else "",
    )


def _locked(actor: User, rule_id: UUID, version: int) -> tuple[RuleBook, ApprovalRule]:
    book = locked_book(actor, version)
    rule = ApprovalRule.objects.select_related("removal_asked_by").filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("It is no longer there.")
    return book, rule


def _same(rule: ApprovalRule) -> dict[str, object]:
    names = ("kind", "decision", "priority_from", "amount_minor", "currency")
    return {name: getattr(rule, name) for name in names}


def _words(rule: ApprovalRule) -> dict[str, str]:
    asked = rule.removal_asked_by
    return {
        "second_person_for": approval_policy.words(rule),
        "removal_asked_by": asked.label if asked else "",
    }
