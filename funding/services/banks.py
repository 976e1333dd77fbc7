"""Linking a bank: open Link, bring what it gave, choose an account; and unlinking."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from funding import bank_flow, bank_health
from funding import permissions as mine
from funding.errors import BankRefused
from funding.locking import lock_bank, lock_login
from funding.login_jobs import Choice
from funding.models import BankLogin, LinkedBank, LinkSession, Transfer
from funding.terms import live_bank
from onboarding import availability
from onboarding.availability import Stop
from onboarding.jobs import lock_account
from onboarding.models import ProviderAccount
from portal import audit, clock, permissions
from portal.errors import Conflict, Forbidden, Invalid, NotFound, ProviderAway
from portal.models import User
from providers import clients
from providers.errors import Misconfigured, ProviderError, Rejected
from providers.http import about
from providers.plaid.types import LinkToken

log = structlog.get_logger(__name__)
Status, Login = LinkedBank.Status, BankLogin.Status
#: So many openings of Link in an hour are enough for anybody; each is a call to Plaid.
MOST_SESSIONS, SESSIONS_WITHIN = 10, timedelta(hours=1)
AWAY = "The service that links banks cannot be reached just now. Nothing is lost: try again in a minute."
LONGEST_TOKEN = 200

_UNDER_WAY = {
    Status.REVIEW: Stop(
        "bank_review", "We are looking at the bank that was linked.", "We write when it is done."
    ),
    Status.LINKING: Stop("bank_linking", "A bank is being linked.", "This takes a few minutes."),
    Status.PENDING: Stop(
        "bank_linking", "A bank is being linked.", "This takes a few minutes; it can be unlinked meanwhile."
    ),
    Status.UNLINKING: Stop("bank_unlinking", "The bank is being unlinked.", "Link one when it is done."),
}
#: Staff may unlink all the same.
INSISTABLE = frozenset({"deposit_under_way"})
_DEPOSITS = [Transfer.Status.HELD, Transfer.Status.REQUESTED, Transfer.Status.SENT, Transfer.Status.PENDING]


@dataclass(frozen=True)
class Way:
    """How Link is opened: by a script or an app of ours, or on a page of Plaid's that leads back to
    `completion_redirect`. `redirect_uri` is where a bank's own sign-in comes back to; Plaid knows it beforehand."""

    hosted: bool = False
    redirect_uri: str | None = None
    completion_redirect: str | None = None


def why_not_link(actor: User, account: ProviderAccount) -> list[Stop]:
    """Every reason why no bank can be linked now. A bank that is linked is no reason: another may take its place."""
    bank = live_bank(account)
    stop = _UNDER_WAY.get(Status(bank.status)) if bank else None
    found = availability.can(actor, availability.Use.WITHDRAW, account)
    return [*found, stop] if stop else found


def why_not_unlink(bank: LinkedBank) -> list[Stop]:
    """Every reason why the bank cannot be unlinked now. Staff may insist on what is `INSISTABLE`."""
    found = []
    if bank.status == Status.LINKING and bank.stuck_at is None:
        found.append(_UNDER_WAY[Status.LINKING])
    if bank.status == Status.UNLINKING:
        found.append(_UNDER_WAY[Status.UNLINKING])
    if Transfer.objects.filter(
        bank=bank, direction=Transfer.Direction.DEPOSIT, status__in=_DEPOSITS
    ).exists():
        found.append(
            Stop(
                "deposit_under_way",
                "A deposit from this bank is under way.",
                "Wait until it has arrived; the activity page shows when that is.",
            )
        )
    return found


def link_start(*, actor: User, account_id: UUID, purpose: str, way: Way, source: str) -> LinkSession:
    """Open Link: the session, with the token that opens it, or the page of Plaid's.

    Asks Plaid while the person waits; nothing is changed there. Raises NotFound, Forbidden for staff, BankRefused with
    every reason, Conflict where too many were opened, Invalid for a redirect that Plaid does not know, ProviderAway.
    """
    account = _own(actor, account_id)
    bank = live_bank(account)
    if purpose == LinkSession.Purpose.UPDATE:
        if bank is None or bank.status not in {Status.ACTIVE, Status.SIGN_IN} or bank.access_token is None:
            raise Conflict("No linked bank asks for a new sign-in.")
    elif stops := why_not_link(actor, account):
        raise BankRefused(stops)
    if _many(account):
        raise Conflict("The bank page was opened too often. Try again in an hour.")
    mends = bank if purpose == LinkSession.Purpose.UPDATE else None
    found = _asked(account, way, mends)
    with transaction.atomic():
        session = LinkSession.objects.create(
            account=account,
            started_by=actor,
            purpose=purpose,
            bank=mends,
            token_hash=bank_flow.token_hash(found.token),
            token=found.token,
            hosted_url=found.hosted_url or None,
            expires_at=found.expires_at,
        )
        audit.record(
            "bank.link_open",
            subject=session,
            actor=actor,
            source=source,
            after={"purpose": purpose, "hosted": way.hosted},
        )
    return session


