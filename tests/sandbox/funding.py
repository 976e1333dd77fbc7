"""Calls the money side of the sandbox as the portal would; every call is held against the contract."""

from typing import Any

import requests

from sandbox import testing
from tests.sandbox import contract
from tests.sandbox.conftest import PARTNER, Caller

V1 = "/partner/v1"
PROCESSOR_TOKEN = "processor-sandbox-1"


class Payer(Caller):
    """The partner family, logged in. Orders take their key and reference from one name."""

    def log_in(self) -> None:
        answer = requests.post(
            f"{self.box.url}{V1}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("client", "secret"),
            timeout=5,
        )
        self.session.headers["Authorization"] = f"Bearer {answer.json()['accessToken']}"

    def at(self, tail: str, ref: str = "acc-1", partner: str = PARTNER) -> str:
        return f"{V1}/partner/{partner}/party/{ref}/{tail}"

    def link(self, token: str = PROCESSOR_TOKEN, ref: str = "acc-1") -> requests.Response:
        body = {"processorToken": token, "partnerTransactionRef": f"LINK-{token}"}
        return self.post(self.at("plaidAccount/link", ref), json=body)

    def pay(self, amount: Any, name: str = "T-1", ref: str = "acc-1", **changes: Any) -> requests.Response:
        """Order an ACH deposit, or what `changes` make of it."""
        body = {
            "amount": amount,
            "currency": "USD",
            "fiatTransactType": "DEPOSIT",
            "instrumentType": "ACH",
            "idempotencyKey": f"key-{name}",
            "partnerTransactionRef": name,
        } | changes
        return self.post(self.at("transfer", ref), json=body)

    def withdraw(self, amount: Any, name: str, **changes: Any) -> requests.Response:
        return self.pay(amount, name, fiatTransactType="WITHDRAW", **changes)

    def balance(self, ref: str = "acc-1") -> tuple[Any, Any]:
        """What the provider shows, settled and unsettled."""
        (entry,) = self.get(self.at("fiatAccount/balance", ref)).json()
        return entry["settledAmount"], entry["unsettledAmount"]

    def kind(self, answer: requests.Response) -> str:
        assert answer.status_code == 400, answer.text
        found: str = answer.json()["type"]
        return found


def opened(box: testing.SandboxProcess, ref: str = "acc-1", *, bank: bool = True) -> Payer:
    """A payer for a customer who is enrolled and, if asked, has a bank."""
    box.api("POST", "accounts", {"clientAccountId": ref})
    payer = Payer(box)
    if bank:
        numbers = {"accountNumber": "000123456789", "routingNumber": "110000000", "accountType": "CHECKING"}
        assert payer.post(payer.at("bankAccount", ref), json=numbers).status_code == 200
    return payer


def books(box: testing.SandboxProcess, ref: str = "acc-1") -> dict[str, str]:
    """The customer's books as exact texts; they always sum to nothing."""
    found: dict[str, str] = box.account(ref)["books"]
    assert sum(round(float(held) * 100) for held in found.values()) == 0
    return found


def told(receiver: Any) -> list[tuple[str, str]]:
    """Instrument and status of each FIAT_EVENT that came, with the standing for a PARTY_EVENT."""
    for hook in receiver.got:
        published = contract.webhook(hook.body["partnerWebhookType"])
        assert not contract.violations(published, hook.body), contract.violations(published, hook.body)
    return [
        (
            body.get("instrumentType", body["partnerWebhookType"]),
            body.get("transactionStatus") or body.get("status") or body["partyStatus"],
        )
        for body in (hook.body for hook in receiver.got)
    ]
