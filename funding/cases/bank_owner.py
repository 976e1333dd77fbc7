"""A bank account in another name than the customer's: a person decides whether it may be linked."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from compliance import kinds
from compliance.models import Case
from funding import bank_flow
from funding.cases import of_bank
from funding.locking import lock_bank
from funding.models import LinkedBank
from portal.errors import Conflict

Status = LinkedBank.Status


def _evidence(case: Case) -> Sequence[kinds.Section]:
    bank = of_bank.bank_of(case.subject_id)
    return () if bank is None else (of_bank.section(bank),)


def _lock(subject_id: UUID) -> None:
    if LinkedBank.objects.filter(pk=subject_id).exists():
        lock_bank(subject_id)


def _waiting(case: Case) -> LinkedBank:
    bank = lock_bank(case.subject_id)
    if bank.status != Status.REVIEW:
        raise Conflict("This bank does not wait for a decision any more.")
    return bank


def _link(ruling: kinds.Ruling) -> str:
    bank = _waiting(ruling.case)
    bank.move_to(Status.LINKING, actor=ruling.actor, reason=ruling.reason_code, source="case")
    bank_flow.goes_on(bank, actor=ruling.actor)
    return "It is being linked. The customer hears when that is done."


def _refuse(ruling: kinds.Ruling) -> str:
    bank = _waiting(ruling.case)
    bank_flow.refused(
        bank, code="OWNER", problem="The bank's owner has another name.", actor=ruling.actor, source="case"
    )
    return "Not linked. The customer was told that the account must be in their name."


kind = kinds.CaseKind(
    name=bank_flow.OWNER_CASE,
    title="Bank account in another name",
    purpose=(
        "The bank told an owner whose name does not fit the customer's. Money of strangers may be behind it, or only a "
        "maiden name. Nothing is linked until somebody decides."
    ),
    checklist=(
        kinds.CheckItem("names", "Names compared: earlier names, joint owners, spelling"),
        kinds.CheckItem("proof", "A paper of the bank seen, or the customer spoken to"),
    ),
    decisions=(
        kinds.Decision(
            "link",
            "Link it",
            "The account is the customer's own.",
            effect=_link,
            reasons={
                "earlier_name": "An earlier name of the customer",
                "joint": "A joint account of the customer's",
                "spelling": "Another spelling or a nickname",
                "company": "The customer's own company or trust",
            },
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Do not link it",
            "The customer is asked for an account in their own name.",
            effect=_refuse,
            reasons={
                "third_party": "It is somebody else's account",
                "no_proof": "Nothing proves that it is theirs",
                "suspicious": "Signs of fraud",
            },
            verdict="refused",
        ),
    ),
    evidence=_evidence,
    subject_url=of_bank.page,
    anchor=of_bank.anchor,
    lock=_lock,
    traits=of_bank.traits_of,
    ruled_out=of_bank.ruled_out,
    due_after=timedelta(days=2),
)
