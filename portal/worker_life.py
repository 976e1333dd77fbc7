"""Signs of life of each worker process, beside those of the queues: of several workers, one that hangs shows here.

A thread of the worker writes the row, so that a slow database never holds the worker up. What it writes is when the
worker's own loop, which takes messages and hands them to its children, last came round: a loop that stands still stops
the mark, whatever threads do. A child that hangs in a task is ended by the task's time limit.
"""

import os
import threading
from typing import Any, Protocol

import structlog
from celery.signals import worker_ready, worker_shutdown
from django.db import Error, connection

from portal import clock, heartbeat

log = structlog.get_logger(__name__)

EVERY = 10.0


class Loop(Protocol):
    """What is used of Celery's consumer: the worker's loop."""

    hostname: str

    def call_soon(self, p: Any) -> Any:
        """Have the loop call `p` when it comes round."""


class Life:
    """Asks the loop for a mark again and again, and writes down when the last one came."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.name = heartbeat.worker_name(loop.hostname, os.getpid())
        self._marked = clock.now()
        self._asked = False
        self._over = threading.Event()

    def mark(self) -> None:
        """The loop came round."""
        self._marked, self._asked = clock.now(), False

    def look(self) -> None:
        """One look: write when the last mark came, and ask for the next where that one was answered."""
        heartbeat.worker_beat(self.name, at=self._marked)
        if not self._asked:
            self._asked = True
            self.loop.call_soon(self.mark)

    def run(self) -> None:
        """The thread: until the worker ends."""
        while True:
            try:
                self.look()
            except Error as error:
                log.warning("worker_life_unwritten", error=type(error).__name__)
            finally:
                # Children are forked off this process: no connection may be open here longer than needed.
                connection.close()
            if self._over.wait(EVERY):
                return

    def end(self) -> None:
        """An orderly end: the row goes, since nobody need look for this process."""
        self._over.set()
        try:
            heartbeat.worker_gone(self.name)
        except Error as error:
            log.warning("worker_life_unwritten", error=type(error).__name__)
        finally:
            connection.close()


_lives: list[Life] = []


@worker_ready.connect  # type: ignore[untyped-decorator]
def begin(sender: Any = None, **_: object) -> None:
    """Start to say that this worker lives."""
    if sender is None or _lives:
        return
    life = Life(sender)
    _lives.append(life)
    threading.Thread(target=life.run, name="worker-life", daemon=True).start()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def end(**_: object) -> None:
    """The worker was told to stop."""
    while _lives:
        _lives.pop().end()
