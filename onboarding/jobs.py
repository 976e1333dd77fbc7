"""What happens to accounts in the background: the call that opens them, the provider's events, the reading back."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from onboarding import closures, notices, papers, party, provider_cases
from onboarding.identity import checks, delivery
from onboarding.models import Application, ProviderAccount
from onboarding.operations import PARTY_STATUS
from portal import audit, clock, outbox
from portal.models import OutboundCall, User
from providers import expected
from providers.bakkt.types import Account as AccountAnswer
from providers.bakkt.types import AccountRequest
from providers.clients import bakkt_crypto
from providers.errors import Conflict, Misconfigured, NotFound, OutcomeUnknown, ProviderError, Rejected
from providers.outcomes import as_outcome

Status = ProviderAccount.Status
Verdict = Application.Status

#: How long until an account is read again while its verdict is out; afterwards once a day.
POLL_AFTER = tuple(timedelta(minutes=minutes) for minutes in (2, 5, 15, 30, 60, 180, 360, 720))
POLL_DAILY = timedelta(days=1)
POLL_BATCH = 50
#: Nothing more is expected of these, so they are not read again by the clock.
SETTLED = frozenset({Status.CLOSED, Status.INACTIVE})


class AccountSave:
    """The outbox handler of bakkt.account.save: create or update, one call keyed by our account id (contract 4.3)."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Send the very body that was sealed when the call was written."""
        request = AccountRequest.from_wire(call.body.reveal())
        return as_outcome(lambda: saved(request), _kept, call=call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """Received, or refused with the fields to correct. A verdict that came by webhook meanwhile stands."""
        account = lock_account(call.subject_id)
        application = account.application
        if isinstance(outcome, outbox.Succeeded):
            account.provider_id = outcome.answer["id"]
            account.request_status = outcome.answer["status"]
            schedule_poll(account)
            account.save(update_fields=["provider_id", "request_status", "next_poll_at", "polls"])
            if application.status == Verdict.SUBMITTED:
                application.move_to(Verdict.RECEIVED, actor=None, source="provider")
            papers.papers_go_on(account, actor=call.actor)
        elif application.status == Verdict.SUBMITTED:
            application.corrections = outcome.fields
            application.save(update_fields=["corrections"])
            application.move_to(
                Verdict.CORRECTION_NEEDED,
                actor=None,
                reason="The provider did not accept some answers.",
                source="provider",
            )
            expected.met(account, PARTY_STATUS)
            notices.correction_needed(application)

    def gave_up(self, call: OutboundCall) -> None:
        """The application stays as it is: a case asks a person (onboarding/given_up.py)."""


def saved(request: AccountRequest) -> AccountAnswer:
    """Save the account; only complaints about fields are the customer's to correct.

    409 is published for other calls (contract 3). Here it can mean only that the account is there, which its
    record tells. A refusal that names no field (a wrong address, a gateway) is ours to mend.
    """
    client = bakkt_crypto()
    try:
        return client.save_account(request)
    except Conflict as error:
        try:
            return client.read_account(request.client_account_id)
        except NotFound:
            raise OutcomeUnknown(
                "A conflict about an account that is not there", status=error.status, code="conflict"
            ) from error
    except Rejected as error:
        if error.fields:
            raise
        raise Misconfigured(error.message, status=error.status, code=error.code) from error


def _kept(answer: AccountAnswer) -> dict[str, Any]:
    return {"id": answer.id, "status": answer.status, "mode": answer.mode or ""}


def lock_account(account_id: UUID) -> ProviderAccount:
    """The account with its application, both locked: parent before child."""
    application_id = ProviderAccount.objects.values_list("application_id", flat=True).get(pk=account_id)
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user")
        .get(pk=application_id)
    )
    account = ProviderAccount.objects.select_for_update(of=("self",)).get(pk=account_id)
    account.application = application
    return account


# --- The provider's word about a party ----------------------------------------------------------------------


def party_status_apply(
    account: ProviderAccount,
    *,
    party_status: str,
    reason: str,
    source: str,
    verification_url: str | None = None,
    verification_expires_at: datetime | None = None,
    actor: User | None = None,
    why: str = "",
) -> None:
    """Apply a known pair of words to a locked account and its application, once, in the caller's transaction.

    The provider's words are kept verbatim beside our status. An expected answer is thereby met. `actor` and
    `why` name who applied a held word after a look, and for what reason.
    """
    said = party.account_status(party_status, reason)
    assert said is not None, "the caller quarantines unknown words"
    before, was = provider_cases.Word.of(account), account.status
    account.party_status, account.party_reason, account.heard_at = party_status, reason, clock.now()
    account.doubt_status = account.doubt_reason = ""
    account.rescreening_since = None
    changed = account.status != said
    if changed:
        heard = f"{party_status} {reason}"
        account.move_to(said, actor=actor, reason=f"{heard}: {why}" if why else heard, source=source)
        account.polls = 0
    schedule_poll(account)
    account.save(
        update_fields=[
            "party_status",
            "party_reason",
            "heard_at",
            "doubt_status",
            "doubt_reason",
            "rescreening_since",
            "next_poll_at",
            "polls",
        ]
    )
    provider_cases.heard(account, before, was=was, source=source)
    was_written_to = _verdict(account.application, party.VERDICTS[said], reason, source)
    link = checks.heard(
        account,
        is_asked=said == Status.DOCUMENTS_NEEDED,
        url=verification_url,
        expires_at=verification_expires_at,
        reason=f"{party_status} {reason}",
    )
    if link is not None and not was_written_to and delivery.delivery_now().mail_by_us:
        notices.identity_link(account.application)
    if said == Status.CLOSED:
        closures.account_closed(account, source=source)
    if source == "poll":
        expected.recovered(account, PARTY_STATUS)
    else:
        expected.met(account, PARTY_STATUS)


