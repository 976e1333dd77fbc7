"""Waking workers. A row is the work; what goes to the broker only rings for it, and may be lost.

So a broker that is away costs a web request next to nothing: the row is committed, and a sweeper finds it.
"""

import time
from uuid import UUID

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

#: After a ring the broker refused, this process asks it nothing for so long: a refusal takes half a second and
#: silence two, and a storm of webhooks must be answered meanwhile.
PAUSE_SECONDS = 5.0

_silent_until = 0.0


def ring(task: str, row_id: UUID, *, queue: str) -> None:
    """Ask a worker to run the task on the row, after commit. Never raises for a broker that is away."""
    transaction.on_commit(lambda: _send(task, row_id, queue), robust=True)


def _send(task: str, row_id: UUID, queue: str) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task(task, args=[str(row_id)], queue=queue)
    except Exception as error:
        _silent_until = time.monotonic() + PAUSE_SECONDS
        if not isinstance(error, OperationalError):
            raise
        # The address is in the message, and every webhook of a storm would write a traceback.
        log.error("broker_away", error=type(error.__cause__ or error).__name__, pause_seconds=PAUSE_SECONDS)
