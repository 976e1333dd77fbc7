"""The process: it starts fast, refuses production, and its pages say what it is."""

import os
import signal
import subprocess
import sys
import time

import pytest
import requests

from sandbox import config, testing
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import Caller, Receiver


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox"],
        cwd=testing.ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("word", ["production", "Production "])
def test_it_refuses_production_in_one_line(word: str) -> None:
    ended = run(ENVIRONMENT=word)
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        "The sandbox is a stand-in for the providers and never runs with ENVIRONMENT=production."
    ]


def test_its_settings_refuse_production_too() -> None:
    with pytest.raises(config.Refuses):
        config.read({"ENVIRONMENT": "production"})
    with pytest.raises(config.Refuses, match="SANDBOX_WEBHOOK_URL") as refusal:
        config.read({"SANDBOX_WEBHOOK_URL": "localhost:8000/webhooks/bakkt/s3cret/"})
    assert "s3cret" not in str(refusal.value)
    with pytest.raises(config.Refuses, match="SANDBOX_PORT"):
        config.read({"SANDBOX_PORT": "eighty"})


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_none_outlives_who_started_it(number: signal.Signals) -> None:
    program = (
        "import time; from sandbox import testing\n"
        "box = testing.start(''); print(box.process.pid, flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", program], cwd=testing.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    # Master and worker share a group.
    os.killpg(pid, 0)
    starter.send_signal(number)
    starter.wait(10)
    starter.stdout.close()
    end = time.monotonic() + 10
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(pid, 0)
            time.sleep(0.05)


def test_a_reset_keeps_what_start_was_given() -> None:
    with testing.start("", review_seconds=7) as box:
        box.api("POST", "settings", {"later_seconds": 9})
        box.reset()
        settings = box.state()["settings"]
    assert (settings["review_seconds"], settings["later_seconds"]) == (7, 30)


def test_start_names_the_trouble(box: SandboxProcess) -> None:
    port = int(box.url.rsplit(":", 1)[1])
    environment = {"SANDBOX_PORT": str(port), "ENVIRONMENT": "development"}
    ended = run(**environment)
    assert ended.returncode == 2
    assert ended.stderr.strip() == f"The sandbox cannot listen on 127.0.0.1:{port}: Address already in use."


def test_pages_say_stand_in_and_load_nothing_from_elsewhere(box: SandboxProcess, caller: Caller) -> None:
    caller.create("<script>alert(1)</script> Ortiz")
    for path in ("/", "/verify/none", "/nowhere"):
        page = requests.get(box.url + path, timeout=5)
        assert "It is not Bakkt" in page.text
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert page.headers["X-Stand-In"] == "sandbox; not Bakkt, not Plaid"
    style = requests.get(f"{box.url}/sandbox.css", timeout=5)
    assert style.headers["Content-Type"].startswith("text/css")


def test_buttons_of_the_page_work(box: SandboxProcess, caller: Caller, receiver: Receiver) -> None:
    caller.create("Maggic Dawn")
    browser = requests.Session()
    page = browser.get(f"{box.url}/", timeout=5).text
    for name in ("Maggic Dawn", "Silent Never", "Flagged, verified, funded, suspended"):
        assert name in page
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    def press(deed: str, **fields: str) -> requests.Response:
        data = {**fields, "csrfmiddlewaretoken": token}
        return browser.post(f"{box.url}/do/{deed}", data=data, headers={"Referer": box.url}, timeout=15)

    assert requests.post(f"{box.url}/do/reset", timeout=5).status_code == 403
    press("fault", kind="403", operation="config", count="3", seconds="", times="2")
    assert box.state()["faults"][0]["left"] == 3
    press("fault-off", id="")
    assert box.state()["faults"] == []
    press("event", ref="acc-1", partyStatus="UNDER_REVIEW", reasonCode="DOCUMENT_VERIFICATION")
    assert box.account("acc-1")["link"]["open"] is True
    press("expire-link", ref="acc-1")
    assert box.account("acc-1")["link"]["open"] is False
    press("advance", seconds="3600")
    assert box.state()["clock"]["ahead_seconds"] >= 3600
    press("settings", webhook_delay="2.5")
    assert box.state()["settings"]["webhook_delay"] == 2.5
    press(
        "story", story="straight_through", givenName="New", familyName="Person", clientAccountId="", speed=""
    )
    assert box.state()["runs"][0]["state"] == "waiting"
    assert "Not done: count must lie between" in press("fault", kind="401", count="0").text
    press("reset")
    assert box.state()["accounts"] == []
