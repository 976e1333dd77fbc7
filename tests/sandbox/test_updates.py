"""An update is reviewed: submitted data show at once, and stay or go when the review ends."""

import uuid
from typing import Any

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body

ACTIVE = ("ACTIVE", "ENROLLMENT")


def opened(caller: Caller, box: SandboxProcess, name: str = "Ana Ortiz") -> dict[str, Any]:
    """An enrolled account; its body."""
    caller.create(name)
    box.flush()
    return request_body(name)


def shown(caller: Caller) -> tuple[str, int]:
    """Phone number and count of reviews as the provider shows them."""
    account = caller.get(f"{V2}/accounts/acc-1").json()
    for update in account["pendingUpdateIds"]:
        uuid.UUID(update)
    return account["request"]["owners"][0]["phoneNumber"], len(account["pendingUpdateIds"])


def call(body: dict[str, Any], caller: Caller, number: str) -> None:
    """Save the body with another phone number."""
    body["owners"][0]["phoneNumber"] = number
    assert caller.save(body).status_code == 200


def test_an_accepted_update_stays_and_brings_no_event(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    body = opened(caller, box)
    call(body, caller, "+15125550199")
    assert shown(caller) == ("+15125550199", 1)
    call(body, caller, "+15125550199")
    assert shown(caller) == ("+15125550199", 1), "the same body again is no second update"
    box.api("POST", "clock/advance", {"seconds": 499})
    assert shown(caller)[1] == 1
    box.api("POST", "clock/advance", {"seconds": 2})
    assert shown(caller) == ("+15125550199", 0)
    box.flush()
    assert [hook.words for hook in receiver.got] == [ACTIVE]


def test_a_refused_update_goes_and_may_be_sent_again(caller: Caller, box: SandboxProcess) -> None:
    body = opened(caller, box, "Update Refused")
    call(body, caller, "+15125550199")
    assert shown(caller) == ("+15125550199", 1)
    box.flush()
    assert shown(caller) == ("+15125550142", 0)
    call(body, caller, "+15125550199")
    assert shown(caller) == ("+15125550199", 1)


def test_two_refused_updates_go_back_to_the_first_data(caller: Caller, box: SandboxProcess) -> None:
    body = opened(caller, box, "Update Refused")
    call(body, caller, "+15125550101")
    call(body, caller, "+15125550102")
    assert shown(caller) == ("+15125550102", 2)
    box.flush()
    assert shown(caller) == ("+15125550142", 0)


def test_a_new_name_is_screened_when_its_update_is_accepted(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    opened(caller, box)
    assert caller.save(request_body("Maggic Dawn")).status_code == 200
    assert box.account("acc-1")["partyStatus"] == "ACTIVE"
    box.api("POST", "clock/advance", {"seconds": 501})
    assert [hook.words for hook in receiver.wait(2)] == [ACTIVE, ("INACTIVE", "RISK_KYC")]


def test_a_refused_new_name_is_not_screened(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    opened(caller, box)
    assert caller.save(request_body("Update Refused")).status_code == 200
    box.flush()
    assert box.account("acc-1")["name"] == "Ana Ortiz"
    assert [hook.words for hook in receiver.got] == [ACTIVE]


def test_an_update_that_waits_is_not_ended_by_time(caller: Caller, box: SandboxProcess) -> None:
    body = opened(caller, box, "Update Waits")
    call(body, caller, "+15125550199")
    box.api("POST", "clock/advance", {"seconds": 86400})
    box.flush()
    assert shown(caller) == ("+15125550199", 1)


def test_faults_strike_an_update_too(caller: Caller, box: SandboxProcess) -> None:
    body = opened(caller, box)
    body["owners"][0]["phoneNumber"] = "+15125550199"
    box.fault("500_before", "save_account")
    assert caller.save(body).status_code == 500
    assert shown(caller) == ("+15125550142", 0)
    box.fault("500_after", "save_account")
    assert caller.save(body).status_code == 500
    assert shown(caller) == ("+15125550199", 1)
    call(body, caller, "+15125550199")
    assert shown(caller) == ("+15125550199", 1), "repeating after the lost answer changed nothing"
