"""Starts a sandbox for tests: its own process on a free port, killed when done."""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import requests

READY_WITHIN = 20.0
ROOT = Path(__file__).resolve().parent.parent


class NotReady(RuntimeError):
    """The sandbox did not come up; the text holds what it printed."""


class SandboxProcess:
    """A running sandbox. `url` is where to call it; usable as a context manager."""

    def __init__(
        self, process: subprocess.Popen[bytes], url: str, said: IO[bytes], settings: dict[str, Any]
    ) -> None:
        self.process = process
        self._settings = settings
        self._said = said
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def api(self, method: str, path: str, json: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of the control API, `path` below `/sandbox/api/`; its answer. Raises requests.HTTPError."""
        address = f"{self.url}/sandbox/api/{path.lstrip('/')}"
        answer = self._session.request(method, address, json=json, timeout=30)
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()
        return data

    def state(self) -> dict[str, Any]:
        return self.api("GET", "state")

    def account(self, ref: str) -> dict[str, Any]:
        """What the sandbox holds of the account. Raises KeyError when there is none."""
        for account in self.state()["accounts"]:
            if account["clientAccountId"] == ref:
                found: dict[str, Any] = account
                return found
        raise KeyError(ref)

    def fault(self, kind: str, operation: str = "*", *, count: int | None = 1, **more: Any) -> dict[str, Any]:
        return self.api("POST", "faults", {"kind": kind, "operation": operation, "count": count, **more})

    def reset(self) -> None:
        """Forget everything but the settings that `start` was given."""
        self.api("POST", "reset")
        if self._settings:
            self.api("POST", "settings", self._settings)

    def flush(self) -> int:
        """Every next outcome now, and all messages sent; how many could not be."""
        return int(self.api("POST", "webhooks/flush")["unsent"])

    def said(self) -> str:
        """What it printed so far."""
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def stop(self, *, hard: bool = False) -> None:
        """End it; `hard` by SIGKILL, as a crash would. The worker follows its master."""
        atexit.unregister(self.stop)
        self._session.close()
        if hard:
            os.killpg(self.process.pid, 9)
        else:
            self.process.terminate()
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait(5)

    def __enter__(self) -> "SandboxProcess":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()


def start(
    webhook_url: str,
    *,
    webhook_delay: float = 0.0,
    state_file: Path | None = None,
    port: int = 0,
    **settings: Any,
) -> SandboxProcess:
    """A sandbox that sends webhooks to `webhook_url`, ready to be called.

    `settings` are those of the control API. Raises NotReady with what it printed when it does not come up.
    """
    port = port or _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SANDBOX_")}
    environment |= {
        "ENVIRONMENT": "development",
        "SANDBOX_PORT": str(port),
        "SANDBOX_STATE_FILE": str(state_file or ""),
        "SANDBOX_WEBHOOK_URL": webhook_url,
        "SANDBOX_WEBHOOK_DELAY": str(webhook_delay),
        "PYTHONPATH": str(ROOT),
    }
    # Not a pipe: one that nobody reads would one day block the process.
    said = tempfile.TemporaryFile()  # noqa: SIM115  (read after it ended)
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--ends-with-stdin"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,  # ours alone: it ends with us, whatever ends us
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,
    )
    running = SandboxProcess(process, f"http://127.0.0.1:{port}", said, settings)
    atexit.register(running.stop)  # a failing caller leaves none behind
    _wait(running)
    if settings:
        running.api("POST", "settings", settings)
    return running


def _wait(running: SandboxProcess) -> None:
    end = time.monotonic() + READY_WITHIN
    while time.monotonic() < end:
        if running.process.poll() is not None:
            break
        try:
            requests.get(f"{running.url}/apex-crypto/api/status", timeout=1)
        except requests.RequestException:
            time.sleep(0.03)
        else:
            return
    running.stop(hard=running.process.poll() is None)
    raise NotReady(f"the sandbox did not start: {running.said().strip()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
