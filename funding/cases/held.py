"""A transfer that waits for a second person, and a wire about which the provider asks more."""

from collections.abc import Sequence
from datetime import timedelta

from compliance import kinds
from compliance.models import Case
from funding import held, second_person, services, subjects
from funding.cases import asking, evidence, stopping
from funding.models import Transfer
from funding.terms import HELD_FOR
from onboarding.cases import holding
from onboarding.models import AccountHold
from portal.errors import Conflict


def _evidence(case: Case) -> Sequence[kinds.Section]:
    transfer = subjects.transfer_of(case.subject_id)
    sections = list(evidence.of_case(case))
    if transfer is not None and transfer.held_for:
        why = tuple(kinds.Row("Why it waits", HELD_FOR[code]) for code in transfer.held_for)
        sections.insert(0, kinds.Section("Why a person looks", why))
    return sections


def _enhanced_evidence(case: Case) -> Sequence[kinds.Section]:
    return [*_evidence(case), *evidence.stated(case)]


def _approve(ruling: kinds.Ruling) -> str:
    services.transfer_approve(
        actor=ruling.actor, transfer_id=ruling.case.subject_id, source=services.FROM_CASE
    )
    return "The transfer is on its way to the provider."


def _refuse(ruling: kinds.Ruling) -> str:
    services.transfer_cancel(
        actor=ruling.actor,
        transfer_id=ruling.case.subject_id,
        reason="Refused after a look at it.",
        source=services.FROM_CASE,
    )
    return "The transfer was cancelled; what was set aside is free again."


def _clear(ruling: kinds.Ruling) -> str:
    if _status(ruling) != Transfer.Status.HELD:
        return "Written down. The wire stands as it arrived."
    return _approve(ruling)


def _refuse_out(ruling: kinds.Ruling) -> str:
    if _status(ruling) != Transfer.Status.HELD:
        raise Conflict("A wire that arrived cannot be refused here. Hold the account, and tell the provider.")
    return _refuse(ruling)


def _hold(ruling: kinds.Ruling) -> str:
    said = stopping.put(ruling, AccountHold.Cause.UNUSUAL)
    if _status(ruling) == Transfer.Status.HELD:
        _refuse(ruling)
        return f"The transfer was cancelled. {said}"
    return said


def _status(ruling: kinds.Ruling) -> str:
    return Transfer.objects.values_list("status", flat=True).get(pk=ruling.case.subject_id)


_REFUSALS = {
    "not_asked": "The customer did not ask for it",
    "doubt": "Doubts about where it goes",
    "wrong": "Amount or bank is wrong",
    "other": "Another reason",
}

kind = kinds.CaseKind(
    name=held.HELD,
    title="Transfer waits for approval",
    purpose="A colleague asked for a transfer above the amount for which one person is enough. A second person lets it "
    "go or refuses it; until then nothing is sent, and a withdrawal's money is set aside.",
    checklist=(
        kinds.CheckItem("asked", "Known how the customer asked for it, and that it was them"),
        kinds.CheckItem("goes", "Looked where the money comes from or goes to"),
    ),
    decisions=(
        kinds.Decision(
            "approve",
            "Approve",
            "It is sent at once, on the terms of now. What was sent cannot be taken back.",
            effect=_approve,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Refuse",
            "It is cancelled; nothing was sent.",
            effect=_refuse,
            reasons=_REFUSALS,
            needs_text=True,
            verdict="refused",
        ),
    ),
    permission="transfer.approve",
    evidence=_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    tell_held=holding.tells("A transfer of yours"),
    lock=subjects.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    priority=Case.Priority.HIGH,
    due_after=timedelta(hours=4),
)

enhanced = kinds.CaseKind(
    name=held.ENHANCED,
    title="Wire of $500,000 or more",
    purpose="From this amount on the provider asks where the money comes from and goes to. Have the answer ready: know "
    "the source of the funds and the purpose before a wire goes out, and soon after one came in.",
    checklist=(
        kinds.CheckItem("source", "Source of the funds known, with a paper that shows it"),
        kinds.CheckItem("purpose", "Purpose known, and that it fits what the customer stated"),
        kinds.CheckItem("name", "The name at the other bank is the customer's"),
    ),
    decisions=(
        kinds.Decision(
            "clear",
            "Explained",
            "Write what the customer showed. A wire out that waits is sent at once.",
            effect=_clear,
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Refuse the wire out",
            "It is cancelled; nothing was sent.",
            effect=_refuse_out,
            reasons=_REFUSALS,
            needs_text=True,
            verdict="refused",
        ),
        stopping.decision(
            AccountHold.Cause.UNUSUAL, effect=_hold, also="; a wire out that waits is cancelled"
        ),
        asking.decision("ask"),
    ),
    permission="transfer.approve",
    evidence=_enhanced_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    ask_url=asking.page,
    lock=subjects.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    priority=Case.Priority.HIGH,
    due_after=timedelta(hours=8),
)
