"""What a tester does to the stand-in's copy: drift, loss, accounts from nowhere, ends of reviews."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body
from tests.sandbox.papers import upload
from tests.sandbox.test_account_types import body_of
from tests.sandbox.test_updates import call, opened, shown

Post = Callable[..., requests.Response]
PHONE = "owners[0].phoneNumber"


@pytest.fixture
def control(box: SandboxProcess) -> Post:
    def post(path: str, method: str = "POST", **body: Any) -> requests.Response:
        return requests.request(method, f"{box.url}/sandbox/api/{path}", json=body, timeout=5)

    return post


def test_drift_changes_the_copy_and_tells_nobody(
    caller: Caller, box: SandboxProcess, control: Post, receiver: Receiver
) -> None:
    body = opened(caller, box)
    changes = {
        PHONE: "+15125550111",
        "owners[0].identity.dateOfBirth": "1990-01-01",
        "owners[0].identity.employment": None,
    }
    assert control("accounts/acc-1/drift", changes=changes).status_code == 200
    account = caller.get(f"{V2}/accounts/acc-1").json()
    owner = account["request"]["owners"][0]
    assert (owner["phoneNumber"], owner["identity"]["dateOfBirth"]) == ("+15125550111", "1990-01-01")
    assert "employment" not in owner["identity"]
    assert account["pendingUpdateIds"] == []
    box.flush()
    assert len(receiver.got) == 1, "the enrolment alone"
    answer = caller.save(body)
    assert [p["field"] for p in answer.json()["validationErrors"]] == ["owners[0].identity.dateOfBirth"]


def test_the_portals_own_body_mends_a_drift(caller: Caller, box: SandboxProcess, control: Post) -> None:
    body = opened(caller, box)
    control("accounts/acc-1/drift", changes={PHONE: "+15125550111"})
    assert shown(caller) == ("+15125550111", 0)
    assert caller.save(body).status_code == 200
    box.flush()
    assert shown(caller) == ("+15125550142", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nickname": "A"},
        {"owners[4].phoneNumber": "+15125550111"},
        {PHONE + ".more": "1"},
        {"": 1},
        {PHONE: "no number"},
        {"clientAccountId": "acc-9"},
    ],
)
def test_a_drift_that_makes_no_account_is_refused(
    caller: Caller, control: Post, changes: dict[str, Any]
) -> None:
    before = caller.create()
    answer = control("accounts/acc-1/drift", changes=changes)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert caller.get(f"{V2}/accounts/acc-1").json() == before
    assert control("accounts/nobody/drift", changes={PHONE: "+15125550111"}).status_code == 404


def test_a_deleted_copy_is_gone_with_all_that_hung_on_it(
    caller: Caller, box: SandboxProcess, control: Post, receiver: Receiver
) -> None:
    caller.create()
    assert caller.save(request_body("Ana Ortiz") | {"settlementMethod": "BAKKT_TPJ"}).status_code == 200
    key = upload(caller, "PASSPORT").json()["request"]["clientDocumentId"]
    run = box.api("POST", "stories/manual_review_then_active/run", {"clientAccountId": "acc-1", "speed": 1})
    assert control("accounts/acc-1", "DELETE").status_code == 200
    assert caller.get(f"{V2}/accounts/acc-1").status_code == 404
    assert caller.get(f"{V2}/documents/{key}").status_code == 404
    assert [r["state"] for r in box.state()["runs"] if r["id"] == run["id"]] == ["stopped"]
    box.api("POST", "clock/advance", {"seconds": 7 * 86400})
    box.flush()
    assert receiver.got == []
    assert control("accounts/acc-1", "DELETE").status_code == 404
    assert caller.create()["status"] == "PENDING", "the key can be used anew"


def test_an_account_nobody_asked_for(caller: Caller, control: Post, receiver: Receiver) -> None:
    made = control("accounts", person="cora", clientAccountId="stray-1")
    assert made.status_code == 200
    account = caller.get(f"{V2}/accounts/stray-1").json()
    assert account == made.json()
    assert (account["status"], account["request"]["accountType"]) == ("COMPLETE", "CUSTODIAL")
    assert caller.status("stray-1")["canTradeCrypto"] is True
    assert receiver.got == []
    assert control("accounts", clientAccountId="stray-1").status_code == 409
    assert control("accounts", person="nobody").status_code == 400
    assert control("accounts", request={"accountType": "INDIVIDUAL"}).status_code == 400
    whole = control("accounts", request=body_of("ella"), clientAccountId="stray-2").json()
    assert whole["request"] == body_of("ella") | {"clientAccountId": "stray-2"}
    keys = {control("accounts").json()["request"]["clientAccountId"] for _ in range(2)}
    assert len(keys) == 2


@pytest.mark.parametrize(("outcome", "phone"), [("accepted", "+15125550199"), ("rejected", "+15125550142")])
def test_a_tester_ends_a_review(
    caller: Caller, box: SandboxProcess, control: Post, outcome: str, phone: str
) -> None:
    body = opened(caller, box, "Update Waits")
    call(body, caller, "+15125550199")
    assert control("accounts/acc-1/end-update", outcome="perhaps").status_code == 400
    assert control("accounts/acc-1/end-update", outcome=outcome, id="other").status_code == 409
    assert control("accounts/acc-1/end-update", outcome=outcome).status_code == 200
    assert shown(caller) == (phone, 0)
    assert control("accounts/acc-1/end-update", outcome=outcome).status_code == 409


def test_reviews_end_in_any_order(caller: Caller, box: SandboxProcess, control: Post) -> None:
    body = opened(caller, box, "Update Waits")
    call(body, caller, "+15125550101")
    call(body, caller, "+15125550102")
    first, second = caller.get(f"{V2}/accounts/acc-1").json()["pendingUpdateIds"]
    control("accounts/acc-1/end-update", outcome="rejected", id=first)
    assert shown(caller) == ("+15125550102", 1)
    control("accounts/acc-1/end-update", outcome="rejected", id=second)
    assert shown(caller) == ("+15125550142", 0)
    call(body, caller, "+15125550103")
    call(body, caller, "+15125550104")
    newest = caller.get(f"{V2}/accounts/acc-1").json()["pendingUpdateIds"][1]
    control("accounts/acc-1/end-update", outcome="accepted", id=newest)
    assert shown(caller) == ("+15125550104", 0), "the accepted one is complete and takes the earlier with it"


def test_the_providers_own_calls_do_not_list_accounts(caller: Caller) -> None:
    caller.create()
    assert caller.session.get(f"{caller.box.url}{V2}/accounts", timeout=5).status_code == 405


@pytest.mark.parametrize("reason", ["ENROLLMENT", "OTHER", "MAX_ACH_RETURNS", "NOBODY_KNOWS"])
@pytest.mark.parametrize("status", ["ACTIVE", "SUSPENDED", "CLOSED", "NO_SUCH_WORD"])
def test_any_pair_is_sent(
    caller: Caller, box: SandboxProcess, control: Post, receiver: Receiver, status: str, reason: str
) -> None:
    caller.create()
    assert control("accounts/acc-1/event", partyStatus=status, reasonCode=reason).status_code == 200
    assert receiver.wait(1)[0].words == (status, reason)


def test_the_page_has_these_controls_too(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    body = opened(caller, box, "Update Waits")
    call(body, caller, "+15125550199")
    caller.save(body_of("ella", "acc-2"))
    browser = requests.Session()
    page = browser.get(f"{box.url}/", timeout=5).text
    for words in (
        "the stand-in's copy",
        "before KYB screening: CERTIFICATE",
        "Example Works LLC",
        "in review",
    ):
        assert words in page
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    def press(deed: str, **fields: str) -> str:
        data = {**fields, "csrfmiddlewaretoken": token}
        return browser.post(f"{box.url}/do/{deed}", data=data, headers={"Referer": box.url}, timeout=15).text

    (update,) = box.account("acc-1")["pendingUpdates"]
    press("end-update", ref="acc-1", id=update["id"], outcome="rejected")
    assert shown(caller) == ("+15125550142", 0)
    press("drift", ref="acc-1", path=PHONE, value="+15125550111")
    assert shown(caller)[0] == "+15125550111", "a value that is no JSON is text"
    press("drift", ref="acc-1", path="owners[0].identity.employment.yearsEmployed", value="9")
    press("drift", ref="acc-1", path="owners[0].identity.taxIdCountry", value='"USA"')
    identity = caller.get(f"{V2}/accounts/acc-1").json()["request"]["owners"][0]["identity"]
    assert (identity["employment"]["yearsEmployed"], identity["taxIdCountry"]) == (9, "USA")
    assert "Not done" in press("drift", ref="acc-1", path=PHONE, value="nobody knows")
    press("event", ref="acc-1", partyStatus="SUSPENDED", reasonCode="OTHER")
    assert receiver.wait(2)[1].words == ("SUSPENDED", "OTHER")
    press("delete-account", ref="acc-1")
    press("open-account", person="tess", clientAccountId="")
    names = {account["name"] for account in box.state()["accounts"]}
    assert names == {"Ella Entity", "Tess Trustee"}
