"""The REST API of money: who reaches what, keys, all reasons at once, second factors, hostile values."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client

from funding import balances, business_days
from funding.hearing import Heard, hear
from funding.models import Notice, NoticeChoice, Transfer, WireRecipient
from onboarding.models import ProviderAccount
from portal import audit, clock
from portal.models import IdempotentRequest, MailMessage, User
from portal.money import Money
from tests.funding.people import at_provider, link_bank, open_account
from tests.hostile import EVERYTHING
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import APP, totp_code

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
WIRE = {
    "bank_name": "First Platypus Bank",
    "bank_address": "1 River Road, Austin, TX 78701",
    "routing_number": "021000021",
    "account_number": "000123456789",
}


@pytest.fixture
def account(customer_user: User) -> ProviderAccount:
    """An open account with a linked bank and 5,000 dollars."""
    account = open_account(customer_user)
    link_bank(account)
    paid_in(account, 500_000)
    at_provider(account, 500_000)
    return account


def paid_in(account: ProviderAccount, minor: int) -> Transfer:
    row = Transfer.objects.create(
        account=account, direction="deposit", rail="ach", origin="customer", amount_minor=minor,
        status="completed", reference=f"paid-{minor}", release_on=clock.now().date() - timedelta(days=1),
    )  # fmt: skip
    row.enter()
    return row


def test_the_release_plan_promises_no_more_than_is_there(account: ProviderAccount) -> None:
    today = business_days.today(clock.now())
    for minor, days in ((10_000, 2), (20_000, 5)):
        row = paid_in(account, minor)
        Transfer.objects.filter(pk=row.pk).update(release_on=today + timedelta(days=days))
    at_provider(account, 530_000)
    found = balances.standing(account)
    assert (found.usable.minor, [one.amount.minor for one in found.releases]) == (500_000, [10_000, 20_000])
    # Some of it is gone from the provider, as a fee takes it.
    at_provider(account, 505_000)
    found = balances.standing(account)
    assert [(one.on, one.amount.minor) for one in found.releases] == [(today + timedelta(days=2), 5_000)]
    assert found.usable_from(Money(505_000, "USD")) == today + timedelta(days=2)
    assert found.usable_from(Money(505_001, "USD")) is None


@pytest.fixture
def app(customer_user: User, signed_in: SignIn) -> Client:
    """The customer's app."""
    return signed_in(customer_user)


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    raw = json.dumps(body)
    return client.generic(method, path, raw, content_type="application/json", headers=headers)


def at(account: ProviderAccount, rest: str) -> str:
    return f"/api/v1/accounts/{account.pk}/{rest}"


def order(amount: str, direction: str = "deposit", rail: str = "ach", **more: Any) -> dict[str, Any]:
    return {
        "direction": direction, "rail": rail, "amount": {"amount": amount, "currency": "USD"}, **more
    }  # fmt: skip


def ask(client: Client, account: ProviderAccount, body: dict[str, Any], key: str, **headers: str) -> Any:
    """Quote it, accept what the quote says, and ask for it."""
    quote = send(client, "POST", at(account, "transfers/quote"), body, **headers).json()
    if quote["authorisation"]:
        body = body | {"authorisation_sha256": quote["authorisation"]["sha256"]}
    return send(client, "POST", at(account, "transfers"), body, **{"Idempotency-Key": key}, **headers)


def test_a_transfer_is_made_once_under_its_key(app: Client, account: ProviderAccount) -> None:
    body = order("100.50")
    quote = send(app, "POST", at(account, "transfers/quote"), body).json()
    assert quote["stops"] == [] and "$100.50" in quote["authorisation"]["text"]
    body["authorisation_sha256"] = quote["authorisation"]["sha256"]
    before = Transfer.objects.count()
    missing = send(app, "POST", at(account, "transfers"), body)
    assert missing.status_code == 422 and "Idempotency-Key" in missing.json()["detail"]
    first = send(app, "POST", at(account, "transfers"), body, **{"Idempotency-Key": "one"})
    again = send(app, "POST", at(account, "transfers"), body, **{"Idempotency-Key": "one"})
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert Transfer.objects.count() == before + 1
    made = first.json()
    assert made["status"] == "requested" and made["ball"]["holder"] == "us"
    assert made["next_action"]["kind"] == "wait" and made["amount"] == {"amount": "100.50", "currency": "USD"}
    other = send(app, "POST", at(account, "transfers"), body | order("1.00"), **{"Idempotency-Key": "one"})
    assert other.json()["type"].endswith("idempotency-key-reused")
    unread = send(
        app,
        "POST",
        at(account, "transfers"),
        body | {"authorisation_sha256": "0" * 64},
        **{"Idempotency-Key": "b"},
    )
    assert [row["pointer"] for row in unread.json()["errors"]] == ["/authorisation_sha256"]
    listed = app.get(at(account, "transfers?status=requested")).json()
    assert [row["id"] for row in listed["results"]] == [made["id"]] and listed["next"] is None
    assert app.get(at(account, f"transfers/{made['id']}")).json()["id"] == made["id"]
    late = send(app, "POST", at(account, f"transfers/{made['id']}/cancel"))
    assert late.status_code == 409
    assert audit.entries_for(Transfer.objects.get(pk=made["id"])).filter(action="transfer.request").exists()


