"""Each fault does what its name says, as often as asked, where asked."""

import time
from typing import Any

import pytest
import requests

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body


def exists(caller: Caller) -> bool:
    return caller.get(f"{V2}/accounts/acc-1").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "effect"),
    [
        ("500_before", 500, False),
        ("500_after", 500, True),
        ("502_html", 502, False),
        ("401", 401, False),
        ("403", 403, False),
        ("409", 409, False),
        ("429", 429, False),
        ("nonsense", 200, True),
    ],
)
def test_wrong_answers(caller: Caller, box: SandboxProcess, kind: str, status: int, effect: bool) -> None:
    box.fault(kind, "save_account")
    answer = caller.save(request_body())
    assert answer.status_code == status
    assert exists(caller) is effect
    assert caller.save(request_body()).status_code == 200, "it struck once"


def test_bodies_of_faults(caller: Caller, box: SandboxProcess) -> None:
    box.fault("429", seconds=7)
    answer = caller.get(f"{V2}/config")
    assert (answer.headers["Retry-After"], answer.json()["code"]) == ("7", 429)
    box.fault("502_html")
    assert caller.get(f"{V2}/config").text.startswith("<!doctype html>")
    box.fault("nonsense")
    with pytest.raises(ValueError, match="Expecting value"):
        caller.get(f"{V2}/config").json()


def test_the_partner_family_has_its_own_error_body(box: SandboxProcess) -> None:
    box.fault("500_before", "heartbeat")
    box.fault("429", "partner_token", seconds=3)
    broken = requests.post(f"{box.url}/partner/v1/heartbeat", json={}, timeout=5)
    assert (broken.status_code, set(broken.json())) == (500, {"type", "detail", "description", "details"})
    busy = requests.post(f"{box.url}/partner/v1/oauth2/token", timeout=5)
    assert (busy.status_code, busy.headers["Retry-After"], "type" in busy.json()) == (429, "3", True)


@pytest.mark.parametrize(("kind", "effect"), [("drop_before", False), ("drop_after", True)])
def test_dropped_connections(caller: Caller, box: SandboxProcess, kind: str, effect: bool) -> None:
    box.fault(kind, "save_account")
    with pytest.raises(requests.ConnectionError):
        caller.save(request_body())
    assert exists(caller) is effect
    assert [line["status"] for line in box.state()["requests"] if line["operation"] == "save_account"] == [
        "dropped"
    ]


def test_hanging_never_answers_and_clearing_lets_go(caller: Caller, box: SandboxProcess) -> None:
    box.fault("hang", "config", count=None, seconds=60)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{box.url}{V2}/config", timeout=0.3)
    box.api("DELETE", "faults")
    assert caller.get(f"{V2}/config").status_code == 200
    box.fault("hang", "config", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        caller.get(f"{V2}/config")


def test_delay_answers_later_and_goes_with_another_fault(caller: Caller, box: SandboxProcess) -> None:
    box.fault("delay", "config", seconds=0.4)
    box.fault("500_after", "config")
    began = time.monotonic()
    assert caller.get(f"{V2}/config").status_code == 500
    assert time.monotonic() - began >= 0.4


def test_scope_count_and_until_off(caller: Caller, box: SandboxProcess) -> None:
    box.fault("500_before", "config", count=2)
    assert caller.status("x")["code"] == 404, "another call is untouched"
    assert [caller.get(f"{V2}/config").status_code for _ in range(3)] == [500, 500, 200]
    fault = box.fault("403", count=None)
    assert [caller.get(f"{V2}/config").status_code for _ in range(5)] == [403] * 5
    box.api("DELETE", f"faults/{fault['id']}")
    assert caller.get(f"{V2}/config").status_code == 200
    assert box.state()["faults"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "flood"},
        {"kind": "401", "count": 0},
        {"kind": "401", "odd": 1},
        {"kind": "401", "after_effect": "false"},
        {"kind": "401", "operation": "logn"},
        {},
    ],
)
def test_faults_that_make_no_sense_are_refused(box: SandboxProcess, wrong: dict[str, Any]) -> None:
    answer = requests.post(f"{box.url}/sandbox/api/faults", json=wrong, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert box.state()["faults"] == []


def test_webhook_duplicate(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_duplicate", times=10)
    caller.create()
    box.flush()
    assert len({hook.text for hook in receiver.wait(10)}) == 1
    assert len(receiver.got) == 10


def test_webhook_unsigned(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_unsigned")
    caller.create()
    box.flush()
    assert receiver.wait(1)[0].path == "/webhooks/bakkt/not-the-secret/"


def test_webhook_lost(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_lost")
    caller.create()
    box.flush()
    assert receiver.got == []
    assert [hook["state"] for hook in box.state()["webhooks"]] == ["lost"]
    assert caller.status()["canTradeCrypto"] is True


def test_webhook_late(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_late", seconds=3600)
    caller.create()
    box.api("POST", "clock/advance", {"seconds": 501})
    assert caller.status()["canTradeCrypto"] is True
    (hook,) = box.state()["webhooks"]
    assert hook["state"] == "queued"
    assert hook["due"] > 3000
    box.api("POST", "clock/advance", {"seconds": 3601})
    receiver.wait(1)


def test_webhook_out_of_order(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_out_of_order")
    caller.create("Suspend Later")
    box.api("POST", "clock/advance", {"seconds": 501})
    assert [hook["state"] for hook in box.state()["webhooks"]] == ["held"]
    box.api("POST", "clock/advance", {"seconds": 30})
    assert [hook.body["partyStatus"] for hook in receiver.wait(2)] == ["SUSPENDED", "ACTIVE"]


def test_webhook_early(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.fault("webhook_early")
    caller.create()
    answered = time.monotonic()
    (hook,) = receiver.got
    assert hook.at < answered
    assert hook.words == ("ACTIVE", "ENROLLMENT")
    box.flush()
    assert len(receiver.got) == 1
