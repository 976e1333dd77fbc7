"""A process that is killed at a chosen step of its work: before or after each commit, before or after each request."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from requests.adapters import HTTPAdapter

STEPS_AT_MOST = 60


@dataclass
class Clockwork:
    """Counts the steps of this process and kills it at one of them."""

    dies_at: int
    steps: int = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        """The method with a step before and a step after it."""

        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.step()
            answer = method(*args, **kwargs)
            self.step()
            return answer

        return stepped


def deaths(prepare: Callable[[], Callable[[], Any]]) -> Iterator[int]:
    """Do work in a process of its own again and again, killed one step later each time, until it ends by itself.

    `prepare` gives the work of each time. Yields the number of the step at which it was killed, after each death.
    Raises AssertionError when the work fails.
    """
    for number in range(1, STEPS_AT_MOST):
        work = prepare()
        child = os.fork()
        if child == 0:
            _live_and_die(work, number)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0, f"the work failed on its own at try {number}"
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield number
    raise AssertionError("it takes more steps than anybody expected")


def _live_and_die(work: Callable[[], Any], number: int) -> None:
    code = 1
    try:
        # The parent's connections are the parent's; whatever is asked here opens one of its own.
        for connection in connections.all(initialized_only=True):
            connection.connection = None
        clockwork = Clockwork(number)
        BaseDatabaseWrapper._commit = clockwork.around(BaseDatabaseWrapper._commit)  # type: ignore[attr-defined]
        HTTPAdapter.send = clockwork.around(HTTPAdapter.send)  # type: ignore[method-assign]
        work()
        code = 0
    finally:
        os._exit(code)
