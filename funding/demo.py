"""Demo data of money: a customer whose account is open, with a linked bank, deposits that arrived, one on its way and
one that came back.

It goes through the same services and calls as a customer's, against the sandbox alone. No worker is up while demo data
are made, so the calls are made here; webhooks that the sandbox sends meanwhile come later and change nothing.
"""

import json
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from funding import authorising, balances, bank_reading, reading, services
from funding.models import BankLogin, LinkedBank, LinkSession, Transfer
from funding.terms import Order, live_bank, terms
from onboarding import demo, jobs
from onboarding.demo import Login
from onboarding.demo_stories import ask
from onboarding.models import ProviderAccount
from portal import outbox
from portal.errors import DomainError
from portal.models import OutboundCall, User
from portal.money import Money
from providers import clients
from providers.errors import ProviderError

log = structlog.get_logger(__name__)
EMAIL, GIVEN, FAMILY, NUMBER = "saver@demo.example", "Tessa", "Lindholm", 80
#: In cents. What the last digits bring is the sandbox's (docs/sandbox.md): one stays on its way, one comes back (R01).
DEPOSITS = (250_000, 40_000, 12_550, 30_093, 7_561)
_direct = build_opener(ProxyHandler({}))


def seed() -> list[Login]:
    """All demo data, money last; safe to run at every start. Returns the logins."""
    first, *others = demo.seed()
    return [first, *money(), *others]


def money() -> list[Login]:
    """The customer with money, where a sandbox stands in for both providers; makes what is missing."""
    if not settings.SANDBOX_URL or not settings.PLAID_URL.startswith(settings.SANDBOX_URL):
        return []
    demo.apply_for(EMAIL, GIVEN, FAMILY, NUMBER)
    try:
        _move_money(User.objects.get(email=EMAIL))
    except (URLError, ProviderError, DomainError, ImproperlyConfigured) as problem:
        # The portal starts without it; the next start goes on from here.
        log.warning("demo_money_not_made", problem=type(problem).__name__)
    return [Login("Customer with money", EMAIL, demo.PASSWORD)]


def _move_money(user: User) -> None:
    account = ProviderAccount.objects.filter(application__customer__user=user).first()
    if account is None:
        return
    _perform(account)
    if account.status != ProviderAccount.Status.ACTIVE:
        ask("webhooks/flush", {})
        jobs.account_read(account.pk)
        account.refresh_from_db()
    if live_bank(account) is None:
        _link(user, account)
    bank = live_bank(account)
    if bank is not None and bank.status == LinkedBank.Status.PENDING:
        ask("webhooks/flush", {})
        bank_reading.read(bank.pk)
    made = set(Transfer.objects.filter(account=account).values_list("amount_minor", flat=True))
    for cents in DEPOSITS:
        if cents not in made:
            _deposit(user, account, Money(cents, "USD"))
    balances.refresh(account)


def _link(user: User, account: ProviderAccount) -> None:
    session = services.link_start(
        actor=user,
        account_id=account.pk,
        purpose=LinkSession.Purpose.NEW,
        way=services.Way(hosted=True),
        source="page",
    )
    login = services.link_bring(
        actor=user, session_id=session.pk, public_token=_public_token(), source="page"
    )
    _perform(login)
    choices = BankLogin.objects.get(pk=login.pk).accounts
    assert choices is not None
    services.account_choose(
        actor=user, login_id=login.pk, plaid_account_id=choices.reveal()[0]["id"], source="page"
    )
    bank = live_bank(account)
    for _ in range(3):  # The owner compared, the token made, the bank linked.
        _perform(bank)


def _public_token() -> str:
    """As from a customer who went through Link: Plaid's own sandbox has this call too."""
    keys = clients.STAND_IN_KEYS
    body = {
        "client_id": keys.client_id,
        "secret": keys.secret,
        "institution_id": "ins_109508",
        "initial_products": ["auth"],
        "options": {"webhook": clients.plaid_webhook_address()},
    }
    address = f"{settings.PLAID_URL}/sandbox/public_token/create"
    headers = {"Content-Type": "application/json"}
    with _direct.open(Request(address, json.dumps(body).encode(), headers), timeout=10) as answer:  # noqa: S310  (ours)
        return str(json.load(answer)["public_token"])


def _deposit(user: User, account: ProviderAccount, amount: Money) -> None:
    """Ask for it, and take what the provider says of it until it says no more."""
    text = services.authorisation_text(account, terms(user, account, Order("deposit", "ach", amount)))
    transfer = services.transfer_request(
        actor=user,
        account_id=account.pk,
        direction="deposit",
        rail="ach",
        amount=amount,
        source="page",
        accepted=services.Accepted(authorising.digest(text)),
    )
    _perform(transfer)
    for _ in range(3):  # Pending, completed, returned.
        ask("webhooks/flush", {})
        reading.read(transfer.pk)


def _perform(subject: Any) -> None:
    """Make the calls that wait about it, as a worker would."""
    for call in OutboundCall.objects.filter(subject_id=subject.pk, status=OutboundCall.Status.QUEUED):
        outbox.perform(call.pk)
