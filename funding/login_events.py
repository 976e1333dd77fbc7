"""The handlers of Plaid's webhooks: ITEM and AUTH speak of a login by its Item, LINK of a session by its token
(contract plaid.md, section 7).

Webhooks come twice and out of order, so after one about an Item's health the Item itself is read.
"""

from dataclasses import dataclass

from funding import bank_flow, bank_health, operations
from funding.locking import lock_bank, lock_login
from funding.models import BankLogin, LinkedBank, LinkSession
from onboarding.jobs import lock_account
from portal import outbox
from providers.inbox import Plan, Verdict
from providers.models import InboundEvent
from providers.plaid import events
from providers.plaid.events import Notice

Status, Login = LinkedBank.Status, BankLogin.Status
#: A new sign-in is asked for. ERROR has its own code in `error`.
SIGN_IN = frozenset(
    {
        ("ITEM", "ERROR"),
        ("ITEM", "PENDING_DISCONNECT"),
        ("ITEM", "PENDING_EXPIRATION"),
        ("AUTH", "PRODUCT_PERMISSIONS_REQUIRED"),
    }
)
REVOKED = frozenset({("ITEM", "USER_PERMISSION_REVOKED"), ("ITEM", "USER_ACCOUNT_REVOKED")})
VERIFICATION = frozenset(
    {
        ("AUTH", "AUTOMATICALLY_VERIFIED"),
        ("AUTH", "VERIFICATION_EXPIRED"),
        ("AUTH", "SMS_MICRODEPOSITS_VERIFICATION"),
    }
)
REPAIRED, NUMBERS = ("ITEM", "LOGIN_REPAIRED"), ("AUTH", "DEFAULT_UPDATE")
#: Nothing follows: what the customer has linked stays as it is.
NOTHING = frozenset({("ITEM", "NEW_ACCOUNTS_AVAILABLE")})


def register() -> None:
    """Take the kinds of notices that are handled here."""
    for kind, code in SIGN_IN | REVOKED | VERIFICATION | NOTHING | {REPAIRED, NUMBERS}:
        events.register(kind, code, ItemNotices())
    for code in ("SESSION_FINISHED", "ITEM_ADD_RESULT"):
        events.register("LINK", code, LinkNotices())


@dataclass(frozen=True)
class ItemNotices:
    """What a bank says of a login, and with it of the bank linked by it."""

    def plan(self, event: InboundEvent, notice: Notice) -> Plan:
        """What the notice would change now; locks account, bank and login."""
        known = BankLogin.objects.filter(item_id=notice.item_id).first() if notice.item_id else None
        if known is None:
            return Plan(Verdict.QUARANTINE, ["No login of ours has this Item."])
        live = LinkedBank.objects.filter(login=known, status__in=LinkedBank.LIVE).first()
        bank = lock_bank(live.pk) if live else None
        login = lock_login(known.pk)
        verdict, line = _of_item(notice, login, bank)
        return Plan(verdict, [line], subject=bank or login)

    def apply(self, event: InboundEvent, notice: Notice, plan: Plan) -> None:
        """Make the change."""
        kind = (notice.type, notice.code)
        if isinstance(plan.subject, BankLogin):
            # What may be chosen from changed.
            outbox.enqueue(operation=operations.LOGIN_READ, subject=plan.subject, body={}, actor=None)
            return
        bank = plan.subject
        assert isinstance(bank, LinkedBank) and bank.login_id is not None
        if kind == NUMBERS:
            login = BankLogin.objects.get(pk=bank.login_id)
            login.account = bank.account
            bank_flow.replace(
                bank, login, actor=None, reason="Its numbers changed: linked anew.", source="webhook"
            )
        elif kind in REVOKED:
            bank_flow.unlink(bank, actor=None, reason="The customer withdrew consent.", source="webhook")
        elif kind == REPAIRED:
            bank_flow.signed_in(bank, source="webhook")
            bank_health.look_soon(bank)
        else:
            bank_flow.sign_in(bank, notice.error_code or notice.code, source="webhook")
            if kind == ("ITEM", "ERROR"):
                bank_health.look_soon(bank)


