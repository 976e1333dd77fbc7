"""The handler of Bakkt's BANK_ACCOUNT_LINKs: what one would change against what is known, and the change."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q

from funding import bank_flow
from funding.locking import lock_bank
from funding.models import LinkedBank
from onboarding.models import ProviderAccount
from portal.errors import Conflict
from portal.models import User
from providers.bakkt.events import parse_event
from providers.bakkt.fiat_events import BankLinkEvent, LinkStatus
from providers.inbox import Plan, Verdict
from providers.models import InboundEvent

KIND = "BANK_ACCOUNT_LINK"
#: Their clock and ours may differ by so much.
CLOCKS_APART = timedelta(minutes=1)
Status = LinkedBank.Status
_GOING = frozenset({Status.LINKING, Status.PENDING})
_LIVES = frozenset({Status.ACTIVE, Status.SIGN_IN})


@dataclass(frozen=True)
class BankLinkEvents:
    """Plans and applies BANK_ACCOUNT_LINKs. A word nobody knows leaves the link as it is, for a person."""

    def plan(self, event: InboundEvent) -> Plan:
        """What the event would change now; locks the account and the bank it names."""
        return _plan(parsed(event))

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """Move the bank the event is about."""
        said = parsed(event)
        bank = plan.subject
        assert isinstance(bank, LinkedBank) and said.status is not None
        bank_flow.said(bank, said.status, code=said.reason_code, word=said.word, source="webhook")

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: User, reason: str) -> None:
        """None of them is held for a person to apply."""
        raise Conflict("This webhook holds nothing that can be applied by hand.")


def parsed(event: InboundEvent) -> BankLinkEvent:
    """The event's body, read."""
    said = parse_event(event.body.reveal().encode())
    assert isinstance(said, BankLinkEvent)
    return said


def _plan(said: BankLinkEvent) -> Plan:
    def plan(verdict: Verdict, line: str, bank: LinkedBank | None = None) -> Plan:
        return Plan(
            verdict,
            [line],
            kind=KIND,
            provider_request_id=said.request_id,
            party_ref=said.party_ref,
            subject=bank,
        )

    account = ProviderAccount.objects.filter(client_account_id=said.party_ref).first()
    if account is None:
        return plan(Verdict.QUARANTINE, "No account has this reference.")
    found = _find(account, said)
    if found is None:
        return plan(Verdict.QUARANTINE, "The account has no bank that this could be about.")
    bank = lock_bank(found.pk)
    if said.status is None:
        return plan(Verdict.QUARANTINE, f"The status {said.word!r} is not known; nothing changes.", bank)
    verdict = Verdict.QUARANTINE if _came_back(bank, said) else _verdict(Status(bank.status), said.status)
    now = bank.get_status_display().lower()
    if verdict == Verdict.NO_EFFECT:
        return plan(verdict, f"The bank is known as “{now}”: no effect.", bank)
    if verdict == Verdict.QUARANTINE:
        return plan(verdict, f"The bank is “{now}”; that it is {said.status} needs a person.", bank)
    code = f" ({said.reason_code})" if said.reason_code else ""
    return plan(verdict, f"Bank “{now}” → {said.status}{code}.", bank)


def _find(account: ProviderAccount, said: BankLinkEvent) -> LinkedBank | None:
    """By our reference of linking or unlinking it; where the event names none, the account's one live bank."""
    rows = LinkedBank.objects.filter(account=account)
    if said.reference:
        return rows.filter(Q(reference=said.reference) | Q(unlink_reference=said.reference)).first()
    return rows.filter(status__in=LinkedBank.LIVE).first()


def _came_back(bank: LinkedBank, said: BankLinkEvent) -> bool:
    """Whether it was linked there after it was unlinked, by a request that had been held up on its way."""
    was_unlinked = bank.status == Status.UNLINKED and said.status == LinkStatus.LINKED
    return was_unlinked and said.at is not None and said.at > bank.status_at + CLOCKS_APART


def _verdict(known: LinkedBank.Status, said: LinkStatus) -> Verdict:
    """Late and repeated words change nothing; those that contradict what is known are for a person."""
    if said == LinkStatus.PENDING:
        return Verdict.APPLY if known == Status.LINKING else Verdict.NO_EFFECT
    if said == LinkStatus.UNLINKED:
        if known in _LIVES | _GOING | {Status.UNLINKING}:
            return Verdict.APPLY
        return Verdict.QUARANTINE if known == Status.REVIEW else Verdict.NO_EFFECT
    if known in _GOING:
        return Verdict.APPLY
    if said == LinkStatus.LINKED:
        return Verdict.QUARANTINE if known in {Status.REFUSED, Status.REVIEW} else Verdict.NO_EFFECT
    if known in {Status.REFUSED, Status.UNLINKED, Status.UNLINKING}:
        return Verdict.NO_EFFECT
    return Verdict.QUARANTINE
