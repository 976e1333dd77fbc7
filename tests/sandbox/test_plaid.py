"""The portal's own Plaid client, on top of the official one, against the stand-in over a socket."""

import re
import time
from typing import Any

import pytest
import requests
from django.test import Client

from portal.money import Money
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.errors import Busy, Misconfigured, NotFound, OutcomeUnknown, ProviderError, Rejected
from providers.http import Timeouts, Transport
from providers.models import CallLog, InboundEvent
from providers.plaid.client import PlaidClient
from providers.plaid.problems import PlaidProblem, problem_of
from providers.plaid.types import Item, OwnerAddress, PlaidCredentials
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import Receiver

pytestmark = pytest.mark.django_db
QUICK = Timeouts(connect=1, read=1, total=3)
PLATYPUS, HOUNDSTOOTH, OAUTH = "ins_109508", "ins_109512", "ins_127287"


def client_of(box: SandboxProcess, client_id: str = "portal", **options: Any) -> PlaidClient:
    values = {"timeouts": QUICK, "longest_wait": 0.05, "read_attempts": 1} | options
    transport = Transport(circuits=SharedCircuits(), recorder=CallLogRecorder(), **values)
    return PlaidClient(
        base_url=f"{box.url}/plaid",
        credentials=PlaidCredentials(client_id, "secret"),
        client_name="Partner",
        transport=transport,
        slow=transport,
    )


@pytest.fixture
def plaid(box: SandboxProcess) -> PlaidClient:
    return client_of(box)


class Customer:
    """A browser at the stand-in's page, without JavaScript."""

    def __init__(self, address: str) -> None:
        self.address, self.session = address, requests.Session()
        self.page = self.session.get(address, timeout=5)

    def press(self, do: str, **fields: Any) -> requests.Response:
        self.page = self.session.post(
            self.address, data={"do": do, **fields}, timeout=5, allow_redirects=False
        )
        if self.page.headers.get("Location", "").startswith("/plaid/link/"):
            self.page = self.session.get(self.address, timeout=5)
        return self.page

    def through(self, institution: str = PLATYPUS, user: str = "user_good", accounts: Any = ("0000",)) -> str:
        """To the end; where the last answer leads."""
        self.press("bank", institution=institution)
        self.press("login", username=user, password="pass_good")
        self.press("accounts", account=list(accounts))
        return str(self.press("consent").headers.get("Location", ""))


def hosted(plaid: PlaidClient, receiver: Receiver, **more: Any) -> Any:
    return plaid.link_token_create(
        user_ref="u1",
        webhook=receiver.url,
        hosted=True,
        completion_redirect="http://localhost:1/back?x=1",
        **more,
    )


def linked(plaid: PlaidClient, receiver: Receiver, **how: Any) -> Item:
    link = hosted(plaid, receiver)
    Customer(link.hosted_url).through(**how)
    (token,) = plaid.link_results(link.token)
    return plaid.exchange(token)


def test_a_customer_links_a_bank_on_the_hosted_page(
    plaid: PlaidClient, receiver: Receiver, box: SandboxProcess
) -> None:
    link = hosted(plaid, receiver)
    assert plaid.link_results(link.token) == []
    customer = Customer(link.hosted_url)
    assert "stand-in for Plaid" in customer.page.text
    customer.press("bank", institution=PLATYPUS)
    assert customer.press("login", username="user_good", password="wrong").status_code == 422
    assert "does not know" in customer.page.text
    customer.press("login", username="user_good", password="pass_good")
    # What the filter drops is not offered, and cannot be had by asking.
    assert "0000" in customer.page.text and "3333" not in customer.page.text
    assert customer.press("accounts", account=["3333"]).status_code == 422
    customer.press("accounts", account=["0000", "1111"])
    assert customer.press("consent").headers["Location"] == "http://localhost:1/back?x=1"
    (token,) = plaid.link_results(link.token)
    said = [(hook.body["webhook_code"], hook.body["link_token"] == link.token) for hook in receiver.wait(2)]
    assert said == [("ITEM_ADD_RESULT", True), ("SESSION_FINISHED", True)]
    assert receiver.got[1].body["public_tokens"] == [token] and "item_id" not in receiver.got[1].body
    assert token not in str(box.state()) and link.token not in str(box.state())

    item = plaid.exchange(token)
    with pytest.raises(Rejected) as again:
        plaid.exchange(token)
    assert problem_of(again.value) is PlaidProblem.RELINK
    checking, saving = plaid.accounts(item.access_token)
    assert (checking.mask, checking.available, checking.offered) == ("0000", Money(100_000, "USD"), True)
    box.api("POST", f"items/{item.item_id}/balance", {"mask": "0000", "available": None, "current": "12.34"})
    balance = plaid.balance(item.access_token, checking.account_id)
    assert (balance.available, balance.current) == (None, Money(1234, "USD"))
    for unknown in (checking.account_id.swapcase(), "other"):
        with pytest.raises(Rejected) as missing:
            plaid.balance(item.access_token, unknown)
        assert problem_of(missing.value) is PlaidProblem.OTHER_ACCOUNT
    assert plaid.processor_token(item.access_token, saving.account_id).startswith("processor-sandbox-")
    health = plaid.item(item.access_token)
    assert (health.item_id, health.institution_name, health.problem) == (
        item.item_id,
        "First Platypus Bank",
        None,
    )
    plaid.remove(item.access_token)
    with pytest.raises(NotFound):
        plaid.item(item.access_token)
    row = CallLog.objects.get(operation="plaid.processor_token")
    assert row.provider_request_id and row.template == "/processor/token/create"


