"""What runs in the background of a change of the settlement method: the call, and what came of it."""

from onboarding.jobs import lock_account
from onboarding.models import SettlementChange
from portal import audit, outbox
from portal.models import OutboundCall
from providers.bakkt.types import SettlementChange as Answer
from providers.clients import bakkt_crypto
from providers.errors import Conflict, OutcomeUnknown, Unreadable
from providers.outcomes import as_outcome

Status = SettlementChange.Status
COMPLETE, FAILED = "COMPLETE", "FAILED"


class SettlementUpdate:
    """The outbox handler of bakkt.account.settlement. Setting the same method twice changes nothing more."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Ask the provider; its good answer may still say that it failed."""
        change = SettlementChange.objects.select_related("account").get(pk=call.subject_id)
        account, method = change.account.client_account_id, change.method
        return as_outcome(lambda: _asked(account, method), lambda word: {"said": word}, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Our record follows, or the change ends with the provider's words."""
        change = SettlementChange.objects.get(pk=call.subject_id)
        account = lock_account(change.account_id)
        change = SettlementChange.objects.select_for_update().get(pk=change.pk)
        if change.status != Status.SENDING:
            return
        if isinstance(outcome, outbox.Succeeded) and outcome.answer["said"] == COMPLETE:
            account.application.settlement_method = change.method
            account.application.save(update_fields=["settlement_method"])
            change.move_to(Status.DONE, actor=None, source="provider")
        else:
            said = FAILED if isinstance(outcome, outbox.Succeeded) else outcome.problem
            change.problem = f"The provider answered: {said}"[:300]
            change.save(update_fields=["problem"])
            change.move_to(Status.REFUSED, actor=None, source="provider")
        audit.record(
            "account.settlement_done",
            subject=account.application,
            source="provider",
            after={"change": str(change.pk), "method": change.method, "status": change.status},
        )

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing changes here: a case asks a person (onboarding/given_up.py)."""


def _asked(account: str, method: str) -> str:
    """COMPLETE or FAILED. A conflict is settled by reading how the account settles now."""
    client = bakkt_crypto()
    try:
        return _word(client.update_settlement(account, method))
    except Conflict as error:
        if client.read_status(account).settlement_method == method:
            return COMPLETE
        raise OutcomeUnknown(
            "A conflict about another settlement method", status=error.status, code="conflict"
        ) from error


def _word(answer: Answer) -> str:
    if answer.status not in {COMPLETE, FAILED}:
        raise Unreadable("the reply says neither COMPLETE nor FAILED")
    return str(answer.status)
