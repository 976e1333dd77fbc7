"""Looking at the provider's side for what a call that was given up was to bring about."""

from typing import Any

from onboarding import given_up
from onboarding.models import ProviderAccount
from onboarding.operations import SAVE_ACCOUNT, SETTLEMENT, UPDATE, UPLOAD
from onboarding.settlement_jobs import COMPLETE
from onboarding.update_jobs import answered
from portal import outbox
from portal.errors import Conflict
from portal.models import OutboundCall
from providers.bakkt.compare import differences
from providers.bakkt.types import AccountRequest
from providers.clients import bakkt_crypto
from providers.errors import NotFound
from providers.outcomes import as_outcome

#: What can be looked up: the rest changes nothing that a reading shows, or is a reading itself.
READABLE = frozenset({SAVE_ACCOUNT, SETTLEMENT, UPDATE, UPLOAD})


class LookUp:
    """The outbox handler of bakkt.call.look_up. It reads, so it may be repeated."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Read what the call that was given up would have made."""
        given = OutboundCall.objects.get(pk=call.body.reveal()["call"])
        return as_outcome(lambda: _found(given), lambda found: found, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """It is there: the call succeeded. It is not: a person decides again."""
        given = OutboundCall.objects.get(pk=call.body.reveal()["call"])
        answer = dict(outcome.answer) if isinstance(outcome, outbox.Succeeded) else {}
        if not answer.pop("there", False):
            self._not_there(call, given, "Looked up: the provider does not have it")
            return
        try:
            outbox.conclude(
                call_id=given.pk, outcome=outbox.Succeeded(answer), reason="Found at the provider."
            )
        except Conflict:
            return  # Sent again from the outbound calls meanwhile: its own answer counts.

    def gave_up(self, call: OutboundCall) -> None:
        """The provider did not answer for days."""
        given = OutboundCall.objects.get(pk=call.body.reveal()["call"])
        self._not_there(call, given, "It could not be looked up: the provider did not answer")

    def _not_there(self, call: OutboundCall, given: OutboundCall, title: str) -> None:
        if given.status == OutboundCall.Status.NEEDS_PERSON:
            given_up.account_of(given)
            given_up.end_case(given, "Looked up.")
            given_up.tell(given, title, dedupe=f"look-up:{call.pk}")


def _found(given: OutboundCall) -> dict[str, Any]:
    client = bakkt_crypto()
    try:
        if given.operation == UPLOAD:
            return {"there": True, "id": client.read_document(str(given.subject_id)).id}
        key = ProviderAccount.objects.values_list("client_account_id", flat=True)
        account = key.get(pk=given_up.account_id_of(given))
        if given.operation == SETTLEMENT:
            method = client.read_status(account).settlement_method
            return {"there": method == given.body.reveal()["method"], "said": COMPLETE}
        record = client.read_account(account)
    except NotFound:
        return {"there": False}
    request = AccountRequest.from_wire(given.body.reveal())
    if given.operation == UPDATE:
        unlike = record.request is None or bool(differences(request, record.request))
        return {"there": bool(record.pending_update_ids) or not unlike} | answered(request, record)
    return {"there": True, "id": record.id, "status": record.status, "mode": record.mode or ""}
