"""A transfer call that was given up: nobody knows whether the money moves, and nothing is sent again by itself."""

from collections.abc import Sequence
from datetime import timedelta

from compliance import kinds
from compliance.models import Case
from funding import given_up, second_person, services, subjects
from funding.cases import evidence
from funding.locking import lock_transfer
from funding.models import Transfer
from funding.operations import LOOK_UP
from portal import outbox
from portal.errors import Conflict
from providers.clients import bakkt_fiat


def _evidence(case: Case) -> Sequence[kinds.Section]:
    return [*evidence.of_case(case), *evidence.calls_of(case.subject_id, {LOOK_UP: "Looking it up"})]


def _look(ruling: kinds.Ruling) -> str:
    transfer = _stuck(ruling)
    if not bakkt_fiat().reads_transactions:
        raise Conflict(
            "The provider's records cannot be read from here. Ask its team for our reference, and record what they say."
        )
    outbox.enqueue(operation=LOOK_UP, subject=transfer, body={}, actor=ruling.actor)
    return "It is being looked up. If it is there this case closes by itself, if not a new one opens."


def _there(ruling: kinds.Ruling) -> str:
    services.transfer_found(actor=ruling.actor, transfer_id=ruling.case.subject_id, reason=ruling.text)
    return "It counts as sent; the provider's word on it is expected."


def _again(ruling: kinds.Ruling) -> str:
    services.transfer_send_again(actor=ruling.actor, transfer_id=ruling.case.subject_id, reason=ruling.text)
    return "It is being sent under a new key. Should it be given up once more, a new case opens."


def _drop(ruling: kinds.Ruling) -> str:
    services.transfer_give_up(actor=ruling.actor, transfer_id=ruling.case.subject_id, reason=ruling.text)
    return "Given up for good; what was set aside is free again."


def _stuck(ruling: kinds.Ruling) -> Transfer:
    transfer = lock_transfer(ruling.case.subject_id)
    if transfer.stuck_at is None:
        raise Conflict("This transfer does not wait for a person any more.")
    return transfer


kind = kinds.CaseKind(
    name=given_up.KIND,
    title="Transfer nobody knows of",
    purpose="Asking the provider for a transfer stayed without an answer that says anything, longer than its key is "
    "remembered or after its key was spent. It may have taken effect or not. Find out by our reference, then decide.",
    checklist=(
        kinds.CheckItem(
            "looked", "Looked the transfer up at the provider, or asked its team, by our reference"
        ),
        kinds.CheckItem("balance", "Compared the provider's balance with our books"),
    ),
    decisions=(
        kinds.Decision(
            "look",
            "Look it up at the provider",
            "Reads their record by our reference: the safe thing to do first.",
            effect=_look,
            closes=False,
        ),
        kinds.Decision(
            "there",
            "It is there",
            "Say where you saw it. Nothing is sent; it counts as sent, and its outcome is awaited.",
            effect=_there,
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "again",
            "It is not there: send it again",
            "Under a new key and the same reference. Their record is read first where it can be; where it cannot, and "
            "the first one is there after all, the money moves twice.",
            effect=_again,
            reasons={"looked_up": "Looked up: it is not there", "told": "The provider's team says so"},
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "drop",
            "It is not there: give it up for good",
            "The transfer ends as cancelled, and what was set aside is free again.",
            effect=_drop,
            reasons={
                "not_there": "Not there, and not wanted any more",
                "refused": "The provider says that it will not take it",
            },
            needs_text=True,
            verdict="refused",
        ),
    ),
    permission="transfer.approve",
    evidence=_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    lock=given_up.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    priority=Case.Priority.URGENT,
    due_after=timedelta(hours=4),
    balls={Case.Status.DECIDED: kinds.Words("provider", "Being looked up at the provider", "Its answer")},
)
