"""An entity gets its verdict after KYB screening, and that needs its papers (contract, 4.4; papers.py)."""

from typing import Any

import pytest

from sandbox.bakkt import papers, validation
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body
from tests.sandbox.papers import upload, upload_all
from tests.sandbox.test_account_types import body_of

ACTIVE = ("ACTIVE", "ENROLLMENT")


def trigger(caller: Caller, ref: str = "acc-1") -> tuple[int, Any]:
    answer = caller.post(f"{V2}/accounts/triggerKYBScreening/{ref}")
    return answer.status_code, answer.json()


def lacking(caller: Caller) -> str:
    """What the refusal of the trigger names."""
    status, body = trigger(caller)
    assert (status, body["code"]) == (400, 400)
    words: str = body["message"]
    return words


@pytest.mark.parametrize("person", ["ella", "tess"])
def test_no_verdict_before_screening_and_one_after(
    caller: Caller, box: SandboxProcess, receiver: Receiver, person: str
) -> None:
    body = body_of(person)
    assert caller.save(body).status_code == 200
    box.api("POST", "clock/advance", {"seconds": 30 * 86400})
    box.flush()
    assert receiver.got == []
    assert caller.status()["canTradeCrypto"] is False
    upload_all(caller, body)
    assert trigger(caller) == (200, "success")
    assert trigger(caller) == (200, "success"), "a repeat changes nothing"
    box.flush()
    assert [hook.words for hook in receiver.got] == [ACTIVE]
    assert caller.status()["canTradeCrypto"] is True


