"""The handler of Bakkt's PARTY_EVENTs: what one would change against what is known, and the change."""

from dataclasses import dataclass, replace

from django.conf import settings

from onboarding import jobs, party, standing_words
from onboarding.identity import checks
from onboarding.models import IdentityCheck, ProviderAccount
from portal.models import StatusChange, User
from portal.ui.time import moment_words
from providers.bakkt.events import PartyEvent, parse_event
from providers.inbox import Plan, Verdict
from providers.models import InboundEvent

Status = ProviderAccount.Status


@dataclass(frozen=True)
class PartyEvents:
    """Plans and applies PARTY_EVENTs."""

    def plan(self, event: InboundEvent) -> Plan:
        """What the event would change now; locks the account it names."""
        return _plan_party(event, _parsed(event))

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """Apply a planned PARTY_EVENT, or hold it in doubt until the provider's record is read."""
        parsed = _parsed(event)
        assert isinstance(plan.subject, ProviderAccount)
        said = party.account_status(parsed.status, parsed.reason)
        if said and party.needs_reading(plan.subject.status, said):
            jobs.party_status_doubt(plan.subject, party_status=parsed.status, reason=parsed.reason)
            return
        jobs.party_status_apply(
            plan.subject,
            party_status=parsed.status,
            reason=parsed.reason,
            source="webhook",
            verification_url=parsed.verification_url,
            verification_expires_at=parsed.verification_url_expiry,
        )

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: User, reason: str) -> None:
        """Lift a restriction as the event says, in the name of the person who looked."""
        parsed = _parsed(event)
        assert isinstance(plan.subject, ProviderAccount)
        jobs.party_status_apply(
            plan.subject,
            party_status=parsed.status,
            reason=parsed.reason,
            source="page",
            actor=actor,
            why=reason,
        )


def _parsed(event: InboundEvent) -> PartyEvent:
    parsed = parse_event(event.body.reveal().encode(), local_origin=settings.SANDBOX_URL)
    assert isinstance(parsed, PartyEvent)
    return parsed


def _plan_party(event: InboundEvent, parsed: PartyEvent) -> Plan:
    def plan(verdict: Verdict, line: str, account: ProviderAccount | None = None) -> Plan:
        return Plan(
            verdict,
            [line],
            kind="PARTY_EVENT",
            provider_request_id=parsed.request_id,
            party_ref=parsed.party_ref,
            subject=account,
        )

    known = (
        ProviderAccount.objects.filter(client_account_id=parsed.party_ref)
        .values_list("pk", flat=True)
        .first()
    )
    if known is None:
        return plan(Verdict.QUARANTINE, "No account has this reference.")
    account = jobs.lock_account(known)
    words = f"{parsed.status} {parsed.reason}".strip()
    said, known_as = party.account_status(parsed.status, parsed.reason), account.get_status_display().lower()
    if said is None:
        return plan(
            Verdict.QUARANTINE,
            f"The words {words!r} are not known; the account stays {known_as}.",
            account,
        )
    if account.status == Status.CLOSED and said != Status.CLOSED:
        return plan(Verdict.QUARANTINE, f"The account is closed; {words} needs a person.", account)
    if _is_older(event, account) and said != account.status:
        return plan(Verdict.NO_EFFECT, f"Stale, no effect: something newer is known than {words}.", account)
    if said == Status.DOCUMENTS_NEEDED and parsed.verification_url:
        check = IdentityCheck.objects.filter(account=account).first()
        if check and checks.is_known(check, parsed.verification_url, parsed.verification_url_expiry):
            line = "This link of the identity check, or a newer one, is known already: no effect."
            return plan(Verdict.NO_EFFECT, line, account)
    if said == Status.ACTIVE and account.status != Status.ACTIVE and account.sell_only_stands:
        # canTradeCrypto is true in both, so no reading can tell a late word from a lifted restriction.
        held = plan(
            Verdict.QUARANTINE, f"The account may only sell and withdraw; {words} needs a person.", account
        )
        return replace(held, if_applied=_lifting(event, account, words))
    if said == account.status and (account.party_status, account.party_reason) == (
        parsed.status,
        parsed.reason,
    ):
        if parsed.verification_url:
            return plan(Verdict.APPLY, "A new link for the identity check is kept.", account)
        if account.rescreening_since is not None and event.received_at >= account.rescreening_since:
            line = f"The shared identity check changed nothing: the account is {known_as} as before."
            return plan(Verdict.APPLY, line, account)
        return plan(Verdict.NO_EFFECT, f"The account is {known_as} already: no effect.", account)
    if party.needs_reading(account.status, said):
        return plan(
            Verdict.APPLY,
            f"{words} contradicts “{known_as}”: the provider's record is read to see which is newer.",
            account,
        )
    return plan(Verdict.APPLY, _change(account, said, words), account)


def _change(account: ProviderAccount, said: str, words: str) -> str:
    return f"Account status: {account.get_status_display().lower()} → {Status(said).label.lower()} ({words})."


def _lifting(event: InboundEvent, account: ProviderAccount, words: str) -> list[str]:
    """What lifting the restriction would change, and what a person weighs before it."""
    order = "after" if event.received_at > account.status_at else "before"
    return [
        _change(account, Status.ACTIVE, words),
        f"The restriction stands since {moment_words(account.status_at)}; this webhook came {order} it, "
        f"on {moment_words(event.received_at)}.",
        f"The customer's page then says “{standing_words.ACTIVE.title}”. No letter is sent.",
    ]


def _is_older(event: InboundEvent, account: ProviderAccount) -> bool:
    """Whether the account changed on account of something that reached us after this event (a replay)."""
    newest = (
        StatusChange.objects.filter(
            subject_type=account._meta.label_lower, subject_id=account.pk, source__in=["webhook", "poll"]
        )
        .order_by("-at")
        .values_list("at", flat=True)
        .first()
    )
    return newest is not None and event.received_at < newest and event.processed_at is not None
