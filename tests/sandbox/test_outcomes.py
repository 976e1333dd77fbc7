"""Test names bring their outcomes, and reads agree with what was said."""

import pytest

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver

ACTIVE = ("ACTIVE", "ENROLLMENT")


@pytest.mark.parametrize(
    ("name", "expected", "request_status"),
    [
        ("Ana Ortiz", [ACTIVE], "COMPLETE"),
        ("Maggic Dawn", [("INACTIVE", "RISK_KYC")], "REJECTED"),
        ("block block", [("INACTIVE", "RISK_OFAC")], "REJECTED"),
        ("BLOCK Block", [("INACTIVE", "RISK_OFAC")], "REJECTED"),
        ("Review Manual", [("UNDER_REVIEW", "PENDING_REVIEW"), ACTIVE], "COMPLETE"),
        ("Suspend Later", [ACTIVE, ("SUSPENDED", "COMPLIANCE_LOCKED")], "COMPLETE"),
        ("Returns Later", [ACTIVE, ("SUSPENDED", "MAX_ACH_RETURNS")], "COMPLETE"),
        ("Liquidate Later", [ACTIVE, ("LIQUIDATED", "LIQUIDATE_ACCOUNT")], "COMPLETE"),
        ("Close Later", [ACTIVE, ("CLOSED", "CLOSED")], "COMPLETE"),
        ("Taxid Retries", [("INACTIVE", "TAX_ID_MAX_RETRIES")], "REJECTED"),
        ("Unknown Word", [("HIBERNATING", "FULL_MOON")], "IN_PROGRESS"),
    ],
)
def test_outcome_of_a_name(
    caller: Caller,
    box: SandboxProcess,
    receiver: Receiver,
    name: str,
    expected: list[tuple[str, str]],
    request_status: str,
) -> None:
    caller.create(name)
    for _ in expected:
        box.flush()
    assert [hook.words for hook in receiver.got] == expected
    assert {hook.path for hook in receiver.got} == {"/webhooks/bakkt/s3cret-path/"}
    for hook in receiver.got:
        assert set(hook.body) == {
            "requestId",
            "partnerPartyRef",
            "partnerWebhookType",
            "partyStatus",
            "reasonCode",
        }
        assert (hook.body["partnerPartyRef"], hook.body["partnerWebhookType"]) == ("acc-1", "PARTY_EVENT")
    assert caller.get(f"{V2}/accounts/acc-1").json()["status"] == request_status
    # A liquidated party may still sell and withdraw; only webhooks tell that it may not buy.
    assert caller.status()["canTradeCrypto"] is (expected[-1][0] in ("ACTIVE", "LIQUIDATED"))


def test_the_second_outcome_waits_its_time(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    caller.create("Review Manual")
    box.api("POST", "clock/advance", {"seconds": 501})
    receiver.wait(1)
    assert caller.status()["canTradeCrypto"] is False
    assert caller.get(f"{V2}/accounts/acc-1").json()["status"] == "IN_PROGRESS"
    box.api("POST", "clock/advance", {"seconds": 30})
    assert [hook.words for hook in receiver.wait(2)][1] == ACTIVE


def test_silent_name_is_active_and_nobody_is_told(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    caller.create("Silent Never")
    assert caller.status()["canTradeCrypto"] is False
    box.flush()
    assert caller.status()["canTradeCrypto"] is True
    assert receiver.got == []


def test_an_event_by_hand_replaces_what_was_planned(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    caller.create()
    box.api("POST", "accounts/acc-1/event", {"partyStatus": "CLOSED", "reasonCode": "CLOSED", "extra": 1})
    box.flush()
    assert [hook.words for hook in receiver.got] == [("CLOSED", "CLOSED")]
    assert receiver.got[0].body["extra"] == 1
    assert box.account("acc-1")["partyStatus"] == "CLOSED"


def test_a_fiat_event_has_the_assumed_fields(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    caller.create()
    box.api(
        "POST",
        "accounts/acc-1/event",
        {"type": "FIAT_EVENT", "transactionStatus": "RETURNED", "reasonCode": "R01"},
    )
    (hook,) = receiver.wait(1)
    assert hook.body["partnerWebhookType"] == "FIAT_EVENT"
    assert (hook.body["transactionStatus"], hook.body["reasonCode"]) == ("RETURNED", "R01")