def test_who_leaves_links_nothing(plaid: PlaidClient, receiver: Receiver) -> None:
    link = hosted(plaid, receiver)
    customer = Customer(link.hosted_url)
    customer.press("bank", institution=PLATYPUS)
    assert customer.press("exit").headers["Location"] == "http://localhost:1/back?x=1"
    assert receiver.wait(1)[0].body["status"] == "EXITED"
    assert plaid.link_results(link.token) == []
    assert "Nothing was linked" in requests.get(link.hosted_url, timeout=5).text


@pytest.mark.parametrize("user", ["good", "close", "mismatch", "unknown", "off"])
def test_the_bank_knows_the_owner_or_does_not(plaid: PlaidClient, receiver: Receiver, user: str) -> None:
    item = linked(plaid, receiver, user=f"user_{user}")
    (account,) = plaid.accounts(item.access_token)
    found = plaid.identity_match(
        item.access_token, account.account_id, legal_name="Ann Lee", phone="+15125550142", email="",
        address=OwnerAddress("1 Main St", "Austin", "TX", "78701"),
    )  # fmt: skip
    assert found.verdict == {"good": "match", "off": "unknown"}.get(user, user)
    assert (found.email_score, found.unavailable) == (None, "PRODUCTS_NOT_SUPPORTED" if user == "off" else "")


def test_a_login_ends_and_is_mended_under_the_same_tokens(
    plaid: PlaidClient, receiver: Receiver, box: SandboxProcess
) -> None:
    item = linked(plaid, receiver)
    receiver.clear()
    box.api("POST", f"items/{item.item_id}/reset-login")
    told = receiver.wait(1)[0].body
    assert (told["webhook_code"], told["item_id"], told["error"]["error_code"]) == (
        "ERROR", item.item_id, "ITEM_LOGIN_REQUIRED",
    )  # fmt: skip
    with pytest.raises(Rejected) as broken:
        plaid.accounts(item.access_token)
    assert problem_of(broken.value) is PlaidProblem.LOGIN
    assert plaid.item(item.access_token).problem is PlaidProblem.LOGIN
    link = hosted(plaid, receiver, access_token=item.access_token, account_selection=True)
    customer = Customer(link.hosted_url)
    customer.press("login", username="user_good", password="pass_good")
    customer.press("accounts", account=["0000", "1111"])
    customer.press("consent")
    assert plaid.link_results(link.token) == [] and plaid.item(item.access_token).problem is None
    assert [account.mask for account in plaid.accounts(item.access_token)] == ["0000", "1111"]


