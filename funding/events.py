"""The handler of Bakkt's FIAT_EVENTs: what one would change against what is known, and the change."""

from dataclasses import dataclass

from django.db.models import Q

from funding import arrivals, hearing
from funding.hearing import Heard
from funding.models import Transfer
from onboarding.jobs import lock_account
from onboarding.models import ProviderAccount
from portal.errors import Conflict
from portal.models import User
from providers.bakkt.events import parse_event
from providers.bakkt.fiat_events import Direction, FiatEvent, FiatStatus, Kind
from providers.inbox import Plan, Verdict
from providers.models import InboundEvent

KIND = "FIAT_EVENT"


@dataclass(frozen=True)
class FiatEvents:
    """Plans and applies FIAT_EVENTs. What is unknown, contradicts or does not fit is kept for a person."""

    def plan(self, event: InboundEvent) -> Plan:
        """What the event would change now; locks the account and the transfer it names."""
        return _plan(parsed(event))

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """Move the transfer the event is about, or enter what the provider began."""
        said = parsed(event)
        assert said.status is not None
        heard = Heard(str(said.status), said.word, said.reason_code)
        if isinstance(plan.subject, Transfer):
            hearing.apply(plan.subject, heard, source="webhook")
            return
        assert isinstance(plan.subject, ProviderAccount)
        arrivals.enter(plan.subject, said, source="webhook")

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: User, reason: str) -> None:
        """None of them is held for a person to apply: reconciling with the provider's record does that."""
        raise Conflict("This webhook holds nothing that can be applied by hand.")


def parsed(event: InboundEvent) -> FiatEvent:
    """The event's body, read."""
    said = parse_event(event.body.reveal().encode())
    assert isinstance(said, FiatEvent)
    return said


def find(account: ProviderAccount, said: FiatEvent) -> Transfer | None:
    """The account's transfer that the provider speaks of, by our reference or, of what it began, by its own."""
    theirs = arrivals.reference_of(said)
    rows = Transfer.objects.select_for_update(of=("self",)).select_related(
        "bank", "recipient", "requested_by"
    )
    wanted = Q(reference=said.reference) if said.reference else Q(pk=None)
    transfer = rows.filter(wanted | Q(reference=theirs) if theirs else wanted, account=account).first()
    if transfer is not None:
        transfer.account = account
    return transfer


def _plan(said: FiatEvent) -> Plan:
    def plan(verdict: Verdict, line: str, subject: Transfer | ProviderAccount | None = None) -> Plan:
        return Plan(
            verdict,
            [line],
            kind=KIND,
            provider_request_id=said.request_id,
            party_ref=said.party_ref,
            subject=subject,
        )

    known = (
        ProviderAccount.objects.filter(client_account_id=said.party_ref).values_list("pk", flat=True).first()
    )
    if known is None:
        return plan(Verdict.QUARANTINE, "No account has this reference.")
    account = lock_account(known)
    transfer = find(account, said)
    subject = transfer or account
    if said.status is None:
        return plan(Verdict.QUARANTINE, f"The status {said.word!r} is not known; nothing changes.", subject)
    if transfer is None:
        why = arrivals.why_not(said)
        if why:
            return plan(Verdict.QUARANTINE, why, account)
        return plan(
            Verdict.APPLY, f"{arrivals.words(said)} is entered: it came without a request of ours.", account
        )
    if not _fits(transfer, said):
        return plan(
            Verdict.QUARANTINE, "Its amount or direction is not that of the transfer it names.", transfer
        )
    news = hearing.news(transfer, said.status)
    now, new = transfer.get_status_display().lower(), Transfer.Status(said.status).label.lower()
    if news is None:
        return plan(Verdict.QUARANTINE, f"The transfer is {now}; that it is {new} needs a person.", transfer)
    if not news:
        return plan(Verdict.NO_EFFECT, f"The transfer is {now} already: no effect.", transfer)
    code = f" ({said.reason_code})" if said.reason_code else ""
    return plan(Verdict.APPLY, f"Transfer: {now} → {new}{code}.", transfer)


def _fits(transfer: Transfer, said: FiatEvent) -> bool:
    """Whether what the event says of amount and direction, where it says it, is the transfer's. A return may be told
    with the direction in which the money goes back."""
    if said.amount is not None and said.amount != transfer.amount:
        return False
    if said.direction is None or said.kind != Kind.TRANSFER or said.status == FiatStatus.RETURNED:
        return True
    return (said.direction == Direction.DEPOSIT) == transfer.is_deposit