def test_all_reasons_come_at_once(app: Client, account: ProviderAccount) -> None:
    account.banks.update(status="unlinked")
    ProviderAccount.objects.filter(pk=account.pk).update(status="suspended")
    refused = ask(app, account, order("900000", "withdrawal"), "k")
    assert refused.status_code == 409 and refused.json()["type"].endswith("transfer-refused")
    codes = {row["code"] for row in refused.json()["reasons"]}
    assert codes == {"suspended", "no_bank", "over_single", "over_day", "over_month", "not_enough"}
    assert all(row["text"] and row["fix"] for row in refused.json()["reasons"])
    (listed,) = app.get("/api/v1/accounts").json()["results"]
    assert {row["code"] for row in listed["stops"]["withdraw_ach"]} == {"suspended", "no_bank"}
    assert listed["balance"]["usable"] == {"amount": "5000.00", "currency": "USD"}
    wire = send(app, "POST", at(account, "transfers/quote"), order("20", rail="wire")).json()
    assert {row["code"] for row in wire["stops"]} == {"suspended", "wire_in"}, (
        "no request makes a wire come in"
    )
    page = app.get(f"/money/accounts/{account.pk}/add/").content.decode()
    assert "The provider has paused this account." in page and "No bank is linked." in page
    assert not IdempotentRequest.objects.filter(key="k").exists()


def test_a_large_wire_needs_a_second_factor(
    client: Client, customer_user: User, account: ProviderAccount
) -> None:
    def logged_in() -> dict[str, str]:
        cache.clear()
        asked = {"email": customer_user.email, "password": PASSWORD}
        answer = send(client, "POST", f"{APP}/auth/login", asked)
        if answer.status_code == 401:
            code = {"code": totp_code(customer_user)}
            session = {"X-Session-Token": answer.json()["meta"]["session_token"]}
            answer = send(client, "POST", f"{APP}/auth/2fa/authenticate", code, **session)
        return {"Authorization": f"Bearer {answer.json()['meta']['access_token']}"}

    token = logged_in()
    made = send(client, "POST", at(account, "wire-recipients"), WIRE, **token).json()
    assert made["account_number"] == "••••6789"
    body = order("2000", "withdrawal", "wire", wire_recipient=made["id"])
    assert send(client, "POST", at(account, "transfers/quote"), body, **token).json()["second_factor_needed"]
    refused = ask(client, account, body, "w", **token)
    assert refused.status_code == 403 and refused.json()["type"].endswith("second-factor-needed")
    small = ask(client, account, order("20", "withdrawal", "wire", wire_recipient=made["id"]), "s", **token)
    assert small.status_code == 201, small.json()
    totp.TOTP.activate(customer_user, totp.generate_totp_secret())
    assert ask(client, account, body, "w", **token).status_code == 403, "to have one is not to have shown it"
    assert ask(client, account, body, "w", **logged_in()).status_code == 201


def test_a_large_wire_is_confirmed_on_the_page(
    app: Client, customer_user: User, account: ProviderAccount
) -> None:
    app.post(f"/money/accounts/{account.pk}/wire-accounts/", WIRE | {"own": "on"})
    recipient = WireRecipient.objects.get()
    form = {"to": str(recipient.pk), "amount": "2000"}
    review = app.post(f"/money/accounts/{account.pk}/withdraw/", form)["Location"]
    assert "Set up a second factor" in app.get(review).content.decode()
    assert app.post(review).status_code == 422
    totp.TOTP.activate(customer_user, totp.generate_totp_secret())
    assert "Confirm it is you" in app.get(review).content.decode()
    back = app.post(f"/account/2fa/reauthenticate/?next={review}", {"code": totp_code(customer_user)})
    assert back["Location"] == review
    assert app.post(review)["Location"].endswith("/done/")
    assert Transfer.objects.get(recipient=recipient).amount_minor == 200_000


