"""How a proposed decision begins and ends. Each takes a locked case and leaves it in the status that fits.

Whatever takes a case out of "waiting for approval" goes through here, since a proposal never outlives its wait.
"""

from compliance import approvers, jobs, kinds, notices, permissions, sla
from compliance.models import Case, Proposal
from compliance.services.shared import changed
from compliance.services.workers import held_there
from portal import audit, clock
from portal.models import User
from portal.permissions import can_do

Status = Case.Status
Answer = Proposal.Status


def propose(
    actor: User, case: Case, chosen: kinds.Decision, *, reason_code: str, text: str, source: str
) -> Proposal:
    """Keep the decision as it was made, upon what was seen, until a second person answers. Causes nothing."""
    kind = kinds.get(case.kind)
    proposal = Proposal(
        case=case,
        maker=actor,
        code=chosen.code,
        label=chosen.label,
        reason_code=reason_code,
        reason_label=chosen.reasons.get(reason_code, ""),
        text=text,
        seen_version=case.version,
        seen_evidence=approvers.digests(case, kind.evidence(case)),
        was_escalated=case.status == Status.ESCALATED,
        proposed_at=clock.now(),
    )
    proposal.save(force_insert=True)
    # From whoever it waited for it came back to us.
    sla.start(case)
    changed(case, waiting_until=None, **sla.values(case))
    case.move_to(Status.WAITING_APPROVAL, actor=actor, reason=chosen.label, source=source)
    audit.record(
        "case.proposed",
        subject=case,
        actor=actor,
        after={
            "proposal": str(proposal.pk),
            "decision": proposal.code,
            "reason_code": reason_code,
            "version": proposal.seen_version,
        },
        source=source,
    )
    jobs.tell_if_nobody_can([proposal])
    return proposal


def take_back(case: Case, *, actor: User, source: str) -> bool:
    """A proposal that waits is withdrawn, and the case is worked on again; whether one waited."""
    proposal = approvers.waiting_of(case)
    if proposal is None:
        return False
    _end(proposal, Answer.WITHDRAWN, actor=actor, answer="", source=source)
    _back(case, proposal, actor=actor, reason="Proposal withdrawn", source=source)
    if actor != proposal.maker:
        notices.came_back(proposal, f"{actor} withdrew your proposal.")
    return True


def send_back(proposal: Proposal, *, actor: User, reason: str, source: str) -> None:
    """A second person does not approve: it goes back to the maker, who is told."""
    proposal.checker = actor
    _end(proposal, Answer.REFUSED, actor=actor, answer=reason, source=source)
    _back(proposal.case, proposal, actor=actor, reason=f"Sent back: {reason}", source=source)
    notices.came_back(proposal, f"{actor} did not approve your proposal and says why on its page.")


def overtake(case: Case, *, news: str, source: str) -> None:
    """Something new came in that the maker has not seen: what they proposed ends, and goes back to them."""
    proposal = approvers.waiting_of(case)
    if proposal is not None:
        _end(proposal, Answer.OVERTAKEN, actor=None, answer=f"New: {news}", source=source)
        _back(case, proposal, actor=None, reason=f"New: {news}", source=source)
        notices.came_back(proposal, "Something new came in before it was approved.")


def settled(case: Case, *, reason: str, source: str) -> None:
    """The case closes by itself, and with it what was proposed; the case is moved by whoever closes it."""
    proposal = approvers.waiting_of(case)
    if proposal is not None:
        _end(proposal, Answer.OVERTAKEN, actor=None, answer=reason, source=source)


def approved(proposal: Proposal, *, actor: User, source: str) -> None:
    """A second person agrees; whoever calls causes the effect in the same transaction."""
    proposal.checker = actor
    _end(proposal, Answer.APPROVED, actor=actor, answer="", source=source)


def _end(proposal: Proposal, status: str, *, actor: User | None, answer: str, source: str) -> None:
    proposal.answer = answer[:300]
    proposal.save(update_fields=["checker", "answer"])
    proposal.move_to(status, actor=actor, reason=answer, source=source)


def _back(case: Case, proposal: Proposal, *, actor: User | None, reason: str, source: str) -> None:
    """To whoever has the case; to the maker where nobody does, if they are there; else into the queue."""
    maker = proposal.maker
    # The worker's row is locked after the case's here, which waits for nobody: setting away waits for cases that are
    # somebody's, and this one is nobody's.
    is_theirs = case.assignee_id is None and (
        can_do(maker, "case.work") and permissions.role_sees(maker, case.queue) and held_there(maker)
    )
    changed(case, assignee=maker if is_theirs else case.assignee)
    if is_theirs:
        audit.record(
            "case.assigned",
            subject=case,
            actor=actor,
            before={"assignee": None},
            after={"assignee": str(maker.pk)},
            source=source,
        )
    back = Status.IN_PROGRESS if case.assignee_id else Status.OPEN
    case.move_to(
        Status.ESCALATED if proposal.was_escalated else back, actor=actor, reason=reason, source=source
    )
