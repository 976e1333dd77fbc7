"""One browser for all browser tests, and an end of each that leaves nothing running."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.browser import ARGUMENTS, CHROMIUM, PATIENCE


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        browser.close()


class InFlight:
    """The requests that the live server is answering, counted by Django's own signals."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()

    def began(self, **_: Any) -> None:
        with self._changed:
            self._running += 1
            self._changed.notify_all()

    def ended(self, **_: Any) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until nothing runs and nothing begins for a moment: a page sends its last words as it closes."""
        with self._changed:
            while True:
                assert self._changed.wait_for(lambda: self._running <= 0, timeout=30), "a request never ended"
                if not self._changed.wait(timeout=0.1):
                    return


@pytest.fixture(autouse=True)
def _nothing_in_flight(transactional_db: None, browser: Browser) -> Iterator[None]:
    """Emptying the tables while a request reads them would be a deadlock."""
    requests = InFlight()
    request_started.connect(requests.began)
    request_finished.connect(requests.ended)
    yield
    for context in browser.contexts:
        context.close()
    requests.settle()
    request_started.disconnect(requests.began)
    request_finished.disconnect(requests.ended)
