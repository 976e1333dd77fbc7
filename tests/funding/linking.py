"""Linking a bank as a customer does, on the stand-in's hosted page, with the provider and Plaid over a socket."""

import re
from typing import Any
from urllib.parse import urljoin

import requests

from funding import services
from funding.bank_standing import standing
from funding.models import BankLogin, LinkedBank, LinkSession
from funding.services import Way
from onboarding.models import ProviderAccount
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.faults.way import deliver
from tests.flow import drain
from tests.funding.people import open_account
from tests.people import make_customer_user

PLATYPUS, HOUNDSTOOTH = "ins_109508", "ins_109512"
#: Has a sign-in page of its own, and names an account the same in every login.
OAUTH = "ins_127287"


def known_account(box: SandboxProcess, user: User | None = None) -> ProviderAccount:
    """An open account that the provider knows too."""
    account = open_account(user or make_customer_user())
    box.api("POST", "accounts", {"clientAccountId": account.client_account_id})
    return account


def user_of(account: ProviderAccount) -> User:
    return account.application.customer.user


def started(account: ProviderAccount, *, purpose: str = "new") -> LinkSession:
    """Link opened on the hosted page."""
    return services.link_start(
        actor=user_of(account), account_id=account.pk, purpose=purpose, way=Way(hosted=True), source="page"
    )


def through(
    session: LinkSession, *, user: str = "user_good", institution: str = PLATYPUS, accounts: Any = ("0000",)
) -> None:
    """The customer goes to the end of the hosted page."""
    assert session.hosted_url is not None
    address, browser = session.hosted_url.reveal(), requests.Session()
    steps: list[dict[str, Any]] = [
        {"do": "bank", "institution": institution},
        {"do": "login", "username": user, "password": "pass_good"},
        {"do": "accounts", "account": list(accounts)},
        {"do": "consent"},
    ]
    for step in steps:
        if step["do"] == "login" and institution == OAUTH:
            [own] = set(re.findall(r'"(/plaid/oauth/[^"]+)"', browser.get(address, timeout=5).text))
            allowed = {"do": "allow", "username": user}
            browser.post(urljoin(address, own), data=allowed, timeout=5, allow_redirects=False)
            continue
        browser.post(address, data=step, timeout=5, allow_redirects=False)


def chosen(box: SandboxProcess, account: ProviderAccount, **how: Any) -> BankLogin:
    """Link done and read, the first account chosen, calls not yet made."""
    through(started(account), **how)
    deliver(box)
    found = standing(account)
    assert found.login is not None, found
    wanted = next(one for one in found.choices if one["offered"])
    return services.account_choose(
        actor=user_of(account), login_id=found.login.pk, plaid_account_id=wanted["id"], source="page"
    )


def link(box: SandboxProcess, account: ProviderAccount, **how: Any) -> LinkedBank:
    """Linked to the end, as far as it goes."""
    chosen(box, account, **how)
    drain()
    deliver(box)
    return LinkedBank.objects.filter(account=account).latest("created_at")


def items(box: SandboxProcess) -> list[dict[str, Any]]:
    """The logins that the stand-in for Plaid holds."""
    found: list[dict[str, Any]] = box.state()["items"]
    return found
