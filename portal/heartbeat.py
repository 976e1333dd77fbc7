"""Signs of life: beat sends each queue a task that says so, since not every broker can be asked who works.

A queue whose row is old has no worker that takes tasks; when all are old, beat itself may be away. Each worker process
says besides that its loop goes round (portal/worker_life.py): of several workers of a queue, one may hang.
"""

import os
from datetime import datetime, timedelta

from portal import clock
from portal.celery import QUEUES
from portal.models.heartbeat import Heartbeat, WorkerHeartbeat

__all__ = [
    "FRESH",
    "QUEUES",
    "beat",
    "silent",
    "silent_workers",
    "worker_beat",
    "worker_gone",
    "worker_name",
    "workers",
]

#: Beat ticks every ten seconds; with three missed ticks a queue is dead.
FRESH = timedelta(seconds=45)
#: A worker that was killed and never came back is looked for so long; its queues tell by then.
FORGOTTEN = timedelta(hours=1)


def beat(queue: str) -> None:
    """Say that a worker takes the queue's tasks now."""
    Heartbeat.objects.update_or_create(name=queue, defaults={"at": clock.now()})


def silent() -> list[str]:
    """The queues whose tasks nobody took lately, in one query."""
    fresh = Heartbeat.objects.filter(name__in=QUEUES, at__gte=clock.now() - FRESH)
    taken = set(fresh.values_list("name", flat=True))
    return [queue for queue in QUEUES if queue not in taken]


def worker_name(hostname: str, pid: int) -> str:
    """How a worker process is called: the same name on the same machine means another process of it."""
    return f"{hostname[:240]}/{pid}"


def worker_beat(name: str, *, at: datetime) -> None:
    """Say when a worker's loop last came round, and forget processes before it that are gone."""
    WorkerHeartbeat.objects.update_or_create(name=name, defaults={"at": at})
    hostname, _, mine = name.rpartition("/")
    for row in WorkerHeartbeat.objects.filter(name__startswith=f"{hostname}/").exclude(name=name):
        pid = row.name.removeprefix(f"{hostname}/")
        # A worker's name holds its machine's, so the numbers are of the same machine.
        if pid.isdecimal() and pid != mine and not _runs(int(pid)):
            row.delete()
    WorkerHeartbeat.objects.filter(at__lt=clock.now() - FORGOTTEN).delete()


def worker_gone(name: str) -> None:
    """A worker ended as it was told to."""
    WorkerHeartbeat.objects.filter(name=name).delete()


def workers() -> list[WorkerHeartbeat]:
    """Every worker process that is looked for."""
    return list(WorkerHeartbeat.objects.order_by("name"))


def silent_workers() -> list[str]:
    """Those whose loop did not come round lately."""
    return [row.name for row in workers() if row.at < clock.now() - FRESH]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
