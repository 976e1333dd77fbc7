"""The calls that link a bank at the provider and unlink it, and what came of them (contract bakkt-partner.md, 5.1).

Neither has an idempotency key: `partnerTransactionRef` names the request, and it is the outbox row's key, the same on
every repeat. A repeat after an answer that said nothing moves no money: what is linked is linked anew. But an answer
that the reference was used before is no refusal, for the first request may have had its effect: the provider's record
is read, and where that cannot be, a person finds out.
"""

from collections.abc import Callable

from funding import bank_flow, bank_given_up, bank_reading, bank_words
from funding.calling import ask, code_of
from funding.locking import lock_bank
from funding.models import LinkedBank
from portal import outbox
from portal.models import OutboundCall
from providers.bakkt.fiat_events import LinkStatus
from providers.clients import bakkt_fiat
from providers.errors import Conflict, Misconfigured, Rejected
from providers.outcomes import as_outcome

Status = LinkedBank.Status
Outcome = outbox.Succeeded | outbox.Refused
ACH = "ACH"
#: The provider has no such link: what was to be ended is not there (contract 5.6).
NOT_THERE = frozenset(
    {
        "LINKED_BANK_ACCOUNT_NOT_FOUND",
        "BANK_ACCOUNT_NOT_FOUND",
        "PLAID_ACCOUNT_NOT_FOUND",
        "BANK_LINK_ITEM_NOT_FOUND",
    }
)
#: The field that a refusal complains of where a reference was used before.
REFERENCE = "partnerTransactionRef"


class BankLink:
    """The outbox handler of bakkt.fiat.link."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Hand over the processor token; not once the provider's word came: the bank may be unlinked again by now."""
        bank = _bank(call)
        # What was sent under can be looked up, so it is written down first; a new key is a new request.
        mine = LinkedBank.objects.filter(pk=bank.pk, status=Status.LINKING)
        if not mine.update(reference=call.idempotency_key):
            return outbox.Succeeded()
        token = call.body.reveal()["processor_token"]
        return _asked(
            lambda: bakkt_fiat().link_plaid(
                bank.account.client_account_id, processor_token=token, reference=call.idempotency_key
            ),
            call,
        )

    def look_up(self, call: OutboundCall) -> outbox.Outcome | None:
        """Whether the provider has the link after all, and what it says of it."""
        bank = _bank(call)
        if bank.status != Status.LINKING:
            return outbox.Succeeded()
        if not bakkt_fiat().reads_links:
            return outbox.AskPerson(
                "The reference was used, and the provider's record cannot be read from here."
            )
        found = _found(bank, call)
        return None if isinstance(found, outbox.Succeeded) and not found.answer["there"] else found

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Waiting for the provider's word, or refused. A word that came by webhook meanwhile stands."""
        bank = lock_bank(call.subject_id)
        if bank.status != Status.LINKING:
            return
        if isinstance(outcome, outbox.Refused):
            code = code_of(outcome)
            bank_flow.refused(bank, code=code, problem=bank_words.staff_words(code), source="provider")
            return
        bank_flow.pending(bank, source="provider")
        if outcome.answer.get("status"):
            found = LinkStatus(outcome.answer["status"])
            bank_flow.said(bank, found, code=outcome.answer["code"], source="poll")

    def gave_up(self, call: OutboundCall) -> None:
        """A person finds out whether the provider has it."""
        bank_given_up.gave_up(call)


class BankUnlink:
    """The outbox handler of bakkt.fiat.unlink. An account has one link of a kind (contract, question 30)."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Have it unlinked; not again once its word came: the provider would unlink the bank that took its place."""
        bank = _bank(call)
        mine = LinkedBank.objects.filter(pk=bank.pk, status=Status.UNLINKING)
        if not mine.update(unlink_reference=call.idempotency_key):
            return outbox.Succeeded()
        return _asked(
            lambda: bakkt_fiat().unlink(
                bank.account.client_account_id, instrument=ACH, reference=call.idempotency_key
            ),
            call,
        )

    def look_up(self, call: OutboundCall) -> outbox.Outcome | None:
        """Whether the provider still has the link; while it has, unlinking is asked for once more."""
        bank = _bank(call)
        if bank.status != Status.UNLINKING:
            return outbox.Succeeded()
        if not bakkt_fiat().reads_links:
            return outbox.AskPerson(
                "The reference was used, and the provider's record cannot be read from here."
            )
        found = _found(bank, call)
        if not isinstance(found, outbox.Succeeded):
            return found
        gone = not found.answer["there"] or found.answer["status"] in bank_reading.NOT_LINKED
        return found if gone else None

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Unlinked; Plaid's turn comes with it. One that the provider does not have is unlinked too."""
        bank = lock_bank(call.subject_id)
        if bank.status != Status.UNLINKING:
            return
        if isinstance(outcome, outbox.Succeeded) or code_of(outcome) in NOT_THERE:
            bank_flow.unlinked(bank, source="provider")
        else:
            code = code_of(outcome)
            bank_flow.not_unlinked(bank, code=code, problem=bank_words.staff_words(code))

    def gave_up(self, call: OutboundCall) -> None:
        """A person finds out whether the provider still has it."""
        bank_given_up.gave_up(call)


class _Used(Exception):
    """The reference was used before: the request may have had its effect."""


def _bank(call: OutboundCall) -> LinkedBank:
    return LinkedBank.objects.select_related("account").get(pk=call.subject_id)


def _found(bank: LinkedBank, call: OutboundCall) -> outbox.Outcome:
    """What the provider's record says of the link. That it will not be read is no word on the link."""
    found = as_outcome(lambda: bank_reading.find(bank), bank_reading.known, call=call)
    return outbox.AskPerson(found.problem) if isinstance(found, outbox.Refused) else found


def _asked(fn: Callable[[], None], call: OutboundCall) -> outbox.Outcome:
    """Make the call. What says that the reference was used is looked up before it is sent under another."""
    try:
        return ask(lambda: _coded(fn), call)
    except _Used as answer:
        return outbox.KeySpent(str(answer))


def _coded(fn: Callable[[], None]) -> None:
    """Only a refusal with the provider's own reason counts as one; a bare one may be any gateway's, ours to mend."""
    try:
        fn()
    except Rejected as error:
        if isinstance(error, Conflict) or any(row.field == REFERENCE for row in error.fields):
            raise _Used(str(error)) from error
        if not error.code:
            raise Misconfigured(error.message, status=error.status) from error
        raise