def _verdict(application: Application, verdict: str, reason: str, source: str) -> bool:
    """Move the application along unless it is decided already: what happens later concerns the account alone.

    Whether the customer was written to about it.
    """
    if application.status == verdict or not application.may_move_to(verdict):
        return False
    application.move_to(verdict, actor=None, reason=party.REASONS.get(reason, reason), source=source)
    letters: dict[str, Callable[[Application], None]] = {
        Verdict.APPROVED: notices.application_approved,
        Verdict.REJECTED: notices.application_rejected,
        Verdict.ACTION_REQUIRED: notices.action_required,
    }
    if verdict not in letters:
        return False
    letters[verdict](application)
    return True


def party_status_doubt(account: ProviderAccount, *, party_status: str, reason: str) -> None:
    """Hold a word that contradicts what is known and read the provider's record at once to settle it."""
    account.doubt_status, account.doubt_reason = party_status, reason
    account.next_poll_at = clock.now()
    account.save(update_fields=["doubt_status", "doubt_reason", "next_poll_at"])
    audit.record(
        "account.doubt",
        subject=account,
        source="webhook",
        after={"status": account.status, "said": f"{party_status} {reason}"},
    )


# --- Reading back -------------------------------------------------------------------------------------------


def schedule_poll(account: ProviderAccount) -> None:
    """Set when the account is next read: soon and then ever less often while we wait, daily once decided."""
    if account.status in SETTLED:
        account.next_poll_at = None
        return
    waiting = account.status in {Status.PENDING, Status.UNDER_REVIEW, Status.DOCUMENTS_NEEDED}
    pause = POLL_AFTER[min(account.polls, len(POLL_AFTER) - 1)] if waiting else POLL_DAILY
    account.next_poll_at = clock.now() + pause * random.uniform(0.9, 1.1)  # noqa: S311  (spreads load)


def accounts_due(limit: int = POLL_BATCH) -> list[UUID]:
    """Claim accounts whose reading is due, in one indexed batch; a claimed one is due again only later.

    A tick therefore costs what is due, not what exists, and two ticks never claim the same account.
    """
    moment = clock.now()
    with transaction.atomic():
        due = list(
            ProviderAccount.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(next_poll_at__lte=moment)
            .order_by("next_poll_at")[:limit]
        )
        for account in due:
            account.polls += 1
            schedule_poll(account)
        ProviderAccount.objects.bulk_update(due, ["polls", "next_poll_at"])
    return [account.pk for account in due]


def account_read(account_id: UUID) -> bool:
    """Read the provider's record of one account and apply what it shows; False when the provider did not answer.

    The reading happens outside any transaction; what it means is decided under the row's lock, against what is
    known by then.
    """
    account = ProviderAccount.objects.get(pk=account_id)
    client = bakkt_crypto()
    try:
        opening = client.read_status(account.client_account_id)
        record = client.read_account(account.client_account_id)
    except NotFound:
        return _not_there(account_id)
    except ProviderError:
        return False
    with transaction.atomic():
        account = lock_account(account_id)
        account.can_trade = opening.can_trade_crypto
        account.request_status = record.status
        account.read_at = clock.now()
        account.save(update_fields=["can_trade", "request_status", "read_at"])
        _apply_reading(account)
        for settle in _readers:
            settle(account, record)
    return True


def _not_there(account_id: UUID) -> bool:
    """The provider knows no such account. That is an answer only where it once took it."""
    with transaction.atomic():
        account = lock_account(account_id)
        for settle in _missing_readers:
            settle(account)
        if not account.provider_id:
            return False
        account.read_at = clock.now()
        account.save(update_fields=["read_at"])
    return True


_readers: list[Callable[[ProviderAccount, AccountAnswer], None]] = []
_missing_readers: list[Callable[[ProviderAccount], None]] = []


def register_reader(
    settle: Callable[[ProviderAccount, AccountAnswer], None],
    not_there: Callable[[ProviderAccount], None] | None = None,
) -> None:
    """Name what else a reading of the provider's record settles, and what it means that there is none.

    Called in the reading's transaction.
    """
    _readers.append(settle)
    if not_there is not None:
        _missing_readers.append(not_there)


def _apply_reading(account: ProviderAccount) -> None:
    """canTradeCrypto false disables; true proves no more than that the account was enrolled (seed 000)."""
    if account.doubt_status:
        _settle_doubt(account)
    elif account.status in {Status.PENDING, Status.UNDER_REVIEW, Status.DOCUMENTS_NEEDED}:
        # After "sell only" either may be: a person looks (ProviderAccount.move_to).
        if account.can_trade and not account.sell_only_stands:
            party_status_apply(account, party_status="ACTIVE", reason="ENROLLMENT", source="poll")
        elif account.request_status == "REJECTED":
            party_status_apply(account, party_status="INACTIVE", reason="OTHER", source="poll")


def _settle_doubt(account: ProviderAccount) -> None:
    said = party.account_status(account.doubt_status, account.doubt_reason)
    rejected = account.request_status == "REJECTED"
    if said == Status.ACTIVE:
        confirmed = account.can_trade is True and not account.sell_only_stands
    else:
        confirmed = account.can_trade is False and rejected == (said == Status.INACTIVE)
    if confirmed:
        party_status_apply(
            account, party_status=account.doubt_status, reason=account.doubt_reason, source="poll"
        )
        return
    audit.record(
        "account.doubt_settled",
        subject=account,
        source="poll",
        after={"status": account.status, "late_word": f"{account.doubt_status} {account.doubt_reason}"},
    )
    account.doubt_status = account.doubt_reason = ""
    account.save(update_fields=["doubt_status", "doubt_reason"])