@pytest.mark.parametrize("name", EVERYTHING)
def test_hostile_amounts_and_numbers_are_named(app: Client, account: ProviderAccount, name: str) -> None:
    value = EVERYTHING[name]
    before = Transfer.objects.count()
    for body in (
        order("1") | {"amount": value},
        order("1") | {"amount": {"amount": value, "currency": "USD"}},
    ):
        answer = send(app, "POST", at(account, "transfers"), body, **{"Idempotency-Key": "h"})
        # A whole number and "1.5" are amounts; the others are named.
        assert answer.status_code in {409, 422}, answer.content
        assert answer.status_code == 409 or answer.json()["errors"][0]["pointer"].startswith("/"), (
            answer.json()
        )
    for field in ("routing_number", "account_number", "swift_code"):
        answer = send(app, "POST", at(account, "wire-recipients"), WIRE | {field: value})
        # Hyphens between digits are forgiven, as people write numbers.
        fits = field == "swift_code" and name in {"empty", "spaces"}
        fits = fits or (field == "account_number" and name.endswith("date"))
        assert answer.status_code == (201 if fits else 422), (field, answer.content)
    if isinstance(value, str) and "\ud800" not in value:
        for way, form in (("add", {"amount": value}), ("withdraw", {"amount": value, "to": value})):
            page = app.post(f"/money/accounts/{account.pk}/{way}/", form)
            assert page.status_code == 422, (way, page.status_code)
        assert (
            app.get(f"/money/accounts/{account.pk}/activity/", {"since": value, "kind": value}).status_code
            == 200
        )
        cache.clear()
        for path in ("transfers", "statements"):
            assert app.get(at(account, path), {"until": value, "cursor": value}).status_code == 200
    assert Transfer.objects.count() == before


def test_a_stranger_finds_nothing(app: Client, account: ProviderAccount, signed_in: SignIn) -> None:
    stranger = signed_in(make_customer_user())
    mine = Transfer.objects.get()
    recipient = send(app, "POST", at(account, "wire-recipients"), WIRE).json()["id"]
    review = app.post(f"/money/accounts/{account.pk}/add/", {"amount": "20"})["Location"]
    for path in (
        at(account, "balance"), at(account, "transfers"), at(account, f"transfers/{mine.pk}"),
        at(account, "wire-instructions"), at(account, "wire-recipients"), at(account, f"wire-recipients/{recipient}"),
        at(account, "statements"), f"/money/accounts/{account.pk}/", f"/money/transfers/{mine.pk}/",
        f"/money/transfers/{mine.pk}/receipt/", f"/money/accounts/{account.pk}/withdraw/", review,
    ):  # fmt: skip
        assert stranger.get(path).status_code == 404, path
    assert stranger.post(review, {"accepted": "on", "text_sha256": "0" * 64}).status_code == 404
    assert stranger.post(f"/money/wire-accounts/{recipient}/remove/").status_code == 404
    assert stranger.get("/api/v1/accounts").json() == {"results": []}
    assert WireRecipient.objects.get(pk=recipient).removed_at is None


def test_customers_are_told_as_they_chose(app: Client, account: ProviderAccount, customer_user: User) -> None:
    off = {"choices": [{"kind": "completed", "by_mail": False, "in_list": True}]}
    kept = send(app, "PUT", "/api/v1/notices/choices", off).json()["choices"]
    assert {row["kind"]: row["by_mail"] for row in kept if row["by_mail"]} == {
        "requested": True, "returned": True, "wire_account": True, "bank": True,
        "paper": True, "new_bank": True,
    }  # fmt: skip
    assert NoticeChoice.objects.filter(user=customer_user, kind="cancelled", in_list=False).exists()
    ask(app, account, order("30"), "n")
    letters = MailMessage.objects.count()
    listed = app.get("/api/v1/notices").json()
    assert (listed["unread"], [row["kind"] for row in listed["results"]]) == (1, ["requested"])
    transfer = Transfer.objects.get(status="requested")
    for word in ("pending", "completed", "returned", "returned"):
        hear(transfer.pk, Heard(word, word.upper(), "R01" if word == "returned" else ""), source="webhook")
    assert MailMessage.objects.count() == letters + 1
    assert list(Notice.objects.filter(listed=True).order_by("pk").values_list("kind", flat=True)) == [
        "requested", "completed", "returned",
    ]  # fmt: skip
    page = app.get(f"/money/accounts/{account.pk}/").content.decode()
    assert "not enough money in the account" in page
    assert page.count("Deposit by ACH of $30.00:") == 2, (
        "the last word alone, in sight and for screen readers"
    )
    app.post("/money/notices/read/")
    assert app.get("/api/v1/notices").json()["unread"] == 0
    for path in ("/money/notices/", "/money/notices/choices/", f"/money/transfers/{transfer.pk}/"):
        assert app.get(path).status_code == 200
