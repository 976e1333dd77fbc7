"""What runs in the background of a change: compare with the provider's copy, send, and see what came of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from compliance import services as compliance
from onboarding import notices, payloads, updates
from onboarding.jobs import POLL_AFTER, lock_account, saved
from onboarding.models import AccountUpdate, Owner, ProviderAccount
from onboarding.operations import SAVE_ACCOUNT, UPDATE
from portal import audit, clock, outbox
from portal.models import OutboundCall
from providers.bakkt.compare import Difference, differences
from providers.bakkt.types import Account as AccountAnswer
from providers.bakkt.types import AccountRequest
from providers.clients import bakkt_crypto
from providers.outcomes import as_outcome

Status = AccountUpdate.Status
#: The case that opens when sending would change more than was asked (onboarding/cases/updates.py).
DIFFERS = "onboarding.update_differs"
UNREADABLE = "the provider's copy cannot be read"


@dataclass(frozen=True)
class ThreeWay:
    """Ours with the change, ours as it is, what was sent last, and the provider's copy."""

    wanted: AccountRequest
    ours: AccountRequest
    sent: AccountRequest | None
    theirs: AccountRequest | None

    @property
    def asked(self) -> set[str]:
        """The paths that the change is about."""
        return {row.path for row in differences(self.wanted, self.ours)}

    def unasked(self) -> list[Difference]:
        """What sending would change at the provider although nobody asked for it, blanks first.

        Agreements accepted since belong to every update and count as asked.
        """
        if self.theirs is None:
            return [Difference(UNREADABLE, None, None)]
        found = [
            row
            for row in differences(self.wanted, self.theirs)
            if row.path not in self.asked and not (row.leaf == "agreements" and row.theirs is None)
        ]
        return sorted(found, key=lambda row: not row.blanks)

    def rows(self) -> list[dict[str, Any]]:
        """Every path at which any two differ, for a person: {path, ours, sent, theirs, asked}."""
        sides = [differences(self.wanted, other) for other in (self.ours, self.sent, self.theirs) if other]
        wanted = {row.path: row.ours for side in sides for row in side}
        ours, sent, theirs = (
            {row.path: row.theirs for row in differences(self.wanted, other)} if other else {}
            for other in (self.ours, self.sent, self.theirs)
        )
        return [
            {
                "path": path,
                "wanted": wanted[path],
                "ours": ours.get(path, wanted[path]),
                "sent": sent.get(path, wanted[path]) if self.sent else None,
                "theirs": theirs.get(path, wanted[path]) if self.theirs else None,
                "asked": path in self.asked,
            }
            for path in sorted(wanted)
        ]


def last_sent(account: ProviderAccount) -> AccountRequest | None:
    """The data set that the provider took last."""
    mine = {"subject_type": "onboarding.provideraccount", "subject_id": account.pk}
    changes = AccountUpdate.objects.filter(account=account).values("pk")
    calls = OutboundCall.objects.filter(status=OutboundCall.Status.SUCCEEDED)
    opened = calls.filter(operation=SAVE_ACCOUNT, **mine)
    changed = calls.filter(operation=UPDATE, subject_id__in=changes)
    call = (opened | changed).order_by("-created_at").first()
    return AccountRequest.from_wire(call.body.reveal()) if call else None


def three_way(update: AccountUpdate, theirs: AccountRequest | None) -> ThreeWay:
    """The data sets of a change, beside the provider's copy."""
    with transaction.atomic():
        account = ProviderAccount.objects.select_related("application").get(pk=update.account_id)
        return ThreeWay(
            wanted=updates.request_with(update),
            ours=payloads.account_request(account),
            sent=last_sent(account),
            theirs=theirs,
        )


class Compare:
    """The outbox handler of bakkt.account.compare: reads the provider's copy and stops what nobody asked for."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Read, compare, and keep the comparison sealed with the change. Repeating it changes nothing else."""
        update = AccountUpdate.objects.select_related("account").get(pk=call.subject_id)
        client = bakkt_crypto()
        return as_outcome(
            lambda: client.read_account(update.account.client_account_id),
            lambda answer: _compared(update, answer),
            call=call,
        )

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Send it, or hold it for a person."""
        update = lock_update(call)
        if update.status != Status.CHECKING:
            return
        stops = outcome.answer["stops"] if isinstance(outcome, outbox.Succeeded) else [UNREADABLE]
        if not stops:
            send(update, source="provider")
            return
        update.stopped_by = stops
        update.save(update_fields=["stopped_by"])
        update.move_to(
            Status.HELD, actor=None, reason="It would change more than was asked.", source="provider"
        )
        _ask(update)

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing changes here: a case asks a person (onboarding/given_up.py)."""