def test_the_refusal_names_what_is_missing(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    body = body_of("ella")
    caller.save(body)
    words = lacking(caller)
    assert "CERTIFICATE_OF_INCORPORATION or ENTITY_DUE_DILIGENCE" in words
    assert "CERTIFICATE_OF_BENEFICIAL_OWNERS" in words
    assert "owners[0]" in words
    assert "owners[1]" in words
    upload(caller, "CERTIFICATE_OF_INCORPORATION")
    upload(caller, "PASSPORT", clientOwnerId="acc-1-1")
    words = lacking(caller)
    assert "INCORPORATION" not in words
    assert "owners[0]" not in words
    upload(caller, "CERTIFICATE_OF_BENEFICIAL_OWNERS")
    upload(caller, "DRIVERS_LICENSE", clientOwnerId="acc-1-2")
    assert "both sides" in lacking(caller)
    box.flush()
    assert receiver.got == []
    upload(caller, "DRIVERS_LICENSE", clientOwnerId="acc-1-2", documentSide="BACK")
    assert trigger(caller) == (200, "success")


def test_an_expired_paper_does_not_count(caller: Caller, box: SandboxProcess) -> None:
    body = body_of("tess")
    caller.save(body)
    upload(caller, "TRUST_CERTIFICATION")
    upload(caller, "PASSPORT", clientOwnerId="acc-1-1", documentExpiration="2020-01-01T00:00:00Z")
    assert "owners[0]" in lacking(caller)
    upload(caller, "PASSPORT", clientOwnerId="acc-1-1", documentExpiration="2099-01-01T00:00:00Z")
    assert trigger(caller) == (200, "success")


def test_a_trust_needs_its_certification(caller: Caller) -> None:
    body = body_of("ella")
    body["entity"]["entityType"] = "TRUST"
    caller.save(body)
    assert "TRUST_CERTIFICATION" in lacking(caller)
    upload_all(caller, body)
    assert trigger(caller) == (200, "success")


@pytest.mark.parametrize("person", ["stella", "cora"])
def test_people_have_no_kyb_screening(caller: Caller, person: str) -> None:
    caller.save(body_of(person))
    assert trigger(caller)[0] == 400
    assert trigger(caller, "nobody")[0] == 404


def test_a_name_decides_for_an_entity_too(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    body = body_of("ella")
    body["owners"][0]["identity"] |= {"givenName": "Block", "familyName": "Block"}
    caller.save(body)
    upload_all(caller, body)
    trigger(caller)
    box.flush()
    assert [hook.words for hook in receiver.got] == [("INACTIVE", "RISK_OFAC")]


def test_a_custodial_account_needs_no_screening(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    caller.save(body_of("cora"))
    box.flush()
    assert [hook.words for hook in receiver.got] == [ACTIVE]


@pytest.mark.parametrize(("kind", "screened"), [("500_before", False), ("500_after", True)])
def test_faults_strike_the_trigger(caller: Caller, box: SandboxProcess, kind: str, screened: bool) -> None:
    body = body_of("ella")
    caller.save(body)
    upload_all(caller, body)
    box.fault(kind, "trigger_kyb")
    assert trigger(caller)[0] == 500
    assert (box.account("acc-1")["next"] is not None) is screened


def test_the_verdict_may_come_before_the_answer(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    body = body_of("ella")
    caller.save(body)
    upload_all(caller, body)
    box.fault("webhook_early")
    assert trigger(caller) == (200, "success")
    assert [hook.words for hook in receiver.got] == [ACTIVE]
    box.flush()
    assert len(receiver.got) == 1


def test_every_published_type_has_its_place() -> None:
    groups = (papers.OF_ENTITY, papers.OF_OWNER, papers.OF_EITHER)
    assert sum(len(group) for group in groups) == len(papers.TYPES) == 19
    needed = {kind for kinds in (*papers.NEEDED_OF_COMPANY, *papers.NEEDED_OF_TRUST) for kind in kinds}
    assert needed <= papers.OF_ENTITY
    assert set(papers.NEEDED_OF_OWNER) <= papers.OF_OWNER
    assert validation.ENTITY_ACCOUNTS is papers.ENTITY_ACCOUNTS


RECOVER = f"{V2}/accounts/kycTransferRecovery/acc-1"


def test_a_shared_result_is_imported_again(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    caller.create("Maggic Dawn")
    box.flush()
    answer = caller.post(RECOVER, json={"shareToken": "share-1"})
    assert (answer.status_code, answer.json()) == (200, "success")
    box.flush()
    assert [hook.words for hook in receiver.got] == [("INACTIVE", "RISK_KYC")] * 2
    caller.create("Ana Ortiz", "acc-2")
    box.flush()
    again = caller.post(RECOVER.replace("acc-1", "acc-2"), json={"shareToken": "share-1"})
    assert again.json() == "success"
    box.flush()
    assert len(receiver.got) == 3, "who is enrolled is not screened again"
    assert "share-1" not in str(box.state())


@pytest.mark.parametrize(
    ("body", "code"), [({}, 602), ({"shareToken": 1}, 601), ({"shareToken": "wrong"}, 606), ({"x": 1}, 604)]
)
def test_a_recovery_is_refused(caller: Caller, body: dict[str, Any], code: int) -> None:
    caller.create()
    answer = caller.post(RECOVER, json=body)
    assert answer.status_code == 422
    assert answer.json()["validationErrors"][0]["code"] == code
    assert caller.post(RECOVER.replace("acc-1", "x"), json={"shareToken": "s"}).status_code == 404
    caller.save(body_of("ella", "acc-3"))
    assert caller.post(RECOVER.replace("acc-1", "acc-3"), json={"shareToken": "s"}).status_code == 400


SETTLE = f"{V2}/accounts/settlementMethod/update"


def test_the_settlement_method_changes_for_who_is_enrolled(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    wish = {"accountId": "acc-1", "settlementMethod": "BAKKT_TPJ"}
    assert caller.post(SETTLE, json=wish).json() == {"request": wish, "status": "FAILED"}
    assert caller.status()["settlementMethod"] == "NET_SETTLEMENT"
    box.flush()
    answer = caller.post(SETTLE, json=wish)
    assert (answer.status_code, answer.json()) == (200, {"request": wish, "status": "COMPLETE"})
    assert caller.status()["settlementMethod"] == "BAKKT_TPJ"


def test_a_refused_update_leaves_the_settlement_method(caller: Caller, box: SandboxProcess) -> None:
    caller.create("Update Refused")
    box.flush()
    body = request_body("Update Refused")
    body["owners"][0]["phoneNumber"] = "+15125550199"
    assert caller.save(body).status_code == 200
    caller.post(SETTLE, json={"accountId": "acc-1", "settlementMethod": "BAKKT_TPJ"})
    box.flush()
    request = caller.get(f"{V2}/accounts/acc-1").json()["request"]
    assert (request["settlementMethod"], request["owners"][0]["phoneNumber"]) == ("BAKKT_TPJ", "+15125550142")


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"accountId": "acc-1"}, 422),
        ({"settlementMethod": "BAKKT_TPJ"}, 422),
        ({"accountId": "acc-1", "settlementMethod": "NO_SETTLEMENT"}, 422),
        ({"accountId": "nobody", "settlementMethod": "BAKKT_TPJ"}, 404),
    ],
)
def test_a_settlement_change_is_refused(caller: Caller, wish: dict[str, str], status: int) -> None:
    caller.create()
    answer = caller.post(SETTLE, json=wish)
    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert ("validationErrors" in answer.json()) is (status == 422)
