"""A bank of which nobody knows whether it is linked: a person finds out, and says what is done."""

from collections.abc import Sequence
from datetime import timedelta

from compliance import kinds
from compliance.models import Case
from funding import bank_given_up, services
from funding.cases import evidence, of_bank
from funding.locking import lock_bank
from funding.operations import LINK_LOOK_UP
from portal import outbox
from portal.errors import Conflict
from providers.clients import bakkt_fiat

_WHAT = {LINK_LOOK_UP: "Looking it up"}


def _evidence(case: Case) -> Sequence[kinds.Section]:
    bank = of_bank.bank_of(case.subject_id)
    if bank is None:
        return ()
    references = kinds.Section(
        "To ask the provider with",
        (
            kinds.Row("Account", bank.account.client_account_id),
            kinds.Row("Reference of linking", bank.reference),
            kinds.Row("Reference of unlinking", bank.unlink_reference or "None: never asked"),
        ),
    )
    return [of_bank.section(bank), references, *evidence.calls_of(case.subject_id, _WHAT)]


def _look(ruling: kinds.Ruling) -> str:
    bank = lock_bank(ruling.case.subject_id)
    if bank.stuck_at is None:
        raise Conflict("This bank does not wait for a person any more.")
    if not bakkt_fiat().reads_links:
        raise Conflict(
            "The provider's record of links cannot be read from here. Ask its team for our reference, and record "
            "what they say."
        )
    outbox.enqueue(operation=LINK_LOOK_UP, subject=bank, body={}, actor=ruling.actor)
    return "It is being looked up. If that says it all this case closes by itself, if not a new one opens."


def _done(ruling: kinds.Ruling) -> str:
    services.bank_call_done(actor=ruling.actor, bank_id=ruling.case.subject_id, reason=ruling.text)
    return "It counts as done. The customer was told."


def _again(ruling: kinds.Ruling) -> str:
    services.bank_call_again(actor=ruling.actor, bank_id=ruling.case.subject_id, reason=ruling.text)
    return "It is being asked for again. Should it be given up once more, a new case opens."


def _drop(ruling: kinds.Ruling) -> str:
    services.bank_call_give_up(actor=ruling.actor, bank_id=ruling.case.subject_id, reason=ruling.text)
    return "Given up for good: the bank ends up unlinked, and the customer is told."


kind = kinds.CaseKind(
    name=bank_given_up.KIND,
    title="Bank nobody knows of",
    purpose="Linking a bank, or unlinking it, was asked for and nothing that came back says whether it was done. No "
    "money is moved over this bank meanwhile. Find out by our reference, then decide.",
    checklist=(
        kinds.CheckItem("looked", "Looked the link up at the provider, or asked its team, by our reference"),
        kinds.CheckItem("wanted", "Looked whether the customer wants it linked or unlinked"),
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
            "done",
            "It was done",
            "Say where you saw it. What was to be linked is linked; what was to be unlinked is unlinked.",
            effect=_done,
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "again",
            "It was not done: ask again",
            "Under a new reference. Linking what is linked links it anew; nothing is moved.",
            effect=_again,
            reasons={"looked_up": "Looked up: it was not done", "told": "The provider's team says so"},
            needs_text=True,
            verdict="approved",
        ),
        kinds.Decision(
            "drop",
            "Give it up for good",
            "A link is taken back at the provider, to be sure, and the customer is asked to link a bank anew. What was "
            "to be unlinked counts as unlinked, and its login at Plaid ends: have the provider's team unlink it.",
            effect=_drop,
            reasons={
                "not_wanted": "Not wanted any more",
                "refused": "The provider says that it will not do it",
                "by_hand": "The provider's team does it by hand",
            },
            needs_text=True,
            verdict="refused",
        ),
    ),
    permission="transfer.approve",
    evidence=_evidence,
    subject_url=of_bank.page,
    anchor=of_bank.anchor,
    lock=bank_given_up.lock,
    traits=of_bank.traits_of,
    ruled_out=of_bank.ruled_out,
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=1),
    balls={Case.Status.DECIDED: kinds.Words("provider", "Being looked up at the provider", "Its answer")},
)