def _own(actor: User, account_id: UUID) -> ProviderAccount:
    """The customer's own account: Link asks for the sign-in at the bank, which is nobody else's."""
    account = mine.account_for(actor, account_id)
    if actor.is_staff_member:
        raise Forbidden("Only the customer can sign in at their bank.")
    return account


def _many(account: ProviderAccount) -> bool:
    since = clock.now() - SESSIONS_WITHIN
    return LinkSession.objects.filter(account=account, created_at__gt=since).count() >= MOST_SESSIONS


def _asked(account: ProviderAccount, way: Way, mends: LinkedBank | None) -> LinkToken:
    token = mends.access_token.reveal() if mends and mends.access_token else None
    try:
        with about(subject_type=account._meta.label_lower, subject_id=account.pk):
            return clients.plaid(waiting=True).link_token_create(
                user_ref=str(account.pk),
                webhook=clients.plaid_webhook_address(),
                redirect_uri=None if way.hosted else way.redirect_uri,
                hosted=way.hosted,
                completion_redirect=way.completion_redirect,
                access_token=token,
            )
    except Rejected as error:
        if mends is None:
            log.warning("link_token_refused", code=error.code)
            raise ProviderAway(AWAY, retry_after=60) from error
        raise Conflict(
            "Your bank does not take a new sign-in for this link. Unlink it and link it anew."
        ) from error
    except Misconfigured as error:
        if way.redirect_uri and error.code == "INVALID_FIELD":
            raise Invalid(
                "Plaid does not know this address.",
                fields={"redirect_uri": ["Register this address with Plaid first, without a query."]},
            ) from error
        log.error("link_token_refused", code=error.code)
        raise ProviderAway(AWAY, retry_after=60) from error
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("link_token_not_made", error=type(error).__name__)
        raise ProviderAway(AWAY, retry_after=15) from error


def link_bring(*, actor: User, session_id: UUID, public_token: str, source: str) -> BankLogin:
    """Take the public token that Link gave, whoever brings it and however often: the login, which is read next.

    Raises NotFound, Invalid for what is no public token, Conflict for a token of update mode or another session's.
    """
    account_id = _session(actor, session_id).account_id
    if not public_token.startswith("public-") or len(public_token) > LONGEST_TOKEN:
        raise Invalid(
            "This is no public token.", fields={"public_token": ["Send the token that Link gave you."]}
        )
    with transaction.atomic():
        account = lock_account(account_id)
        session = LinkSession.objects.get(pk=session_id)
        session.account = account
        if session.purpose == LinkSession.Purpose.UPDATE:
            raise Conflict("A new sign-in brings no token. The bank stays linked as it is.")
        login = bank_flow.token_came(session, public_token, actor=actor, source=source)
        if login.session_id != session.pk:
            raise Conflict("This token belongs to another link.")
    return login


def link_end(*, actor: User, session_id: UUID, source: str) -> LinkSession:
    """The customer is through with Link, as their browser or app says: what came of it is read from Plaid.

    Raises NotFound.
    """
    session = _session(actor, session_id)
    with transaction.atomic():
        if session.hosted_url is not None:
            # Whoever comes back from Plaid's page may have left it: its webhook says so, and Plaid's record.
            bank_health.read_session_soon(session)
        elif session.purpose == LinkSession.Purpose.UPDATE and session.bank_id is not None:
            bank_health.look_after_sign_in(session.bank_id)
            bank_flow.session_over(session, LinkSession.Outcome.SUCCESS)
    return session


