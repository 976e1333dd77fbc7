"""One sandbox process for these tests, a receiver that plays the portal, and a caller of its API."""

import json
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox import people, testing
from tests.sandbox import contract

PATH = "/webhooks/bakkt/s3cret-path/"
V2 = "/apex-crypto/api/v2"
PARTNER = "7c0e4a52-6f0b-4d3c-9a52-0d8c2f1b7a11"


@dataclass
class Received:
    """A webhook as it arrived, and when; `signature` is Plaid's, where it has one."""

    path: str
    text: str
    at: float
    signature: str = ""

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found

    @property
    def words(self) -> tuple[str, str]:
        return self.body["partyStatus"], self.body["reasonCode"]


class Receiver:
    """Plays the portal's webhook address. `answers` are the next statuses; then 200."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answers: list[int] = []
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with receiver._news:
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    signature = self.headers.get("Plaid-Verification", "")
                    receiver.got.append(Received(self.path, text, time.monotonic(), signature))
                    receiver._news.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}{PATH}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count: int, seconds: float = 8.0) -> list[Received]:
        """The first `count` arrivals; fails when they do not come."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.got) >= count, seconds), f"only {len(self.got)} came"
            return self.got[:count]

    def clear(self) -> None:
        with self._news:
            self.got.clear()
            self.answers.clear()


class Caller:
    """Calls the sandbox as the portal would, logged in; every call is held against the contract."""

    def __init__(self, box: testing.SandboxProcess) -> None:
        self.box = box
        self.session = requests.Session()
        self.log_in()

    def log_in(self) -> None:
        answer = requests.post(
            f"{self.box.url}{V2}/login", json={"logonId": "me", "password": "pw"}, timeout=5
        )
        self.session.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    def get(self, path: str, **more: Any) -> requests.Response:
        return self._checked(self.session.get(self.box.url + path, timeout=10, **more))

    def post(self, path: str, **more: Any) -> requests.Response:
        return self._checked(self.session.post(self.box.url + path, timeout=10, **more))

    def _checked(self, answer: requests.Response) -> requests.Response:
        # An answer spoilt by a fault is no promise of the contract.
        if not self.spoilt():
            contract.check(answer)
        return answer

    def spoilt(self) -> bool:
        """Whether a fault struck the last call."""
        requests_seen = self.box.state()["requests"]
        return bool(requests_seen and requests_seen[-1]["faults"])

    def save(self, body: dict[str, Any]) -> requests.Response:
        return self.post(f"{V2}/accounts", json=body)

    def create(self, name: str = "Ana Ortiz", ref: str = "acc-1") -> dict[str, Any]:
        answer = self.save(request_body(name, ref))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def status(self, ref: str = "acc-1") -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"{V2}/accounts/{ref}/status").json()
        return found


def request_body(name: str = "Ana Ortiz", ref: str = "acc-1") -> dict[str, Any]:
    """A complete create body for the name."""
    body = deepcopy(people.account_request("stella", ref))
    given, _, family = name.partition(" ")
    body["owners"][0]["identity"] |= {"givenName": given, "familyName": family}
    return body


@pytest.fixture(scope="session")
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture(scope="session")
def _box(_receiver: Receiver) -> Iterator[testing.SandboxProcess]:
    # A delay that never passes by itself: tests move the clock or flush, and none of them sleeps.
    with testing.start(_receiver.url, webhook_delay=500) as box:
        yield box


@pytest.fixture
def receiver(_receiver: Receiver) -> Receiver:
    _receiver.clear()
    return _receiver


@pytest.fixture
def box(_box: testing.SandboxProcess, receiver: Receiver) -> testing.SandboxProcess:
    _box.reset()
    receiver.clear()
    return _box


@pytest.fixture
def caller(box: testing.SandboxProcess) -> Caller:
    return Caller(box)