class Update:
    """The outbox handler of bakkt.account.update: the complete data set with the changes in it."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Send the very body that was sealed when the call was written."""
        request = AccountRequest.from_wire(call.body.reveal())
        return as_outcome(lambda: saved(request), lambda answer: answered(request, answer), call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Keep the change, wait for the provider's review, or tell the customer that it was not accepted."""
        update = lock_update(call)
        if update.status != Status.SENDING:
            return
        if isinstance(outcome, outbox.Refused):
            update.corrections = [{"code": row["code"], "field": row["field"]} for row in outcome.fields]
            update.save(update_fields=["corrections"])
            refused(update, "The provider did not accept it.", source="provider")
        elif outcome.answer["pending"]:
            update.move_to(Status.IN_REVIEW, actor=None, source="provider")
            _look_soon(update.account)
        else:
            applied(update, source="provider")

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing changes here: a case asks a person."""


def lock_update(call: OutboundCall) -> AccountUpdate:
    """The change of a call, its application and account locked before it."""
    account = lock_account(AccountUpdate.objects.values_list("account_id", flat=True).get(pk=call.subject_id))
    update = AccountUpdate.objects.select_for_update(of=("self",)).get(pk=call.subject_id)
    update.account = account
    return update


def send(update: AccountUpdate, *, source: str, actor: Any = None) -> None:
    """Write the call, in the caller's transaction."""
    update.move_to(Status.SENDING, actor=actor, source=source)
    body = updates.request_with(update).to_wire()
    outbox.enqueue(operation=UPDATE, subject=update, body=body, actor=update.requested_by)


def applied(update: AccountUpdate, *, source: str) -> None:
    """The provider has it: from here on it is ours too."""
    updates.apply_changes(update)
    update.move_to(Status.APPLIED, actor=None, source=source)
    notices.update_applied(update)
    _told(update)


def refused(update: AccountUpdate, reason: str, *, source: str, actor: Any = None) -> None:
    """It did not come about; our rows are as they were."""
    update.move_to(Status.REFUSED, actor=actor, reason=reason, source=source)
    notices.update_refused(update)
    _told(update)


def apply_reading(account: ProviderAccount, record: AccountAnswer) -> None:
    """What a reading of the provider's record says about a change in review; in the reading's transaction."""
    update = (
        AccountUpdate.objects.select_for_update().filter(account=account, status=Status.IN_REVIEW).first()
    )
    if update is None:
        return
    update.account = account
    if record.pending_update_ids or record.request is None:
        _look_soon(account)
        return
    asked = three_way(update, record.request)
    missing = {row.path for row in differences(asked.wanted, record.request)} & asked.asked
    if missing:
        refused(update, "The provider did not take the change after its review.", source="poll")
    else:
        applied(update, source="poll")


def _look_soon(account: ProviderAccount) -> None:
    pause = POLL_AFTER[min(account.polls, len(POLL_AFTER) - 1)] if account.polls else timedelta(minutes=1)
    account.next_poll_at = clock.now() + pause
    account.save(update_fields=["next_poll_at"])


def _compared(update: AccountUpdate, answer: AccountAnswer) -> dict[str, Any]:
    found = three_way(update, answer.request)
    update.comparison = found.rows()
    update.save(update_fields=["comparison"])
    return {"stops": [row.path for row in found.unasked()]}


def answered(request: AccountRequest, answer: AccountAnswer) -> dict[str, Any]:
    """Whether it is done or still to be seen. The answer may be a reading after a 409: then what it holds decides."""
    unseen = answer.request is None or bool(differences(request, answer.request))
    return {
        "id": answer.id,
        "status": answer.status,
        "pending": len(answer.pending_update_ids) or int(unseen),
    }


def _ask(update: AccountUpdate) -> None:
    application = update.account.application
    owner = Owner.objects.get(application=application, is_applicant=True)
    compliance.case_open(
        kind=DIFFERS,
        subject=compliance.Subject.of(application, f"{owner.full_name}, {application.reference}"),
        title="A change would alter more at the provider than was asked",
        facts={"update": str(update.pk), "paths": len(update.stopped_by)},
        source="provider",
        dedupe=f"update:{update.pk}",
    )


def _told(update: AccountUpdate) -> None:
    audit.record(
        "account.update_done",
        subject=update.account.application,
        source="provider",
        after={"update": str(update.pk), "status": update.status},
    )
