"""What runs in the background of importing a shared identity check again: the call, and what came of it."""

from onboarding.jobs import lock_account, schedule_poll
from onboarding.operations import PARTY_STATUS
from onboarding.services.applications import VERDICT_WITHIN
from portal import audit, outbox
from portal.models import OutboundCall
from providers import expected
from providers.clients import bakkt_crypto
from providers.outcomes import as_outcome


class SharedIdentityImport:
    """The outbox handler of bakkt.account.shared_identity. Importing twice is harmless: the call is a repeat itself."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Ask the provider to import the check."""
        given = call.body.reveal()
        return as_outcome(
            lambda: bakkt_crypto().recover_kyc_transfer(given["account"], given["token"]),
            lambda word: {"said": word[:60]},
            call=call,
        )

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Begun, and a verdict is to be expected anew; or refused, which the page of the import says."""
        account = lock_account(call.subject_id)
        done = isinstance(outcome, outbox.Succeeded)
        if not done:
            account.rescreening_since = None
            account.save(update_fields=["rescreening_since"])
        elif account.rescreening_since is not None:
            # Otherwise the verdict was here before the answer to the call, and nothing more is to come.
            expected.expect(account, PARTY_STATUS, provider=account.provider, due_in=VERDICT_WITHIN)
            account.polls = 0
            schedule_poll(account)
            account.save(update_fields=["next_poll_at", "polls"])
        audit.record(
            "account.shared_identity_done",
            subject=account.application,
            source="provider",
            after={"imported": done},
        )

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing changes here: a case asks a person (onboarding/given_up.py)."""