def _session(actor: User, session_id: UUID) -> LinkSession:
    found = LinkSession.objects.select_related("account").filter(pk=session_id).first()
    if found is None:
        raise NotFound("There is no such link.")
    _own(actor, found.account_id)
    return found


def account_choose(*, actor: User, login_id: UUID, plaid_account_id: str, source: str) -> BankLogin:
    """Link the account that the customer chose of what Plaid told; a bank that is linked is unlinked first.

    Choosing the same again changes nothing. Raises NotFound, Invalid for an account that cannot be linked,
    BankRefused where a bank is on its way, or the linked one has a deposit under way.
    """
    _login(actor, login_id)
    with transaction.atomic():
        login = lock_login(login_id)
        if login.plaid_account_id == plaid_account_id and login.status in {Login.USED, Login.REPLACING}:
            return login
        if login.status != Login.CHOOSE or login.accounts is None:
            raise Conflict("There is nothing to choose from any more. Link the bank again.")
        chosen = next((one for one in login.accounts.reveal() if one["id"] == plaid_account_id), None)
        if chosen is None or not chosen["offered"]:
            raise Invalid(
                "This account cannot be linked.",
                fields={"account": ["Choose one of the accounts that can be linked."]},
            )
        stops = why_not_link(actor, login.account)
        bank = live_bank(login.account)
        if bank is not None and not stops:
            if _same(bank, login, chosen):
                raise Conflict("This account is linked already.")
            stops = why_not_unlink(bank)
        if stops:
            raise BankRefused(stops)
        login.plaid_account_id = plaid_account_id
        login.save(update_fields=["plaid_account_id"])
        if bank is None:
            bank_flow.use(login, actor=actor, source=source)
        else:
            bank = lock_bank(bank.pk)
            bank_flow.replace(bank, login, actor=actor, reason="Another bank takes its place.", source=source)
    return login


def _same(bank: LinkedBank, login: BankLogin, chosen: Choice) -> bool:
    """Linking a bank twice makes two logins there (contract plaid.md, section 6): told apart by what people see."""
    told = (login.institution, chosen["mask"], chosen["subtype"], chosen["name"])
    return bool(bank.mask) and told == (bank.institution, bank.mask, bank.subtype, bank.name)


def login_drop(*, actor: User, login_id: UUID, source: str) -> BankLogin:
    """The customer wants none of these accounts: the login is ended. Raises NotFound, Conflict when one is used."""
    _login(actor, login_id)
    with transaction.atomic():
        login = lock_login(login_id)
        if login.status in {Login.REMOVING, Login.REMOVED}:
            return login
        if login.status != Login.CHOOSE:
            raise Conflict("This was decided already.")
        audit.record("bank.login_drop", subject=login, actor=actor, source=source)
        bank_flow.remove(login, actor=actor)
    return login


def _login(actor: User, login_id: UUID) -> BankLogin:
    found = BankLogin.objects.filter(pk=login_id).first()
    if found is None:
        raise NotFound("There is no such link.")
    _own(actor, found.account_id)
    return found


def bank_unlink(
    *, actor: User, account_id: UUID, source: str, reason: str = "", insist: bool = False
) -> LinkedBank:
    """Unlink the account's bank: at the provider, then at Plaid. Staff give a reason and may insist on some stops.

    Unlinking what is being unlinked changes nothing. Raises NotFound, Forbidden, Invalid without a reason of staff's,
    BankRefused with every reason why not.
    """
    account = mine.account_for(actor, account_id, needs=mine.CREATE)
    if actor.is_staff_member and not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["Say why it is unlinked."]})
    if insist:
        permissions.require(actor, mine.CREATE)
    with transaction.atomic():
        account = lock_account(account.pk)
        found = live_bank(account)
        if found is None:
            raise NotFound("No bank is linked.")
        bank = lock_bank(found.pk)
        if bank.status == Status.UNLINKING:
            return bank
        stops = why_not_unlink(bank)
        if insist:
            stops = [stop for stop in stops if stop.code not in INSISTABLE]
        if stops:
            raise BankRefused(stops)
        audit.record("bank.unlink", subject=bank, actor=actor, source=source, reason=reason)
        if bank.status == Status.REVIEW:
            # The provider never heard of it.
            bank_flow.drop_reviewed(bank, actor=actor, source=source)
        else:
            bank_flow.unlink(bank, actor=actor, reason=reason or "The customer unlinked it.", source=source)
    return bank
