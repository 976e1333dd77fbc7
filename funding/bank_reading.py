"""Reading from the provider's own record whether a bank is linked, where its word stayed out.

Whether links can be read at all is assumed (contract, question 15): where such reads are off, a person finds out.
"""

from typing import Any
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from funding import bank_flow, bank_given_up
from funding.given_up import end_cases
from funding.locking import lock_bank
from funding.models import LinkedBank
from funding.subjects import subject_of
from portal import outbox
from portal.models import OutboundCall
from providers.bakkt.fiat_events import BankLink, LinkStatus
from providers.clients import bakkt_fiat
from providers.errors import ProviderError
from providers.outcomes import as_outcome

log = structlog.get_logger(__name__)
Status = LinkedBank.Status
#: What is under this word is not linked.
NOT_LINKED = frozenset({LinkStatus.UNLINKED, LinkStatus.FAILED})


def find(bank: LinkedBank) -> BankLink | None:
    """The provider's record of the bank's link; None when it has none. Raises the errors of providers.errors."""
    return bakkt_fiat().bank_link(bank.account.client_account_id, bank.reference)


def read(bank_id: UUID) -> bool:
    """What is done when the word on a link is late: it is read and applied; whether there was an answer."""
    bank = LinkedBank.objects.select_related("account").get(pk=bank_id)
    if bank.status != Status.PENDING:
        return True
    found, can_read = None, bakkt_fiat().reads_links
    try:
        found = find(bank) if can_read else None
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("bank_link_not_read", bank=str(bank_id), error=type(error).__name__)
        return False
    with transaction.atomic():
        bank = lock_bank(bank_id)
        if bank.status != Status.PENDING:
            return True
        if found is None:
            # They took it and say nothing, or have no record of it: nothing is sent again by itself.
            bank_given_up.stuck(bank)
        elif found.status is not None and found.status != LinkStatus.PENDING:
            bank_flow.said(bank, found.status, code=found.reason_code, source="poll")
    return True


def known(found: BankLink | None) -> dict[str, Any]:
    """What an outbox row keeps of a look-up."""
    if found is None:
        return {"there": False}
    return {"there": True, "status": str(found.status or ""), "code": found.reason_code, "word": found.word}


class LinkLookUp:
    """The outbox handler of bakkt.fiat.link_look_up, which a person asks for. It reads, so it may be repeated."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Read the provider's record of our reference."""
        bank = LinkedBank.objects.select_related("account").get(pk=call.subject_id)
        return as_outcome(lambda: find(bank), known, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """What is clear is applied; of the rest the person decides again."""
        bank = lock_bank(call.subject_id)
        if bank.stuck_at is None:
            return
        found = outcome.answer if isinstance(outcome, outbox.Succeeded) else {}
        status = LinkStatus(found["status"]) if found.get("status") else None
        if bank.status == Status.UNLINKING:
            if isinstance(outcome, outbox.Succeeded) and (not found["there"] or status in NOT_LINKED):
                bank_flow.unlinked(bank, source="poll")
            else:
                _tell(call, bank, "Looked up: the provider still has it")
        elif status is None:
            there = f"it is there, with a word nobody knows: {found['word']}" if found.get("there") else ""
            _tell(call, bank, f"Looked up: {there or 'the provider does not have it'}"[:200])
        else:
            bank_flow.said(bank, status, code=found["code"], source="poll")

    def gave_up(self, call: OutboundCall) -> None:
        """The provider did not answer for days."""
        bank = lock_bank(call.subject_id)
        if bank.stuck_at is not None:
            _tell(call, bank, "It could not be looked up: the provider did not answer")


def _tell(call: OutboundCall, bank: LinkedBank, title: str) -> None:
    end_cases(bank_given_up.KIND, subject_of(bank), "Looked up.")
    bank_given_up.tell(bank, title, dedupe=f"look-up:{call.pk}")
