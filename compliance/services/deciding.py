"""Deciding a case, which causes its effect once."""

from uuid import UUID

from django.db import transaction

from compliance import kinds, permissions, selectors
from compliance.models import Case, CaseDecision
from compliance.services.shared import LONGEST_TEXT, changed, clean, invalid, visible
from portal import audit, clock
from portal.errors import Conflict, Invalid
from portal.models import User

Status = Case.Status


def case_decide(
    *,
    actor: User,
    case_id: UUID,
    decision: str,
    version: int,
    reason_code: str = "",
    text: str = "",
    source: str = "page",
) -> CaseDecision:
    """Decide the case as it was at `version`, and cause the effect, once, in one transaction.

    The same decision of the same person upon the same version is one decision: the second click gets the first's.
    Raises Forbidden or Conflict with every reason, Invalid for the reason or the text, and what the effect raises;
    then nothing of it happened.
    """
    with transaction.atomic():
        case = selectors.case_for_staff(actor, case_id)
        kind = kinds.get(case.kind)
        kind.lock(case.subject_id)
        case = visible(actor, case_id)
        chosen = kind.decision(decision)
        if chosen is None:
            raise invalid(decision="Choose a decision.")
        text = clean(text)
        repeated = CaseDecision.objects.filter(case=case, seen_version=version, actor=actor).first()
        if repeated and (repeated.code, repeated.reason_code) == (decision, reason_code):
            return repeated
        permissions.refuse(permissions.why_not_decide(actor, case, chosen, selectors.ticked(case)))
        if case.version != version:
            raise Conflict(
                "Something was added to the case since you opened it. Look at it and decide again."
            )
        _check_reasons(chosen, reason_code, text)
        return _decide(actor, case, chosen, reason_code=reason_code, text=text, source=source)


def _check_reasons(chosen: kinds.Decision, reason_code: str, text: str) -> None:
    fields: dict[str, list[str]] = {}
    if chosen.reasons and reason_code not in chosen.reasons:
        fields["reason_code"] = [f"Choose a reason for “{chosen.label}”."]
    elif reason_code and not chosen.reasons:
        fields["reason_code"] = [f"“{chosen.label}” takes no reason code."]
    if chosen.needs_text and not text:
        fields["text"] = [f"Say in your own words why: “{chosen.label}” needs it."]
    elif len(text) > LONGEST_TEXT:
        fields["text"] = [f"Use at most {LONGEST_TEXT} characters."]
    if fields:
        raise Invalid("Some answers need attention.", fields=fields)


def _decide(
    actor: User, case: Case, chosen: kinds.Decision, *, reason_code: str, text: str, source: str
) -> CaseDecision:
    row = CaseDecision(
        case=case,
        actor=actor,
        code=chosen.code,
        label=chosen.label,
        reason_code=reason_code,
        reason_label=chosen.reasons.get(reason_code, ""),
        text=text,
        seen_version=case.version,
        at=clock.now(),
    )
    changed(case, waiting_until=None)
    case.move_to(Status.DECIDED, actor=actor, reason=chosen.label, source=source)
    if chosen.effect is not None:
        ruling = kinds.Ruling(case, actor, chosen.code, reason_code, text, row.pk)
        row.outcome = chosen.effect(ruling)
    row.save(force_insert=True)
    if chosen.closes:
        case.move_to(Status.CLOSED, actor=actor, source=source)
    audit.record(
        "case.decided",
        subject=case,
        actor=actor,
        after={
            "decision": row.code,
            "reason_code": row.reason_code,
            "outcome": row.outcome,
            "version": row.seen_version,
        },
        source=source,
    )
    return row
