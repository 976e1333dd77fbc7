"""The one World of the process: state, lock, clock, tokens and the request log."""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sandbox import config, state
from sandbox.clock import Clock
from sandbox.state import Account, Json, Run, Settings, State
from sandbox.vault import Vault

logger = logging.getLogger(__name__)

KEPT_REQUESTS = 300
KEPT_WEBHOOKS = 500
SENDING_ENDS_WITHIN = 2.0
FINISHED = ("delivered", "failed", "lost")


class World:
    """Every change happens inside `change()`: one at a time, and written down before `change()` is left."""

    def __init__(self, configured: config.Config) -> None:
        self.config = configured
        self.moved = threading.Condition(threading.RLock())
        # Set and replaced when faults are cleared, so that hanging answers end.
        self.released = threading.Event()
        self._depth = 0
        self._changed = False
        # Which change the memory holds and which the file does; the file has a lock of its own, so that one
        # writing serves all who wait for it and nobody who only reads waits for the disk.
        self._version = self._saved = 0
        self._saving = threading.Lock()
        path = configured.state_file
        fresh = State(settings=self._first_settings())
        self.state = state.load(path, fresh.settings) if path and path.exists() else fresh
        self.vault = Vault(path)
        self.vault.sweep({document.id for document in self.state.documents.values()})
        self._restart()

    def _first_settings(self) -> Settings:
        return Settings(webhook_url=self.config.webhook_url, webhook_delay=self.config.webhook_delay)

    def _restart(self) -> None:
        self.clock = Clock(self.state.advanced)
        self.tokens: dict[str, tuple[str, float]] = {}
        self.requests: deque[Json] = deque(maxlen=KEPT_REQUESTS)

    @contextmanager
    def change(self) -> Iterator[State]:
        """The state, locked for writing; nests. Whoever waits for work is woken when it ends."""
        with self.look() as state:
            self._changed = True
            yield state

    @contextmanager
    def look(self) -> Iterator[State]:
        """The state, locked for reading; nests, and a `change()` inside is saved when the outermost ends."""
        version = 0
        try:
            with self.moved:
                self._depth += 1
                try:
                    yield self.state
                finally:
                    self._depth -= 1
                    if self._depth == 0 and self._changed:
                        self._changed = False
                        self._version += 1
                        version = self._version
                        self._tidy()
                        self.moved.notify_all()
        finally:
            if version:
                self._save(version)

    def reset(self) -> None:
        """Forget everything and let hanging answers go. A message being sent is waited for: it would arrive in what
        comes after."""
        with self.moved:
            self.moved.wait_for(self._nothing_is_being_sent, SENDING_ENDS_WITHIN)
            with self.change():
                self.state = State(settings=self._first_settings())
                self.vault.sweep(set())
                self._restart()
                self.release()

    def _nothing_is_being_sent(self) -> bool:
        return all(hook.state != "sending" for hook in self.state.webhooks)

    def release(self) -> None:
        self.released.set()
        self.released = threading.Event()

    def issue_token(self, family: str, token: str = "") -> str:
        """A new token of the family. Tokens end by real time, because their holders live in it."""
        token = token or secrets.token_urlsafe(32)
        with self.moved:
            now = time.time()
            self.tokens = {text: kept for text, kept in self.tokens.items() if kept[1] > now}
            self.tokens[token] = (family, now + self.state.settings.token_seconds)
        return token

    def token_holds(self, family: str, token: str) -> bool:
        with self.moved:
            found = self.tokens.get(token)
            return found is not None and found[0] == family and found[1] > time.time()

    def run_of(self, account: Account) -> Run | None:
        """The story that plays this account, if one does."""
        return next((r for r in self.state.runs if r.state == "playing" and r.account == account.ref), None)

    def _tidy(self) -> None:
        self.state.advanced = self.clock.advanced
        finished = [hook for hook in self.state.webhooks if hook.state in FINISHED]
        for hook in finished[: max(0, len(finished) - KEPT_WEBHOOKS)]:
            self.state.webhooks.remove(hook)

    def _save(self, version: int) -> None:
        """See that the file holds this change or a later one. A disk that refuses is named, and we go on."""
        if self.config.state_file is None:
            return
        with self._saving:
            if self._saved >= version:
                return
            with self.moved:
                text, newest = state.dump(self.state), self._version
            try:
                state.write(text, self.config.state_file)
            except OSError as problem:
                logger.warning("The state could not be written: %s", problem)
            self._saved = newest


@cache
def world() -> World:
    """The process's own."""
    return World(config.read())
