"""What the second person does with a proposed decision: approve it, which causes its effect once, or send it back."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from compliance import approvers, kinds, permissions, selectors
from compliance.models import Case, CaseDecision, Proposal
from compliance.services import proposals
from compliance.services.deciding import carry_out
from compliance.services.lists import Outcome, each_of
from compliance.services.shared import checked_text, visible
from portal.errors import Conflict, DomainError, NotFound, Unavailable
from portal.models import User
from portal.permissions import can_do

logger = logging.getLogger(__name__)
Answer = Proposal.Status
SEE_FIRST = "Something was added to the case since you opened it. Look at it and approve again."


@dataclass(frozen=True)
class Shown:
    """What the checker's page or list showed: which proposal, at which version of the case."""

    proposal_id: UUID
    version: int


def case_approve(
    *, actor: User, case_id: UUID, proposal_id: UUID, version: int, source: str = "page"
) -> CaseDecision:
    """Approve what was proposed as the page showed it, and cause the effect, once, in one transaction.

    The same approval again is the first one. Raises Forbidden or Conflict with every reason (also when a fact came in
    or the evidence changed since it was proposed), NotFound, and what the effect raises; then nothing of it happened.
    """
    with transaction.atomic():
        case = selectors.case_for_staff(actor, case_id)
        kind = kinds.get(case.kind)
        kind.lock(case.subject_id)
        case = visible(actor, case_id)
        proposal = _proposal(case, proposal_id)
        if proposal.status == Answer.APPROVED and proposal.checker == actor:
            return proposal.decision
        _refuse_answered(proposal)
        around = approvers.Around.of([case])
        permissions.refuse(approvers.why_not_approve(actor, proposal, around, kind.evidence(case)))
        if case.version != version:
            raise Conflict(SEE_FIRST)
        chosen = kind.decision(proposal.code)
        assert chosen is not None  # why_not_approve said so
        proposals.approved(proposal, actor=actor, source=source)
        return carry_out(
            proposal.maker,
            case,
            chosen,
            reason_code=proposal.reason_code,
            text=proposal.text,
            source=source,
            proposal=proposal,
        )


def case_send_back(
    *, actor: User, case_id: UUID, proposal_id: UUID, reason: str, source: str = "page"
) -> Proposal:
    """Do not approve: the case goes back to the maker with the reason, and they are told.

    The same again changes nothing. Raises Forbidden or Conflict with every reason, Invalid for an empty one.
    """
    reason = checked_text(reason, "reason", "Say why, in a few words.")[:300]
    with transaction.atomic():
        case = visible(actor, case_id)
        proposal = _proposal(case, proposal_id)
        if proposal.status == Answer.REFUSED and proposal.checker == actor:
            return proposal
        _refuse_answered(proposal)
        permissions.refuse(approvers.why_not_answer(actor, proposal, approvers.Around.of([case])))
        proposals.send_back(proposal, actor=actor, reason=reason, source=source)
    return proposal


def case_withdraw(*, actor: User, case_id: UUID, proposal_id: UUID, source: str = "page") -> Proposal:
    """Take a proposal back: one's own, or as a manager anyone's. Raises Forbidden, and Conflict once it is answered."""
    with transaction.atomic():
        case = visible(actor, case_id)
        proposal = _proposal(case, proposal_id)
        if proposal.status == Answer.WITHDRAWN:
            return proposal
        _refuse_answered(proposal)
        permissions.refuse(why_not_withdraw(actor, proposal))
        proposals.take_back(case, actor=actor, source=source)
    proposal.refresh_from_db()
    return proposal


def why_not_withdraw(actor: User, proposal: Proposal) -> list[permissions.Reason]:
    """Why the actor cannot take it back; empty when they can."""
    if can_do(actor, "case.manage") or (actor.pk == proposal.maker_id and can_do(actor, "case.work")):
        return []
    words = f"Only {proposal.maker} or a manager withdraws it."
    return [permissions.Reason(words, "If it is wrong, send it back.", is_role=True)]


def cases_approve(*, actor: User, shown: Mapping[UUID, Shown]) -> list[Outcome]:
    """Approve each of the cases as the list showed it. Each is its own; what is refused says why."""
    return each_of(list(shown), lambda key: _one_of_many(actor, key, shown[key]), "Approved.")


def _one_of_many(actor: User, case_id: UUID, shown: Shown) -> CaseDecision:
    try:
        return case_approve(
            actor=actor,
            case_id=case_id,
            proposal_id=shown.proposal_id,
            version=shown.version,
            source="bulk",
        )
    except DomainError:
        raise
    except Exception as error:
        # A fault in one effect must not hide what came of the others. It is logged as it would be by itself.
        logger.exception("case_approve_failed")
        raise Unavailable("A fault of ours stopped it, and nothing of it happened. Try it alone.") from error


def _proposal(case: Case, proposal_id: UUID) -> Proposal:
    rows = Proposal.objects.select_related("maker", "checker").filter(case=case, pk=proposal_id)
    found = rows.first()
    if found is None:
        raise NotFound("There is no such proposal.")
    found.case = case
    return found


def _refuse_answered(proposal: Proposal) -> None:
    """Of two who answer at once the second learns in plain words what the first one did."""
    if proposal.status == Answer.WAITING:
        return
    words = {
        Answer.APPROVED: f"{proposal.checker} has approved it already. Nothing is left to do.",
        Answer.REFUSED: f"{proposal.checker} has sent it back already.",
        Answer.WITHDRAWN: f"{proposal.maker} does not propose it any more: it was withdrawn.",
        Answer.OVERTAKEN: f"It ended before you answered. {proposal.answer}",
    }
    raise Conflict(words[Answer(proposal.status)])
