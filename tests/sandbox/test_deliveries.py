"""Webhooks are sent until taken, every attempt is written down, and a restart forgets none."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver, request_body


def test_retry_until_taken(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.api("POST", "settings", {"webhook_backoff": 0.05})
    receiver.answers = [500, 302, 404]
    caller.create()
    box.api("POST", "clock/advance", {"seconds": 501})
    assert len({hook.text for hook in receiver.wait(4)}) == 1
    box.flush()
    (hook,) = box.state()["webhooks"]
    assert hook["state"] == "delivered"
    assert [attempt["status"] for attempt in hook["attempts"]] == [500, 302, 404, 200]


def test_backoff_waits_and_gives_up(caller: Caller, box: SandboxProcess, receiver: Receiver) -> None:
    box.api("POST", "settings", {"webhook_attempts": 2, "webhook_backoff": 100})
    receiver.answers = [500, 500]
    caller.create()
    box.flush()
    (hook,) = box.state()["webhooks"]
    assert (hook["state"], len(hook["attempts"])) == ("queued", 1)
    assert 90 < hook["due"] <= 100
    box.api("POST", "clock/advance", {"seconds": 101})
    receiver.wait(2)
    box.flush()
    assert box.state()["webhooks"][0]["state"] == "failed"
    box.api("POST", f"webhooks/{hook['id']}/resend")
    assert receiver.wait(3)[2].text == receiver.got[0].text


def test_a_deaf_portal_is_an_attempt_without_status(caller: Caller, box: SandboxProcess) -> None:
    box.api(
        "POST", "settings", {"webhook_url": "http://127.0.0.1:1/hook/secret-part/", "webhook_backoff": 60}
    )
    caller.create()
    box.flush()
    state = box.state()
    (attempt,) = state["webhooks"][0]["attempts"]
    assert (attempt["status"], attempt["error"]) == (None, "ConnectionError")
    assert "secret-part" not in str(state)


def test_a_crash_keeps_accounts_and_undelivered_webhooks(receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "state" / "sandbox.json"
    first = testing.start("http://127.0.0.1:1/x/", webhook_delay=500, state_file=file)
    caller = Caller(first)
    account = caller.create()
    first.flush()
    caller.create("Maggic Dawn", "acc-2")
    first.api("POST", "clock/advance", {"seconds": 100})
    first.fault("500_before", "config", count=None)
    first.stop(hard=True)
    assert file.stat().st_mode & 0o077 == 0
    with testing.start(receiver.url, webhook_delay=500, state_file=file) as second:
        caller = Caller(second)
        assert caller.get(f"{V2}/accounts/acc-1").json()["id"] == account["id"]
        assert second.state()["clock"]["ahead_seconds"] >= 100
        assert caller.get(f"{V2}/config").status_code == 500
        second.flush()
        assert {hook.words for hook in receiver.wait(2)} == {
            ("ACTIVE", "ENROLLMENT"),
            ("INACTIVE", "RISK_KYC"),
        }


def test_text_no_encoding_can_carry_does_not_stop_the_post(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    caller.create()
    odd = {"partyStatus": "ACTIVE", "reasonCode": "ENROLLMENT", "note": "half a character: \ud800"}
    box.api("POST", "accounts/acc-1/event", odd)
    box.api("POST", "accounts/acc-1/event", {"partyStatus": "CLOSED", "reasonCode": "CLOSED"})
    assert [hook.words[0] for hook in receiver.wait(2)] == ["ACTIVE", "CLOSED"]


def test_many_at_once_are_all_in_the_file(receiver: Receiver, tmp_path: Path) -> None:
    file = tmp_path / "sandbox.json"
    with testing.start(receiver.url, webhook_delay=500, state_file=file) as box:
        caller = Caller(box)

        def open_account(number: int) -> int:
            headers = {"Authorization": str(caller.session.headers["Authorization"])}
            body = request_body("Ana Many", f"many-{number}")
            return requests.post(
                f"{box.url}{V2}/accounts", json=body, headers=headers, timeout=20
            ).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(open_account, range(40))) == {200}
        box.stop(hard=True)
    saved = json.loads(file.read_text())
    assert len(saved["accounts"]) == len(saved["plans"]) == 40
    assert [part.name for part in tmp_path.iterdir()] == ["sandbox.json"], "no half-written file is left"


def test_a_state_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    with testing.start("", state_file=tmp_path / "in-the-way" / "sandbox.json") as box:
        Caller(box).create()
        assert box.account("acc-1")["name"] == "Ana Ortiz"
        assert "The state could not be written" in box.said()


@pytest.mark.parametrize("text", ["{", "[]", '{"settings": {}}'])
def test_an_unreadable_state_file_is_set_aside(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sandbox.json"
    file.write_text(text)
    with testing.start("", state_file=file) as box:
        assert box.state()["accounts"] == []
    assert (tmp_path / "sandbox.json.unreadable").read_text() == text


def test_reset_forgets_everything(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    box.fault("403", count=None)
    box.api("POST", "clock/advance", {"seconds": 50})
    box.api("POST", "reset")
    state = box.state()
    assert (state["accounts"], state["faults"], state["webhooks"]) == ([], [], [])
    assert state["clock"]["ahead_seconds"] == 0
    assert caller.get(f"{V2}/config").status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("clock/advance", {"seconds": -1}, 400),
        ("clock/advance", {}, 400),
        ("accounts/nobody/event", {"partyStatus": "ACTIVE", "reasonCode": "ENROLLMENT"}, 404),
        ("settings", {"colour": "red"}, 400),
        ("settings", {"webhook_delay": "soon"}, 400),
        ("settings", {"webhook_timeout": 0}, 400),
        ("settings", {"webhook_attempts": 0}, 400),
        ("settings", {"webhook_url": "http://["}, 400),
        ("settings", {"webhook_url": "portal.example/hook/"}, 400),
        ("settings", {"employment_required": "false"}, 400),
        ("clock/advance", {"seconds": "NaN"}, 400),
        ("stories/cinderella/run", {}, 404),
        ("webhooks/none/resend", {}, 404),
        ("state", {}, 405),
    ],
)
def test_control_refusals_say_why(
    box: SandboxProcess, path: str, body: dict[str, object], status: int
) -> None:
    answer = requests.post(f"{box.url}/sandbox/api/{path}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_other_web_sites_cannot_steer(box: SandboxProcess) -> None:
    url = f"{box.url}/sandbox/api/reset"
    assert requests.post(url, headers={"Sec-Fetch-Site": "cross-site"}, timeout=5).status_code == 403
    assert (
        requests.get(url.replace("reset", "state"), headers={"Host": "evil.example"}, timeout=5).status_code
        == 400
    )