def _of_item(notice: Notice, login: BankLogin, bank: LinkedBank | None) -> tuple[Verdict, str]:
    kind = (notice.type, notice.code)
    if kind in NOTHING:
        return Verdict.NO_EFFECT, "Further accounts there change nothing here."
    if kind in VERIFICATION and login.status == Login.CHOOSE:
        return Verdict.APPLY, "The accounts to choose from are read again."
    if bank is None:
        return Verdict.NO_EFFECT, "No live bank is linked by this login."
    if kind in VERIFICATION:
        return Verdict.NO_EFFECT, "The bank is linked already."
    if kind == NUMBERS:
        return _of_numbers(notice, bank)
    if kind in REVOKED:
        return _of_revoked(notice, bank)
    if kind == REPAIRED:
        if bank.status != Status.SIGN_IN:
            return Verdict.NO_EFFECT, "No new sign-in was asked for."
        return Verdict.APPLY, "The bank answers again."
    if kind == ("ITEM", "ERROR") and bank_health.asks_nothing(notice.error_code):
        return Verdict.NO_EFFECT, f"{notice.error_code or 'No code'}: nothing the customer could mend."
    if bank.status != Status.ACTIVE:
        return Verdict.NO_EFFECT, f"The bank is “{bank.get_status_display().lower()}”: no effect."
    return Verdict.APPLY, "The customer is asked to sign in at the bank again."


def _of_numbers(notice: Notice, bank: LinkedBank) -> tuple[Verdict, str]:
    named = [
        one
        for field in ("account_ids_with_new_auth", "account_ids_with_updated_auth")
        for one in (notice.body.get(field) or [])
    ]
    if bank.plaid_account_id not in named:
        return Verdict.NO_EFFECT, "It names another account than the one linked."
    if bank.status in {Status.LINKING, Status.REVIEW}:
        return Verdict.NO_EFFECT, "It is not linked yet: the new numbers will be."
    if bank.status == Status.UNLINKING:
        return Verdict.NO_EFFECT, "It is being unlinked already."
    return Verdict.APPLY, "The numbers changed: unlinked, and linked anew."


def _of_revoked(notice: Notice, bank: LinkedBank) -> tuple[Verdict, str]:
    if notice.code == "USER_ACCOUNT_REVOKED" and notice.account_id != bank.plaid_account_id:
        return Verdict.NO_EFFECT, "It names another account than the one linked."
    if bank.status == Status.UNLINKING:
        return Verdict.NO_EFFECT, "It is being unlinked already."
    if bank.status in {Status.LINKING, Status.REVIEW}:
        return Verdict.QUARANTINE, "It is being linked: replay this when that has ended."
    return Verdict.APPLY, "Consent was withdrawn: the bank is unlinked."


@dataclass(frozen=True)
class LinkNotices:
    """What became of an opening of Link. Two kinds bring the same public token: it is taken once."""

    def plan(self, event: InboundEvent, notice: Notice) -> Plan:
        """What the notice would change now; locks the account and the session."""
        key = bank_flow.token_hash(notice.link_token)
        found = LinkSession.objects.filter(token_hash=key).first() if notice.link_token else None
        if found is None:
            return Plan(Verdict.QUARANTINE, ["No session of ours has this link token."])
        account = lock_account(found.account_id)
        session = LinkSession.objects.select_for_update(of=("self",)).get(pk=found.pk)
        session.account = account
        if session.purpose == LinkSession.Purpose.UPDATE:
            return _of_update(notice, session)
        fresh = _fresh(notice)
        if fresh:
            return Plan(Verdict.APPLY, [f"{len(fresh)} login brought: it is read."], subject=session)
        if notice.public_tokens or session.finished_at is not None:
            return Plan(Verdict.NO_EFFECT, ["Known already: no effect."], subject=session)
        return Plan(Verdict.APPLY, ["The customer left Link."], subject=session)

    def apply(self, event: InboundEvent, notice: Notice, plan: Plan) -> None:
        """Take each token once; end the session."""
        session = plan.subject
        assert isinstance(session, LinkSession)
        for token in notice.public_tokens:
            bank_flow.token_came(session, token, actor=None, source="webhook")
        outcome = LinkSession.Outcome.SUCCESS if notice.finished_well else LinkSession.Outcome.EXITED
        if notice.code == "SESSION_FINISHED":
            bank_flow.session_over(session, outcome)
        if session.purpose == LinkSession.Purpose.UPDATE and session.bank_id and notice.finished_well:
            bank_health.look_after_sign_in(session.bank_id)


def _of_update(notice: Notice, session: LinkSession) -> Plan:
    if session.finished_at is not None or notice.code != "SESSION_FINISHED":
        return Plan(Verdict.NO_EFFECT, ["Known already: no effect."], subject=session)
    return Plan(Verdict.APPLY, ["The customer is through; the bank is asked."], subject=session)


def _fresh(notice: Notice) -> list[str]:
    keys = {bank_flow.token_hash(token): token for token in notice.public_tokens}
    known = set(BankLogin.objects.filter(token_hash__in=keys).values_list("token_hash", flat=True))
    return [token for key, token in keys.items() if key not in known]
