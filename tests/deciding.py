"""Deciding a case as a person does: taken, every item of the checklist done, a reason chosen."""

from compliance import kinds, services
from compliance.models import Case, CaseDecision
from portal.models import User


def decide(actor: User, case: Case, decision: str, *, reason: str = "", text: str = "") -> CaseDecision:
    """The decision upon the case as it is now; where it asks for a reason and none is named, the first."""
    case = Case.objects.get(pk=case.pk)
    if case.assignee_id != actor.pk:
        services.case_assign(actor=actor, case_id=case.pk, to=actor)
    kind = kinds.get(case.kind)
    case = services.case_check(actor=actor, case_id=case.pk, done={item.code for item in kind.checklist})
    chosen = kind.decision(decision)
    code = reason or next(iter(chosen.reasons if chosen else ()), "")
    return services.case_decide(
        actor=actor, case_id=case.pk, decision=decision, reason_code=code, text=text, version=case.version
    )
