"""Signs of life of the processes."""

from django.db import models

from portal import clock


class Heartbeat(models.Model):
    """When a queue's tasks were last taken by a worker."""

    name = models.CharField(max_length=32, primary_key=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name


class WorkerHeartbeat(models.Model):
    """When a worker process's own loop last came round."""

    #: Celery's name of the worker, a slash, and the process's number there.
    name = models.CharField(max_length=255, primary_key=True)
    at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name
