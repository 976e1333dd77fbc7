"""Waking workers once for many rows: one message to the broker for all that was committed lately.

For work that is short and comes in crowds; for one row whose work is long there is portal/doorbell.py. The rows are
the queue, and a worker that wakes looks for every row that is due, so a second message while the first is on its way
tells nobody anything. Sending takes longer than storing, and a broker that is away takes seconds; so a thread of the
process sends, and a request only says that there is something.
"""

import os
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

#: A process sends at most one message in so long. What comes meanwhile waits for the next.
PAUSE_SECONDS = 0.1
#: After a send that failed the broker is left alone for so long.
REFUSED_PAUSE_SECONDS = 5.0


class Waker:
    """Wakes by calling `send`: at once when it did not lately, else once for everybody who asked meanwhile.

    Who asks after a commit is never forgotten: asking while a message is being sent brings another after it. When
    the process dies or the broker refuses, that wake is lost, and a periodic look at the rows has to find them.
    """

    def __init__(self, send: Callable[[], None], *, pause: float = PAUSE_SECONDS) -> None:
        self._send = send
        self._pause = pause
        self._forget()
        # A forked child has the lock and the event as they were, and no thread.
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self._asked = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Have a worker woken for rows that are committed. Returns at once, whatever the broker does."""
        self._asked.set()
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            # Before sending: who asks from now on has rows that the woken worker may not see.
            self._asked.clear()
            pause = self._pause
            try:
                self._send()
            except Exception as error:
                # Its message may hold the broker's address with the password.
                log.warning("wake_not_sent", problem=type(error).__name__)
                pause = REFUSED_PAUSE_SECONDS
            time.sleep(pause)
