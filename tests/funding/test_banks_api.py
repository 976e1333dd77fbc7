"""Linking a bank from an app, over REST: with Plaid's SDK, or on Plaid's own page."""

import html
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from compliance.models import Case
from funding import bank_given_up, bank_words, records
from funding.models import BankLogin, LinkedBank, LinkSession
from portal import clock
from portal.models import IdempotentRequest, User
from sandbox.testing import SandboxProcess
from tests.faults.way import deliver
from tests.flow import drain
from tests.funding.linking import known_account, through, user_of
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user, make_staff, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


class App:
    """A customer's app, with one account."""

    def __init__(self, client: Client, account_id: Any) -> None:
        self.client, self.base = client, f"/api/v1/accounts/{account_id}"

    def post(self, path: str, body: dict[str, Any] | None = None, key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"{self.base}/{path}", body or {}, "application/json", headers=headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"{self.base}/{path}")


def test_from_the_token_to_the_linked_bank_and_away(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    app = App(sign_in(Client(), user_of(account)), account.pk)
    assert app.get("bank").status_code == 404
    first = app.post("bank-links", {"hosted": True, "completion_redirect": "https://app.example/back"}, "k1")
    again = app.post("bank-links", {"hosted": True, "completion_redirect": "https://app.example/back"}, "k1")
    assert first.status_code == again.status_code == 201, first.json()
    assert first.json() == again.json() and first.json()["hosted_url"].startswith("http")
    assert first["Cache-Control"] == "no-store" and LinkSession.objects.count() == 1
    kept = str(IdempotentRequest.objects.values_list("answer", flat=True))
    assert first.json()["link_token"] not in kept
    assert app.post("bank-links", {"hosted": False}, "k1").status_code == 409

    link = f"bank-links/{first.json()['id']}"
    assert app.get(link).json()["state"] == "open" and "link_token" not in app.get(link).json()
    through(LinkSession.objects.get(), accounts=("0000", "1111"))
    assert app.post(f"{link}/end").status_code == 202
    deliver(bank_box)
    told = app.get(link).json()
    assert told["state"] == "choose" and [row["mask"] for row in told["accounts"]] == ["0000", "1111"]
    wrong = app.post(f"{link}/choose", {"account_id": "another"})
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["pointer"] == "/account"
    for _ in range(2):
        assert app.post(f"{link}/choose", {"account_id": told["accounts"][1]["id"]}).status_code == 202
    drain()
    assert app.get("bank").json()["status"] == "pending"
    refused = app.post("bank-links", {})
    assert refused.status_code == 409 and refused.json()["reasons"][0]["code"] == "bank_linking"
    deliver(bank_box)
    bank = app.get("bank").json()
    assert (bank["status"], bank["mask"], bank["needs_sign_in"]) == ("active", "1111", False)
    assert app.client.delete(f"{app.base}/bank").status_code == 202
    drain()
    assert app.get("bank").json()["status"] == "unlinked"
    assert app.client.delete(f"{app.base}/bank").status_code == 404


def test_a_public_token_of_the_sdk(bank_box: SandboxProcess, settings: Any) -> None:
    account = known_account(bank_box)
    app = App(sign_in(Client(), user_of(account)), account.pk)
    made = app.post("bank-links", {"redirect_uri": "https://app.example/link?x=1"})
    assert made.status_code in {422, 503}
    made = app.post("bank-links", {"redirect_uri": "https://app.example/link"}).json()
    assert made["hosted_url"] == "" and made["link_token"].startswith("link-")
    link = f"bank-links/{made['id']}"
    for wrong in ("", "access-sandbox-1", "public-" + "x" * 300):
        assert app.post(f"{link}/exchange", {"public_token": wrong}).status_code == 422
    assert app.post(f"{link}/choose", {"account_id": "1"}).status_code == 409
    assert app.post(f"{link}/exchange", {"public_token": "public-sandbox-never-given"}).status_code == 202
    drain()
    assert app.get(link).json()["state"] == "failed" and BankLogin.objects.get().problem_code
    assert not LinkedBank.objects.exists()

    stranger = App(sign_in(Client(), make_customer_user()), account.pk)
    assert stranger.get(link).status_code == stranger.post("bank-links", {}).status_code == 404
    assert stranger.client.delete(f"{stranger.base}/bank").status_code == 404


@pytest.mark.parametrize(
    ("status", "word"), [("linking", "linked"), ("pending", "linked"), ("unlinking", "unlinked")]
)
def test_what_waits_for_a_person_says_what_happens_next(customer_user: User, status: str, word: str) -> None:
    """On the page and over REST alike; staff find the references to ask the provider with in the case."""
    account = open_account(customer_user)
    bank = link_bank(account, status=status)
    client = sign_in(Client(), customer_user)
    app = App(client, account.pk)
    told = app.get("bank").json()
    assert told["looked_at_since"] is None and "some minutes" in told["what_next"]
    LinkedBank.objects.update(status_at=clock.now() - bank_words.USUALLY_WITHIN)
    assert "longer than usual" in app.get("bank").json()["what_next"]
    with transaction.atomic():
        bank_given_up.stuck(bank)
    told = app.get("bank").json()
    assert told["looked_at_since"] is not None and f"asked for it to be {word}" in told["what_next"]
    page = client.get("/money/bank/").content.decode()
    assert told["what_next"] in html.unescape(page) and "every 3s" not in page
    # Whoever waits for a link may take it back; what is being unlinked is not unlinked twice.
    assert ("Unlink this bank" in page) == (status != "unlinking")
    case = Case.objects.get(kind=bank_given_up.KIND)
    shown = (
        sign_in(Client(), make_staff("compliance_manager")).get(f"/staff/cases/{case.pk}/").content.decode()
    )
    assert bank.reference in shown and account.client_account_id in shown
    # Found by whatever names it, and told of in the case's file without a token.
    for text in (bank.reference, account.client_account_id, customer_user.email):
        assert bank.pk in records.subjects(text)
    told = records.contribution_of(LinkedBank)(bank.pk)
    assert bank.reference in str(told.data) and ("funding.linkedbank", bank.pk) in told.audit
