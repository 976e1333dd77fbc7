"""Deciding a case, which causes its effect once."""

from uuid import UUID

from django.db import transaction

from compliance import approval_policy, kinds, marking, permissions, seen, selectors
from compliance.models import Case, CaseDecision, Proposal
from compliance.services import proposals
from compliance.services.shared import LONGEST_TEXT, changed, clean, invalid, visible, wait
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
) -> CaseDecision | Proposal:
    """Decide the case as it was at `version`, and cause the effect, once, in one transaction.

    Where the policy asks for a second person the decision is proposed, and nothing is caused until they approve
    (services/approving.py). The same decision of the same person upon the same version is one decision: the second
    click gets the first's. Raises Forbidden or Conflict with every reason, Invalid for the reason or the text, and
    what the effect raises; then nothing of it happened.
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
        for made in (
            CaseDecision.objects.filter(case=case, seen_version=version, actor=actor).first(),
            Proposal.objects.filter(case=case, seen_version=version, maker=actor).first(),
        ):
            if made and (made.code, made.reason_code) == (decision, reason_code):
                return made
        permissions.refuse(permissions.why_not_decide(actor, case, chosen, selectors.ticked(case)))
        if case.version != version:
            raise Conflict(
                "Something was added to the case since you opened it. Look at it and decide again."
            )
        check_reasons(chosen, reason_code, text)
        if approval_policy.needing_two(case, [chosen]):
            return proposals.propose(actor, case, chosen, reason_code=reason_code, text=text, source=source)
        return carry_out(actor, case, chosen, reason_code=reason_code, text=text, source=source)


def check_reasons(chosen: kinds.Decision, reason_code: str, text: str) -> None:
    """Raise Invalid for a reason that the decision does not know, or lacks, and for its text."""
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


def carry_out(
    actor: User,
    case: Case,
    chosen: kinds.Decision,
    *,
    reason_code: str,
    text: str,
    source: str,
    proposal: Proposal | None = None,
) -> CaseDecision:
    """Write the decision of a locked case down and cause its effect, in the caller's transaction.

    `actor` is who decided. With a proposal its second person is who causes it now.
    """
    checker = proposal.checker if proposal else None
    row = CaseDecision(
        case=case,
        actor=actor,
        code=chosen.code,
        label=chosen.label,
        reason_code=reason_code,
        reason_label=chosen.reasons.get(reason_code, ""),
        text=text,
        seen_version=proposal.seen_version if proposal else case.version,
        proposal=proposal,
        at=clock.now(),
    )
    shown = seen.taken(kinds.get(case.kind), case)
    case.mark_touched(actor)
    if chosen.waits_on:
        until = row.at + chosen.waits_for
        wait(
            case, on=chosen.waits_on, until=until, actor=checker or actor, reason=chosen.label, source=source
        )
    else:
        changed(case, waiting_until=None)
        case.move_to(Status.DECIDED, actor=checker or actor, reason=chosen.label, source=source)
    if chosen.effect is not None:
        ruling = kinds.Ruling(case, actor, chosen.code, reason_code, text, row.pk, checker)
        row.outcome = chosen.effect(ruling)
    row.save(force_insert=True)
    seen.keep(row, shown)
    if not chosen.waits_on:
        marking.mark_decided(case, row, chosen)
    if chosen.closes and not chosen.waits_on:
        case.move_to(Status.CLOSED, actor=checker or actor, source=source)
    audit.record(
        "case.decided",
        subject=case,
        actor=checker or actor,
        after={
            **({"proposed_by": str(actor.pk), "approved_by": str(checker.pk)} if checker else {}),
            "decision": row.code,
            "reason_code": row.reason_code,
            "outcome": row.outcome,
            "version": row.seen_version,
        },
        source=source,
    )
    return row