def test_webhooks_and_banks_as_testers_want_them(
    plaid: PlaidClient, receiver: Receiver, box: SandboxProcess
) -> None:
    item = linked(plaid, receiver, institution=HOUNDSTOOTH, accounts=["0000", "1111"])
    checking, saving = plaid.accounts(item.access_token)
    assert checking.offered and not saving.offered
    receiver.clear()
    for code in ("DEFAULT_UPDATE", "PENDING_DISCONNECT", "USER_PERMISSION_REVOKED", "LOGIN_REPAIRED"):
        box.api("POST", f"items/{item.item_id}/fire", {"code": code})
    box.api(
        "POST", f"items/{item.item_id}/verification", {"mask": "1111", "status": "automatically_verified"}
    )
    got = [hook.body for hook in receiver.wait(5)]
    assert [one["webhook_code"] for one in got][-1] == "AUTOMATICALLY_VERIFIED"
    assert got[0]["account_ids_with_updated_auth"] == [checking.account_id]
    assert plaid.accounts(item.access_token)[1].offered
    box.api("POST", f"institutions/{HOUNDSTOOTH}/down")
    with pytest.raises(Busy):
        plaid.accounts(item.access_token)
    box.api("DELETE", f"institutions/{HOUNDSTOOTH}/down")
    plaid.webhook_update(item.access_token, receiver.url + "new/")
    assert receiver.wait(6)[5].path.endswith("/new/")
    home = requests.get(box.url, timeout=5).text
    assert item.item_id in home and item.access_token not in home


def test_an_oauth_bank_has_a_page_of_its_own(plaid: PlaidClient, box: SandboxProcess) -> None:
    back = "http://localhost:1/bank/link"
    link = plaid.link_token_create(user_ref="u1", webhook="", redirect_uri=back)
    customer = Customer(f"{box.url}/plaid/link/{link.token}?origin=http://localhost:1")
    assert "frame-ancestors http://localhost:1" in customer.page.headers["Content-Security-Policy"]
    customer.press("bank", institution=OAUTH)
    assert 'target="_top"' in customer.page.text
    address = box.url + re.findall(r'"(/plaid/oauth/[^"]+)"', customer.page.text)[0]
    allowed = {"do": "allow", "username": "user_good"}
    answer = requests.post(address, data=allowed, timeout=5, allow_redirects=False)
    assert re.fullmatch(re.escape(back) + r"\?oauth_state_id=[\w-]+", answer.headers["Location"])
    customer.press("accounts", account=["0000"])
    customer.press("consent")
    # The page that frames it is told, as the real script tells onSuccess; nobody else is.
    (token,) = re.findall(r'"public_token": "([^"]+)"', customer.page.text)
    assert 'data-origin="http://localhost:1"' in customer.page.text
    assert plaid.link_results(link.token) == []
    (account,) = plaid.accounts(plaid.exchange(token).access_token)
    assert len(account.persistent_id) == 64


@pytest.mark.parametrize(
    ("kind", "raised"),
    [("500_before", OutcomeUnknown), ("drop_before", OutcomeUnknown), ("429", Busy), ("nonsense", OutcomeUnknown),
     ("401", Misconfigured), ("502_html", OutcomeUnknown), ("hang", OutcomeUnknown)],
)  # fmt: skip
def test_faults_strike_plaid_too(
    plaid: PlaidClient, box: SandboxProcess, kind: str, raised: type[ProviderError]
) -> None:
    box.fault(kind, "plaid_link_token", seconds=1.5)
    began = time.monotonic()
    with pytest.raises(ProviderError) as caught:
        plaid.link_token_create(user_ref="u1", webhook="")
    assert type(caught.value) is raised and time.monotonic() - began < 4
    assert plaid.link_token_create(user_ref="u1", webhook="").token


def test_wrong_keys_are_our_fault(box: SandboxProcess) -> None:
    with pytest.raises(Misconfigured) as refusal:
        client_of(box, "wrong").link_token_create(user_ref="u1", webhook="")
    assert problem_of(refusal.value) is PlaidProblem.OURS


def test_the_portal_takes_what_the_stand_in_signs_and_nothing_that_is_not(
    plaid: PlaidClient,
    receiver: Receiver,
    box: SandboxProcess,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PLAID_URL = f"{box.url}/plaid"
    item = linked(plaid, receiver)
    receiver.clear()
    box.fault("webhook_unsigned", "ITEM")
    box.fault("webhook_duplicate", "AUTH", times=2)
    box.api("POST", f"items/{item.item_id}/fire", {"code": "PENDING_DISCONNECT"})
    box.api("POST", f"items/{item.item_id}/fire", {"code": "DEFAULT_UPDATE"})
    got = receiver.wait(3)
    answers = [
        Client().post(
            "/webhooks/plaid/", hook.text, content_type="application/json",
            headers={"Plaid-Verification": hook.signature},
        ).status_code
        for hook in got
    ]  # fmt: skip
    assert answers == [401, 200, 200]
    assert InboundEvent.objects.get().deliveries == 2
