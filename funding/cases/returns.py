"""A transfer by ACH that the bank sent back."""

from collections.abc import Sequence
from datetime import timedelta

from compliance import kinds
from compliance.models import Case
from funding import bank_flow, returns, second_person, subjects
from funding.cases import asking, evidence, stopping
from funding.models import LinkedBank
from onboarding.models import AccountHold
from portal.errors import Conflict
from providers.bakkt import return_codes


def _evidence(case: Case) -> Sequence[kinds.Section]:
    transfer = subjects.transfer_of(case.subject_id)
    if transfer is None:
        return ()
    code = return_codes.look_up(transfer.reason_code)
    bank = transfer.bank
    playbook = kinds.Section(
        "What the code asks for",
        (
            kinds.Row("Code", code.code or "The provider named none"),
            kinds.Row("What the customer reads", code.customer),
            kinds.Row("What to do", code.staff),
            kinds.Row("May the same be tried again", "Yes" if code.retryable else "Not until you allow it"),
            kinds.Row("Remove the bank", "Yes" if code.unlink_bank else "No"),
            kinds.Row("Counts as", f"{code.category} return"),
            kinds.Row(
                "Held longer next time",
                f"{bank.extra_hold_days} days" if bank else f"{code.hold_days_next} days",
            ),
            kinds.Row("When", "After it had arrived" if transfer.completed_at else "Before it arrived"),
        ),
    )
    return [playbook, *evidence.of_case(case)]


def _bank(ruling: kinds.Ruling) -> LinkedBank:
    transfer = subjects.transfer_of(ruling.case.subject_id)
    if transfer is None or transfer.bank is None:
        raise Conflict("No bank belongs to this transfer.")
    return LinkedBank.objects.select_for_update(of=("self",)).get(pk=transfer.bank.pk)


def _retry(ruling: kinds.Ruling) -> str:
    bank = _bank(ruling)
    if not bank.stopped_for:
        return "Nothing stops deposits from this bank. A new one needs a new authorisation."
    returns.allow_again(bank, actor=ruling.actor)
    return "Deposits from this bank may be asked for again, each with a new authorisation."


def _unlink(ruling: kinds.Ruling) -> str:
    bank = _bank(ruling)
    if bank.status not in {LinkedBank.Status.ACTIVE, LinkedBank.Status.SIGN_IN}:
        raise Conflict("This bank is not linked any more.")
    bank_flow.unlink(bank, actor=ruling.actor, reason="A transfer was returned.", source="case")
    return "The bank is being unlinked. The customer is told, and may link another."


kind = kinds.CaseKind(
    name=returns.KIND,
    title="Returned ACH transfer",
    purpose="A bank sent a transfer back. The books are put right already. Do what the code asks for; the provider "
    "suspends an account with too many returns.",
    checklist=(
        kinds.CheckItem("code", "Read what the code asks for"),
        kinds.CheckItem("balance", "Looked whether the account owes money now"),
    ),
    decisions=(
        kinds.Decision("note", "Noted", "Nothing more to do; say why.", needs_text=True),
        asking.decision("contact", with_bank=True),
        stopping.decision(AccountHold.Cause.RETURNS),
        kinds.Decision(
            "unlink",
            "Unlink the bank",
            "For a bank account that is closed, not found, or whose owner did not authorise it.",
            effect=_unlink,
            reasons={
                "gone": "The bank account is closed or was not found",
                "unauthorised": "Its owner says that they did not authorise it",
                "other": "Another reason",
            },
            verdict="refused",
        ),
        kinds.Decision(
            "retry",
            "Allow deposits from this bank again",
            "The customer has to ask for one and authorise it anew; nothing is repeated by itself.",
            effect=_retry,
            reasons={
                "mended": "What stopped it is mended",
                "proof": "The customer showed that they had authorised it",
                "mistake": "A mistake of the bank or the provider",
            },
            needs_text=True,
            verdict="approved",
        ),
    ),
    evidence=_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    ask_url=asking.page,
    lock=subjects.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    due_after=timedelta(days=1),
)
