"""The account-opening family keeps its contract (bakkt-partner.md, section 4)."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body

Change = Callable[[dict[str, Any]], None]


def identity(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["owners"][0]["identity"]
    return found


def test_login_gives_a_token_and_refuses_the_wrong_user(box: SandboxProcess) -> None:
    good = requests.post(f"{box.url}{V2}/login", json={"logonId": "", "password": ""}, timeout=5)
    bad = requests.post(f"{box.url}{V2}/login", json={"logonId": "wrong", "password": "x"}, timeout=5)
    none = requests.post(f"{box.url}{V2}/login", json={}, timeout=5)
    assert good.status_code == 200
    assert set(good.json()) == {"token"}
    assert (bad.status_code, bad.json()["code"]) == (401, 401)
    assert none.status_code == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{V2}/config"),
        ("POST", f"{V2}/accounts"),
        ("GET", f"{V2}/accounts/x"),
        ("GET", f"{V2}/accounts/x/status"),
        ("POST", f"{V2}/accounts/triggerKYBScreening/x"),
        ("POST", f"{V2}/accounts/kycTransferRecovery/x"),
        ("POST", f"{V2}/accounts/settlementMethod/update"),
        ("POST", f"{V2}/documents"),
        ("GET", f"{V2}/documents/x"),
        ("GET", f"{V2}/documents/x/metadata"),
        ("GET", f"{V2}/documents/x/accountDocumentMetadata"),
        ("GET", f"{V2}/jurisdictions/all"),
        ("GET", f"{V2}/jurisdictions"),
    ],
)
def test_calls_need_a_bearer_token(box: SandboxProcess, method: str, path: str) -> None:
    for header in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "made-up"}):
        answer = requests.request(method, box.url + path, headers=header, json={}, timeout=5)
        assert answer.status_code == 401
        assert answer.json() == {"code": 401, "message": "Unauthorized"}


def test_status_needs_no_token(box: SandboxProcess) -> None:
    answer = requests.get(f"{box.url}/apex-crypto/api/status", timeout=5)
    assert (answer.status_code, answer.json()) == (200, "ok")


def test_tokens_are_revoked_and_expire(box: SandboxProcess, caller: Caller) -> None:
    assert caller.get(f"{V2}/config").status_code == 200
    assert box.api("POST", "tokens/revoke") == {"revoked": 1}
    assert caller.get(f"{V2}/config").status_code == 401
    box.api("POST", "settings", {"token_seconds": 0})
    caller.log_in()
    assert caller.get(f"{V2}/config").status_code == 401


def test_create_answers_at_once_and_is_readable(caller: Caller, box: SandboxProcess) -> None:
    account = caller.create()
    assert account["request"] == request_body()
    assert (account["status"], account["mode"]) == ("PENDING", "LOCKED")
    assert account["createdAt"].endswith("Z")
    uuid.UUID(account["id"])
    assert caller.get(f"{V2}/accounts/acc-1").json() == account
    assert caller.status()["canTradeCrypto"] is False
    box.flush()
    assert caller.get(f"{V2}/accounts/acc-1").json()["status"] == "COMPLETE"
    status = caller.status()
    assert status == {
        "canTradeCrypto": True,
        "cipClearanceState": "ACCEPTED",
        "settlementMethod": "NET_SETTLEMENT",
    }


def test_unknown_account_is_an_error(caller: Caller) -> None:
    for path in ("nobody", "nobody/status"):
        answer = caller.get(f"{V2}/accounts/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_same_body_again_is_the_same_answer_and_no_second_event(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    first = caller.create()
    assert caller.create() == first
    box.flush()
    again = caller.create()
    box.flush()
    assert (again["id"], again["createdAt"]) == (first["id"], first["createdAt"])
    assert [hook.words for hook in receiver.got] == [("ACTIVE", "ENROLLMENT")]


def change_at(path: str, value: Any) -> Change:
    """Sets what stands at the dotted path; None removes it."""

    def change(body: dict[str, Any]) -> None:
        *steps, last = path.split(".")
        spot: Any = body
        for step in steps:
            spot = spot[int(step) if step.isdigit() else step]
        if value is None:
            spot.pop(last)
        else:
            spot[last] = value

    return change


HOME = "owners.0.identity.personalAddress"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        (change_at("accountType", None), "accountType", 602),
        (change_at("accountType", "COMPANY"), "accountType", 603),
        (change_at("investmentProfile", None), "investmentProfile", 602),
        (change_at("investmentProfile.accountGoals.investmentObjective", "FUN"), "investmentObjective", 603),
        (
            change_at("investmentProfile.customerProfile.annualIncomeRangeUsd", None),
            "annualIncomeRangeUsd",
            602,
        ),
        (change_at("owners", []), "owners", 602),
        (change_at("owners.0.role", "TRUSTEE"), "owners[0].role", 606),
        (change_at("owners.0.role", "BOSS"), "owners[0].role", 603),
        (change_at("owners.0.emailAddress", "ana"), "owners[0].emailAddress", 601),
        (change_at("owners.0.phoneNumber", "512-555-0142"), "owners[0].phoneNumber", 601),
        (change_at("owners.0.phoneNumber", None), "owners[0].phoneNumber", 602),
        (change_at("owners.0.agreements", []), "owners[0].agreements", 602),
        (change_at("owners.0.nickname", "A"), "owners[0].nickname", 604),
        (change_at("surprise", 1), "surprise", 604),
        (change_at("owners.0.identity.givenName", "A\x00na"), "givenName", 601),
        (change_at("owners.0.identity.givenName", "x" * 10_000), "givenName", 601),
        (change_at("clientAccountId", "acc-\ud800"), "clientAccountId", 601),
        (change_at("owners.0.identity.givenName", 7), "givenName", 601),
        (change_at("owners.0.identity.dateOfBirth", "12.04.1988"), "dateOfBirth", 601),
        (change_at("owners.0.identity.dateOfBirth", "2988-04-12"), "dateOfBirth", 601),
        (change_at("owners.0.identity.taxId", None), "taxId", 602),
        (change_at("owners.0.identity.taxId", "12345"), "taxId", 601),
        (change_at("owners.0.identity.taxIdType", "PASSPORT"), "taxIdType", 603),
        (change_at("owners.0.identity.taxIdType", "NATIONAL_ID"), "taxIdCountry", 602),
        (change_at("owners.0.identity.employment.employerAddress", None), "employerAddress", 602),
        (change_at(f"{HOME}.country", "US"), "personalAddress.country", 603),
        (change_at(f"{HOME}.country", "ZZZ"), "personalAddress.country", 603),
        (change_at(f"{HOME}.postalCode", None), "personalAddress.postalCode", 602),
        (change_at(f"{HOME}.postalCode", "ABC"), "personalAddress.postalCode", 601),
        (change_at(f"{HOME}.state", "Texas"), "personalAddress.state", 603),
        (change_at(f"{HOME}.streetAddress", []), "personalAddress.streetAddress", 602),
    ],
)
def test_wrong_fields_are_named(caller: Caller, change: Change, field: str, code: int) -> None:
    body = request_body()
    change(body)
    answer = caller.save(body)
    assert answer.status_code == 422
    problems = answer.json()["validationErrors"]
    assert (code, True) in [(p["code"], p["field"].endswith(field)) for p in problems], problems
    assert caller.get(f"{V2}/accounts/acc-1").status_code == 404, "nothing was stored"


def test_all_failures_come_at_once(caller: Caller) -> None:
    body = request_body()
    body["accountType"] = "X"
    identity(body)["taxIdType"] = "Y"
    del body["owners"][0]["emailAddress"]
    refusal = caller.save(body).json()
    assert refusal["code"] == 422
    assert refusal["message"] == "3 validations failed"
    by_field = {p["field"]: p for p in refusal["validationErrors"]}
    assert set(by_field) == {"accountType", "owners[0].emailAddress", "owners[0].identity.taxIdType"}
    assert by_field["accountType"]["rejectedValue"] == "X"


def test_bodies_that_are_no_object_are_refused(caller: Caller) -> None:
    assert caller.save([]).status_code == 422  # type: ignore[arg-type]
    assert (
        caller.post(f"{V2}/accounts", data="{", headers={"Content-Type": "application/json"}).status_code
        == 400
    )


def test_person_without_employer_is_taken_unless_the_setting_says_no(
    caller: Caller, box: SandboxProcess
) -> None:
    body = request_body()
    del identity(body)["employment"]
    box.api("POST", "settings", {"employment_required": True})
    assert caller.save(body).json()["validationErrors"][0]["field"] == "owners[0].identity.employment"
    box.api("POST", "settings", {"employment_required": False})
    assert caller.save(body).status_code == 200


def test_who_migrates_may_leave_out_what_new_accounts_need(caller: Caller, box: SandboxProcess) -> None:
    body = request_body()
    del body["investmentProfile"], body["owners"][0]["phoneNumber"]
    refused = {one["field"] for one in caller.save(body).json()["validationErrors"]}
    assert refused == {"investmentProfile", "owners[0].phoneNumber"}
    box.api("POST", "settings", {"migrating": True})
    del body["owners"][0]["emailAddress"]
    assert [one["field"] for one in caller.save(body).json()["validationErrors"]] == [
        "owners[0].emailAddress"
    ]
    body["owners"][0]["emailAddress"] = "ana@example.test"
    assert caller.save(body).status_code == 200
    box.api("POST", "settings", {"migrating": False})


def test_foreign_customers_need_no_tax_id(caller: Caller) -> None:
    body = request_body("Zoë Müller")
    london = {"streetAddress": ["1 Low Road"], "city": "London", "country": "GBR"}
    identity(body)["personalAddress"] = london
    for name in ("taxId", "taxIdType"):
        del identity(body)[name]
    assert caller.save(body).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (change_at("accountType", "CUSTODIAL"), "accountType"),
        (change_at("owners.0.identity.dateOfBirth", "1990-01-01"), "owners[0].identity.dateOfBirth"),
        (change_at("owners.0.identity.taxId", "900-70-9999"), "owners[0].identity.taxId"),
    ],
)
def test_restricted_fields_do_not_change(caller: Caller, change: Change, field: str) -> None:
    before = caller.create()
    body = request_body()
    change(body)
    answer = caller.save(body)
    assert answer.status_code == 422
    assert [(p["code"], p["field"]) for p in answer.json()["validationErrors"]] == [(605, field)]
    assert caller.get(f"{V2}/accounts/acc-1").json()["request"] == before["request"]


def test_a_sole_owner_stays_the_same_person_under_another_key(caller: Caller) -> None:
    body = request_body()
    body["owners"][0]["clientOwnerId"] = "own-1"
    assert caller.save(body).status_code == 200
    body["owners"][0]["clientOwnerId"] = "own-2"
    identity(body)["taxId"] = "900-70-9999"
    refusal = caller.save(body)
    assert [p["field"] for p in refusal.json()["validationErrors"]] == ["owners[0].identity.taxId"]


def test_update_keeps_the_account_and_a_new_name_is_screened_again(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    first = caller.create("Maggic Dawn")
    box.flush()
    body = request_body("Maggie Dawson")
    updated = caller.save(body).json()
    assert updated["id"] == first["id"]
    assert len(updated["pendingUpdateIds"]) == 1
    box.flush()
    assert [hook.words for hook in receiver.got] == [("INACTIVE", "RISK_KYC"), ("ACTIVE", "ENROLLMENT")]
    body["owners"][0]["phoneNumber"] = "+15125550199"
    assert caller.save(body).status_code == 200
    box.flush()
    assert len(receiver.got) == 2, "a new phone number alone brings no event"


def test_the_request_log_holds_no_numbers_or_birth_dates(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    body = request_body("900-70-4444 Ortiz", "acc-2")
    body["birthday 1977-05-05"] = "1977-05-05"
    body["ssn"] = "900704444"
    identity(body)["taxId"] = "900-70-444"
    caller.save(body)
    caller.get(f"{V2}/accounts/900704444")
    logged = str(box.state()["requests"])
    assert "save_account" in logged
    assert "Ana" in str(box.state()["accounts"])
    for secret in ("900-70", "900704444", "1988-04-12", "1977-05-05", "Bearer", "example.com", "pw'"):
        assert secret not in logged
