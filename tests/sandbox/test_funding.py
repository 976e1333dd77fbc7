"""Links, transfers, books and reads of the stand-in, over HTTP and as published. Wire contract, sections 5 and 7."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import testing
from sandbox.bakkt import funding
from sandbox.testing import SandboxProcess
from tests.sandbox import contract
from tests.sandbox.conftest import PARTNER, Receiver, request_body
from tests.sandbox.funding import Payer, books, opened, told

BANK = {"accountNumber": "000123456789", "routingNumber": "110000000", "accountType": "CHECKING"}


@pytest.fixture
def payer(box: SandboxProcess) -> Payer:
    return opened(box)


def advance(box: SandboxProcess, seconds: float) -> None:
    box.api("POST", "clock/advance", {"seconds": seconds})


@pytest.fixture(autouse=True)
def _balanced(box: SandboxProcess) -> Iterator[None]:
    yield
    for account in box.state()["accounts"]:
        assert sum(Decimal(held) for held in account["books"].values()) == 0


@pytest.mark.parametrize("route", [str(entry.pattern) for entry in funding.urlpatterns])
def test_every_call_is_published(route: str) -> None:
    path = "/" + route.replace("<str:partner>", PARTNER).replace("<str:ref>", "a").replace(
        "<str:reference>", "t"
    )
    assert contract.operation("GET", path) or contract.operation("POST", path)


def test_a_deposit_from_order_to_money(payer: Payer, box: SandboxProcess, receiver: Receiver) -> None:
    answer = payer.pay(250.25)
    assert (answer.status_code, answer.content) == (200, b"")
    assert payer.balance() == (0, 250.25)
    box.flush()
    assert told(receiver) == [("ACH", "PENDING")]
    box.flush()
    assert told(receiver)[1:] == [("ACH", "RETURNED"), ("ACH_RETURN_FEE", "COMPLETED")], "the cents said R25"
    assert books(box) == {"settled": "-15.00", "unsettled": "0.00", "leaving": "0.00", "outside": "15.00"}
    payer.pay(100, "T-2")
    box.flush(), box.flush()
    assert told(receiver)[3:] == [("ACH", "PENDING"), ("ACH", "COMPLETED")]
    assert payer.balance() == (85, 0)
    last = receiver.got[-1].body
    assert (last["partnerTransactionRef"], last["amount"], last["currency"]) == ("T-2", 100.0, "USD")
    assert "partnerTransactionRef" not in receiver.got[2].body, "nobody asked for the fee"


def test_time_brings_each_step(payer: Payer, box: SandboxProcess) -> None:
    def status() -> str:
        found: str = box.account("acc-1")["movements"][0]["status"]
        return found

    payer.pay(100.61)
    assert status() == "PENDING"
    advance(box, 529)
    assert status() == "PENDING"
    advance(box, 2)
    assert status() == "COMPLETED"
    advance(box, 61)
    assert status() == "RETURNED"
    payer.pay(100.63, "T-2")
    advance(box, 86400)
    assert box.account("acc-1")["movements"][-2]["status"] == "RETURNED", "a day brings all that lies in it"


def test_a_withdrawal_is_set_aside_at_once(payer: Payer, box: SandboxProcess) -> None:
    box.api("POST", "accounts/acc-1/adjust", {"amount": "100.00"})
    assert payer.withdraw(60, "W-1").status_code == 200
    assert books(box)["settled"] == "40.00"
    assert books(box)["leaving"] == "60.00"
    assert payer.kind(payer.withdraw(50, "W-2")) == "INSUFFICIENT_BALANCE"
    box.flush(), box.flush()
    assert books(box) == {"settled": "40.00", "unsettled": "0.00", "leaving": "0.00", "outside": "-40.00"}
    payer.withdraw(20.9, "W-3")
    box.flush(), box.flush()
    assert payer.balance() == (40, 0), "a declined withdrawal gives the money back"


def test_wires(payer: Payer, box: SandboxProcess, receiver: Receiver) -> None:
    box.api("POST", "accounts/acc-1/wire", {"amount": "1000.00"})
    assert payer.balance() == (0, 0)
    box.flush()
    assert payer.balance() == (1000, 0)
    assert "partnerTransactionRef" not in receiver.wait(1)[0].body
    wire = {"instrumentType": "WIRE"}
    assert payer.kind(payer.withdraw(500, "W-1", **wire)) == "INVALID_FIELD_VALUE"
    details = {"wireRoutingNumber": "110000000", "wireAccountNumber": "000123456789", "wireBankName": "Bank"}
    assert payer.withdraw(500, "W-1", **wire, wireWithdrawDetails=details).status_code == 200
    box.flush()
    assert told(receiver) == [("WIRE", "COMPLETED")] * 2, "no event says that a wire is pending"
    assert books(box)["settled"] == "500.00"
    assert "000123456789" not in str(box.state()["requests"])


def test_a_wire_without_the_reference_waits(payer: Payer, box: SandboxProcess) -> None:
    box.api("POST", "accounts/acc-1/wire", {"amount": "70.00", "reference": False})
    advance(box, 100)
    assert payer.balance() == (0, 0)
    advance(box, 21)
    assert payer.balance() == (70, 0)


def test_a_key_is_used_once_and_remembered_for_ten_days(payer: Payer, box: SandboxProcess) -> None:
    assert payer.pay(100).status_code == 200
    again = payer.pay(100)
    assert (again.status_code, again.json()["type"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert again.json()["originalResponse"] == {"status": 200, "body": None}
    assert payer.pay(5, idempotencyKey="key-T-1", partnerTransactionRef="T-9").status_code == 409
    advance(box, 10 * 86400 - 5)
    assert payer.pay(100).status_code == 409
    advance(box, 10)
    assert payer.kind(payer.pay(100)) == "INVALID_FIELD_VALUE", "the reference is still known"
    assert payer.pay(100, "T-2", idempotencyKey="key-T-1").status_code == 200
    assert len(box.account("acc-1")["movements"]) == 2


def test_a_refused_order_does_not_use_its_key(payer: Payer, box: SandboxProcess) -> None:
    assert payer.kind(payer.withdraw(50, "T-1")) == "INSUFFICIENT_BALANCE"
    assert payer.pay(50, "T-1").status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -5}, "amount"),
        ({"amount": 5.005}, "amount"),
        ({"amount": "5.00"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": 1e13}, "amount"),
        ({"currency": "EUR"}, "currency"),
        ({"fiatTransactType": "WITHDRAWAL"}, "fiatTransactType"),
        ({"instrumentType": "CASH"}, "instrumentType"),
        ({"idempotencyKey": None}, "idempotencyKey"),
        ({"partnerTransactionRef": 7}, "partnerTransactionRef"),
        ({"note": "hello"}, "note"),
    ],
)
def test_fields_are_checked(payer: Payer, changes: dict[str, Any], field: str) -> None:
    answer = payer.pay(**{"amount": 100} | changes)
    assert payer.kind(answer) == "INVALID_FIELD_VALUE"
    assert [detail["field"] for detail in answer.json()["details"]] == [field]


def test_what_the_business_refuses(box: SandboxProcess) -> None:
    payer = opened(box, bank=False)
    wire = {"instrumentType": "WIRE"}
    assert payer.kind(payer.pay(100)) == "LINKED_BANK_ACCOUNT_NOT_FOUND"
    assert payer.kind(payer.pay(100, instrumentType="DEBIT")) == "OPERATION_NOT_ALLOWED"
    assert payer.kind(payer.pay(100, ref="nobody", **wire)) == "PARTY_ACCOUNT_NOT_FOUND"
    nil = payer.at("fiatAccount/balance", partner=funding.NOT_OURS)
    assert payer.kind(payer.get(nil)) == "INVALID_PARTNER_ID"
    assert payer.kind(payer.get(payer.at("fiatAccount/balance", partner="me"))) == "INVALID_FIELD_VALUE"
    payer.link("processor-expired-1")
    box.flush()
    assert payer.kind(payer.pay(100)) == "STORED_AUTH_INVALID"
    for status, kind in (("SUSPENDED", "PARTY_SUSPENDED"), ("CLOSED", "PARTY_INVALID_OPERATION")):
        box.api("POST", "accounts/acc-1/event", {"partyStatus": status, "reasonCode": "OTHER"})
        assert payer.kind(payer.pay(100, **wire)) == kind
    box.api("POST", "accounts/acc-1/event", {"partyStatus": "LIQUIDATED", "reasonCode": "LIQUIDATED"})
    assert payer.kind(payer.pay(100, **wire)) == "OPERATION_NOT_ALLOWED"
    box.api("POST", "settings", {"funding_enabled": False})
    assert payer.kind(payer.pay(100, **wire)) == "PARTNER_INVALID_OPERATION"
    assert books(box)["outside"] == "0.00"


def test_the_least_withdrawal(payer: Payer, box: SandboxProcess) -> None:
    box.api("POST", "accounts/acc-1/adjust", {"amount": "100.00"})
    answer = payer.withdraw(9.99, "W-1")
    assert payer.kind(answer) == "INVALID_FIELD_VALUE"
    assert answer.json()["details"][0]["field"] == "amount"
    assert payer.withdraw(10, "W-2").status_code == 200


def test_links(box: SandboxProcess, receiver: Receiver) -> None:
    payer = opened(box, bank=False)
    assert payer.kind(payer.link("processor-wrong")) == "PLAID_ACCOUNT_NOT_FOUND"
    payer.link()
    assert payer.kind(payer.pay(100)) == "LINKED_BANK_ACCOUNT_NOT_FOUND", "taken is not linked"
    box.flush()
    payer.link("processor-unsupported")
    box.flush()
    body = {**BANK, "partnerTransactionRef": "L-3"}
    assert payer.post(payer.at("bankAccountLinking/ach"), json=body).status_code == 200
    box.flush()
    assert told(receiver) == [("BANK_ACCOUNT_LINK", word) for word in ("LINKED", "FAILED", "LINKED")]
    assert receiver.got[1].body["reasonCode"] == "UNSUPPORTED_FINANCIAL_INSTITUTION"
    assert [bank["status"] for bank in box.account("acc-1")["banks"]] == ["UNLINKED", "FAILED", "LINKED"]
    unlink = {"instrumentType": "ACH", "partnerTransactionRef": "U-1"}
    assert payer.post(payer.at("bankAccountLinking/unlink"), json=unlink).json() == {"success": True}
    assert (
        payer.kind(payer.post(payer.at("bankAccountLinking/unlink"), json=unlink))
        == "LINKED_BANK_ACCOUNT_NOT_FOUND"
    )
    payer.post(payer.at("bankAccount"), json=BANK)
    assert payer.post(payer.at("fiatAccount/unlink"), json={"instrumentType": "ACH"}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"accountNumber": "12a4"}, "accountNumber"),
        ({"routingNumber": "110000001"}, "routingNumber"),
        ({"accountType": "GIRO"}, "accountType"),
    ],
)
def test_numbers_of_a_bank_are_checked(payer: Payer, change: dict[str, str], field: str) -> None:
    body = {**BANK, "partnerTransactionRef": "L-1", **change}
    answer = payer.post(payer.at("bankAccountLinking/ach"), json=body)
    assert [detail["field"] for detail in answer.json()["details"]] == [field]


def test_wire_instructions_are_each_customers_own(payer: Payer, box: SandboxProcess) -> None:
    opened(box, "acc-2")
    one, two = (payer.get(payer.at("wire-instructions", ref)).json() for ref in ("acc-1", "acc-2"))
    assert one["wireReferenceNumber"] != two["wireReferenceNumber"]
    assert "not real" in one["wireBankName"]


def test_too_many_returns_suspend(payer: Payer, box: SandboxProcess, receiver: Receiver) -> None:
    box.api("POST", "settings", {"max_ach_returns": 2})
    for name in ("T-1", "T-2"):
        payer.pay(50.01, name)
        box.flush(), box.flush()
    assert told(receiver)[-1] == ("PARTY_EVENT", "SUSPENDED")
    assert receiver.got[-1].body["reasonCode"] == "MAX_ACH_RETURNS"
    assert payer.kind(payer.pay(50, "T-3")) == "PARTY_SUSPENDED"
    assert payer.balance() == (-30, 0)


@pytest.mark.parametrize(
    ("cents", "words", "settled"),
    [
        ("90", ["PENDING", "DECLINED"], 0),
        ("91", ["PENDING", "FAILED"], 0),
        ("92", ["PENDING", "CANCELLED"], 0),
        ("93", ["PENDING"], 0),
        ("94", ["PENDING"], 50.94),
        ("95", ["PENDING", "IN_LIMBO"], 0),
        ("10", ["PENDING", "COMPLETED", "RETURNED", "COMPLETED"], -15),
        ("63", ["PENDING", "COMPLETED", "RETURNED", "COMPLETED"], -15),
        ("50", ["PENDING", "COMPLETED"], 50.5),
    ],
)
def test_the_cents_decide(
    payer: Payer, box: SandboxProcess, receiver: Receiver, cents: str, words: list[str], settled: float
) -> None:
    payer.pay(Decimal(f"50.{cents}").__float__())
    for _ in range(3):
        box.flush()
    assert [word for _, word in told(receiver)] == words
    assert payer.balance()[0] == settled
    codes = [hook.body["reasonCode"] for hook in receiver.got if hook.body["transactionStatus"] == "RETURNED"]
    assert codes == ({"10": ["R10"], "63": ["R03"]}.get(cents, []))


def test_testers_say_what_becomes_of_a_transfer(
    payer: Payer, box: SandboxProcess, receiver: Receiver
) -> None:
    payer.pay(100.93)
    box.api("POST", "transfers/T-1/end", {"status": "COMPLETED"})
    assert payer.balance() == (100.93, 0)
    box.api("POST", "transfers/T-1/return", {"reasonCode": "R29"})
    assert books(box)["settled"] == "-15.00"
    with pytest.raises(requests.HTTPError, match="409"):
        box.api("POST", "transfers/T-1/end", {"status": "COMPLETED"})
    with pytest.raises(requests.HTTPError, match="404"):
        box.api("POST", "transfers/T-2/return", {"reasonCode": "R29"})
    for wrong in ({"status": "GONE"}, {"status": "RETURNED", "odd": 1}, {}):
        with pytest.raises(requests.HTTPError, match="400"):
            box.api("POST", "transfers/T-1/end", wrong)
    with pytest.raises(requests.HTTPError, match="400"):
        box.api("POST", "transfers/T-1/return", {"reasonCode": "1"})
    adjust = {"amount": "15.00", "instrumentType": "PARTNER_WRITE_OFF", "direction": "DEPOSIT"}
    box.api("POST", "accounts/acc-1/adjust", adjust)
    assert books(box)["settled"] == "0.00"
    assert receiver.wait(4)[-1].body["instrumentType"] == "PARTNER_WRITE_OFF"
    for amount in (100, "1.005", "-1.00", "0.00", "x"):
        with pytest.raises(requests.HTTPError, match="400"):
            box.api("POST", "accounts/acc-1/adjust", {"amount": amount})


def test_a_link_by_plaid_is_as_good_as_its_login(box: SandboxProcess) -> None:
    payer = opened(box, bank=False)

    def plaid(path: str, **body: Any) -> dict[str, Any]:
        keys = {"client_id": "portal", "secret": "secret"}
        answer = requests.post(f"{box.url}/plaid/{path}", json=keys | body, timeout=5)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    public = plaid("sandbox/public_token/create", institution_id="ins_109508", initial_products=["auth"])
    item = plaid("item/public_token/exchange", public_token=public["public_token"])
    access = item["access_token"]
    saving = next(
        one for one in plaid("accounts/get", access_token=access)["accounts"] if one["mask"] == "1111"
    )
    token = plaid(
        "processor/token/create", access_token=access, account_id=saving["account_id"], processor="bakkt"
    )
    payer.link(token["processor_token"])
    box.flush()
    (bank,) = box.account("acc-1")["banks"]
    assert (bank["status"], bank["tail"]) == ("LINKED", "1111")
    assert payer.pay(100).status_code == 200
    box.api("POST", f"items/{item['item_id']}/reset-login")
    assert payer.kind(payer.pay(100, "T-2")) == "STORED_AUTH_INVALID"
    plaid("item/remove", access_token=access)
    assert payer.kind(payer.pay(100, "T-2")) == "BANK_LINK_ITEM_NOT_FOUND"


def test_one_key_from_many_hands_moves_money_once(payer: Payer, box: SandboxProcess) -> None:
    url, headers = f"{box.url}{payer.at('transfer')}", dict(payer.session.headers)
    body = {
        "amount": 100, "currency": "USD", "fiatTransactType": "DEPOSIT", "instrumentType": "ACH",
        "idempotencyKey": "k", "partnerTransactionRef": "T-1",
    }  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        sent = pool.map(
            lambda _: requests.post(url, json=body, headers=headers, timeout=10).status_code, range(8)
        )
    assert sorted(sent) == [200] + [409] * 7
    assert books(box)["unsettled"] == "100.00"


def test_a_story_says_what_becomes_of_the_portals_deposit(
    payer: Payer, box: SandboxProcess, receiver: Receiver
) -> None:
    box.api("POST", "stories/deposit_returned/run", {"clientAccountId": "acc-1", "speed": 1})
    payer.pay(100)
    advance(box, 3 * 86400)
    assert payer.balance() == (0, 100), "its own time does not end it"
    advance(box, 86400 + 600)
    assert payer.balance() == (100, 0)
    advance(box, 7 * 86400)
    assert payer.balance() == (-15, 0)
    advance(box, 86400)
    assert payer.balance() == (485, 0)


def test_the_control_page_moves_money(payer: Payer, box: SandboxProcess) -> None:
    payer.pay(100.93)
    with requests.Session() as browser:
        page = browser.get(f"{box.url}/", timeout=5)
        assert "100.93" in page.text
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

        def press(deed: str, **fields: str) -> str:
            body = {"csrfmiddlewaretoken": token, **fields}
            return browser.post(f"{box.url}/do/{deed}", data=body, timeout=5).text

        press("end-transfer", id="T-1", status="COMPLETED")
        press("wire-in", ref="acc-1", amount="20.00", reference="missing")
        press("adjust", ref="acc-1", amount="1.00", direction="WITHDRAW", instrumentType="TPJ")
        press("bank-trouble", ref="acc-1", trouble="STORED_AUTH_INVALID")
        assert "must be a text such as" in press("adjust", ref="acc-1", amount="1,00")
    assert books(box)["settled"] == "99.93"
    assert box.account("acc-1")["movements"][1]["reason"] == "NO_REFERENCE"
    assert payer.kind(payer.pay(10, "T-2")) == "STORED_AUTH_INVALID"


def test_a_bank_that_goes_bad(payer: Payer, box: SandboxProcess) -> None:
    box.api("POST", "accounts/acc-1/bank-trouble", {"trouble": "BANK_ACCOUNT_BLOCKED"})
    assert payer.kind(payer.pay(100)) == "BANK_ACCOUNT_BLOCKED"
    box.api("POST", "accounts/acc-1/bank-trouble", {"trouble": ""})
    assert payer.pay(100).status_code == 200


def test_transactions_are_read(payer: Payer, box: SandboxProcess) -> None:
    payer.pay(50.02)
    box.flush(), box.flush()
    one = payer.get(payer.at("transactions/T-1")).json()
    assert (one["transactionStatus"], one["reasonCode"], one["amount"]) == ("RETURNED", "R02", 50.02)
    listed = payer.get(payer.at("transactions")).json()
    assert [entry["instrumentType"] for entry in listed] == ["ACH_RETURN_FEE", "ACH"]
    assert payer.get(payer.at("transactions?from=2999-01-01T00:00:00Z")).json() == []
    assert payer.kind(payer.get(payer.at("transactions?to=tomorrow"))) == "INVALID_FIELD_VALUE"
    assert payer.kind(payer.get(payer.at("transactions/T-9"))) == "TRANSACTION_NOT_FOUND"


def test_an_early_event_comes_before_the_answer(
    payer: Payer, box: SandboxProcess, receiver: Receiver
) -> None:
    box.fault("webhook_early", "FIAT_EVENT")
    payer.pay(100)
    assert told(receiver) == [("ACH", "PENDING")]
    box.fault("webhook_early", "BANK_ACCOUNT_LINK")
    payer.link()
    assert told(receiver)[1:] == [("BANK_ACCOUNT_LINK", "LINKED")]


def test_money_goes_with_its_account(payer: Payer, box: SandboxProcess) -> None:
    payer.pay(100)
    box.api("DELETE", "accounts/acc-1")
    opened(box)
    assert books(box)["unsettled"] == "0.00"
    assert box.account("acc-1")["movements"] == []


def test_money_and_keys_survive_a_crash(tmp_path: Path) -> None:
    with testing.start("", webhook_delay=500, state_file=tmp_path / "state.json") as box:
        assert opened(box).pay(100).status_code == 200
        box.stop(hard=True)
    with testing.start("", webhook_delay=500, state_file=tmp_path / "state.json") as box:
        payer = Payer(box)
        assert payer.balance() == (0, 100)
        assert payer.pay(100).status_code == 409
        box.flush(), box.flush()
        assert payer.balance() == (100, 0)


def test_only_enrolled_customers_may_link(box: SandboxProcess, caller: Any) -> None:
    caller.save(request_body())
    assert Payer(box).kind(Payer(box).link()) == "PARTY_INVALID_OPERATION"
