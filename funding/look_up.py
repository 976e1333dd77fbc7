"""Looking at the provider's record for a transfer of which nobody knows what became."""

from typing import Any

from funding import given_up
from funding.hearing import Heard, hear
from funding.locking import lock_transfer
from funding.models import Transfer
from portal import outbox
from portal.models import OutboundCall
from providers.bakkt.fiat_events import Movement
from providers.clients import bakkt_fiat
from providers.outcomes import as_outcome


class LookUp:
    """The outbox handler of bakkt.fiat.look_up. It reads, so it may be repeated."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Read the provider's record of our reference."""
        transfer = Transfer.objects.select_related("account").get(pk=call.subject_id)
        party_ref, reference = transfer.account.client_account_id, transfer.reference
        return as_outcome(lambda: bakkt_fiat().transaction(party_ref, reference), _said, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """It is there: it was sent, and the record's word is applied. It is not: a person decides again."""
        if isinstance(outcome, outbox.Refused):
            self._ask_again(call, "It could not be looked up: the provider refused the question")
            return
        said = outcome.answer
        if not said["there"]:
            self._ask_again(call, "Looked up: the provider does not have it")
        elif said["status"]:
            hear(call.subject_id, Heard(said["status"], said["word"], said["reason_code"]), source="poll")
        else:
            self._ask_again(call, f"Looked up: it is there, with a word nobody knows: {said['word']}"[:200])

    def gave_up(self, call: OutboundCall) -> None:
        """The provider did not answer for days."""
        self._ask_again(call, "It could not be looked up: the provider did not answer")

    def _ask_again(self, call: OutboundCall, title: str) -> None:
        transfer = lock_transfer(call.subject_id)
        if transfer.stuck_at is not None:
            given_up.end_case(transfer, "Looked up.")
            given_up.tell(transfer, title, dedupe=f"look-up:{call.pk}")


def _said(found: Movement | None) -> dict[str, Any]:
    if found is None:
        return {"there": False}
    return {
        "there": True,
        "status": str(found.status) if found.status else "",
        "word": found.word,
        "reason_code": found.reason_code,
    }
