"""What a case's page says of a decision that was proposed: to its maker, to who may approve it, and to all others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compliance import approvers, kinds, services
from compliance.models import Case, CaseNote, Proposal
from compliance.permissions import Reason
from portal.models import User


@dataclass(frozen=True)
class Card:
    """The proposal that waits, or the last one where it came back and nothing is decided yet."""

    proposal: Proposal
    is_waiting: bool
    second: approvers.Second | None = None
    #: Why the viewer cannot answer it at all, and why nobody can approve it as it stands.
    cannot: Sequence[Reason] = ()
    outdated: Sequence[Reason] = ()
    may_withdraw: bool = False
    notes: Sequence[CaseNote] = ()


def of(actor: User, case: Case, sections: Sequence[kinds.Section]) -> Card | None:
    """The card for the viewer; None where nothing is proposed."""
    proposal = case.proposals.select_related("maker", "checker").order_by("-pk").first()
    if proposal is None or case.is_done:
        return None
    proposal.case = case
    if proposal.status != Proposal.Status.WAITING:
        # One that was approved belongs to a decision; what is open again begins anew.
        return None if proposal.status == Proposal.Status.APPROVED else Card(proposal, is_waiting=False)
    around = approvers.Around.of([case])
    return Card(
        proposal,
        is_waiting=True,
        second=approvers.seconds_of([proposal])[case.pk],
        cannot=approvers.why_not_answer(actor, proposal, around),
        outdated=approvers.outdated(proposal, sections),
        may_withdraw=not services.why_not_withdraw(actor, proposal),
        notes=list(case.notes.filter(at__gt=proposal.proposed_at).select_related("author").order_by("pk")),
    )


def initial(actor: User, card: Card | None) -> dict[str, Any]:
    """What came back to its maker, as the decision form shows it, so that nothing is typed twice."""
    if card is None or card.is_waiting or card.proposal.maker_id != actor.pk:
        return {}
    made = card.proposal
    return {"decision": made.code, f"reason_{made.code}": made.reason_code, "text": made.text}
