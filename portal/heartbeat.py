"""Signs of life: beat sends each queue a task that says so, since not every broker can be asked who works.

A queue whose row is old has no worker that takes tasks; when all are old, beat itself may be away.
"""

from datetime import timedelta

from portal import clock
from portal.celery import QUEUES
from portal.models.heartbeat import Heartbeat

__all__ = ["FRESH", "QUEUES", "beat", "silent"]

#: Beat ticks every ten seconds; with three missed ticks a queue is dead.
FRESH = timedelta(seconds=45)


def beat(queue: str) -> None:
    """Say that a worker takes the queue's tasks now."""
    Heartbeat.objects.update_or_create(name=queue, defaults={"at": clock.now()})


def silent() -> list[str]:
    """The queues whose tasks nobody took lately, in one query."""
    fresh = Heartbeat.objects.filter(name__in=QUEUES, at__gte=clock.now() - FRESH)
    taken = set(fresh.values_list("name", flat=True))
    return [queue for queue in QUEUES if queue not in taken]
