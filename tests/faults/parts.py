"""Web, worker and beat as real processes, started as `make run` starts them, to be killed by tests."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import requests
from django.conf import settings
from django.test import Client
from django.urls import reverse
from kombu import Connection, Queue

from onboarding.models import Application
from portal.celery import QUEUES
from portal.run.broker import celery_broker_settings
from portal.run.processes import end_group
from portal.run.supervisor import Child, Supervisor
from tests.people import sign_in
from tests.sandboxed import test_database_url

ROOT = Path(__file__).resolve().parent.parent.parent
CELERY = [sys.executable, "-m", "celery", "-A", "portal"]
#: Longer than the longest lease of a call or an event: what a killed worker held is due again.
LEASES_OVER = 125.0
CSRF = "c" * 32
T = TypeVar("T", bound=Child)


def broker_url() -> str:
    """The broker of this test run; where that lives in one process only, the one `make run` uses."""
    given = os.environ["BROKER_URL"]
    return "pgmq://" if given.startswith("memory") else given


def empty_broker() -> None:
    """Forget every message, as a replaced broker has."""
    wanted = celery_broker_settings(broker_url(), test_database_url())
    options = wanted.get("broker_transport_options", {})
    with Connection(wanted["broker_url"], transport_options=options) as link:
        for name in QUEUES:
            queue = Queue(name).bind(link.default_channel)
            queue.declare()
            queue.purge()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def silent_redis() -> Iterator[str]:
    """The address of a Redis that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


class Web(Child):
    """A web at `url`: two processes with four threads each."""

    url: str

    def kill_workers(self) -> None:
        """SIGKILL the processes that answer requests; their parent forks new ones."""
        for pid in children_of(self):
            os.kill(pid, signal.SIGKILL)


class Parts:
    """The processes of a house. A guardian ends them when the test run itself is killed."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment | {"PYTHONUNBUFFERED": "1"}
        self.supervisor = Supervisor(ROOT, folder / "children.json", print)
        self.supervisor.guard()
        #: How far the clock of workers and beat has been moved on.
        self.later = 0.0
        self._orphaned: list[int] = []
        self._numbers = count(1)

    def web(self, port: int, **more: str) -> Web:
        """A web, to be waited for with `wait`."""
        command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "4", "--preload"]
        command += ["--graceful-timeout", "1", "--bind", f"127.0.0.1:{port}", "portal.wsgi"]
        web = self._start(Web, "web", command, "Booting worker with pid", more)
        web.url = f"http://127.0.0.1:{port}"
        return web

    def worker(self) -> Child:
        """A worker of three processes on all queues, to be waited for."""
        command = [*CELERY, "worker", "-Q", ",".join(QUEUES), "-c", "3", "-l", "INFO"]
        command += ["--without-gossip", "--without-mingle"]
        return self._start(Child, "worker", self._moved(command), " ready.", {})

    def beat(self) -> Child:
        """What sends the periodic tasks, to be waited for."""
        command = [*CELERY, "beat", "-l", "INFO", "--pidfile=", "--schedule", str(self.folder / "schedule")]
        return self._start(Child, "beat", self._moved(command), "beat: Starting", {})

    def wait(self, *children: Child) -> None:
        """Until they are up."""
        self.supervisor.wait_ready(children)

    def _moved(self, command: list[str]) -> list[str]:
        if not self.later:
            return command
        return [command[0], "-m", "tests.faults.later", str(self.later), *command[2:]]

    def _start(self, kind: type[T], name: str, command: list[str], says: str, more: dict[str, str]) -> T:
        child = kind(
            name=name,
            command=command,
            environment=self.environment | more,
            log=self.folder / f"{name}-{next(self._numbers)}.log",
            ready=lambda child: child.said(says),
        )
        self.supervisor.start(child)
        return child

    def kill(self, child: Child, *, alone: bool = False) -> None:
        """SIGKILL a part with all its processes; `alone`: the first of them, which its children outlive."""
        assert child.process is not None
        if alone:
            self._orphaned.append(child.process.pid)
            child.process.kill()
        else:
            end_group(child.process.pid)
        child.process.wait(10)
        # Its end was wished for: the supervisor need not start it again.
        self.supervisor.children.remove(child)

    def stop(self) -> None:
        """Kill everything, orphans included: a polite end costs seconds, and nobody looks."""
        for child in list(self.supervisor.children):
            self.kill(child)
        for group in self._orphaned:
            end_group(group)
        self.supervisor.stop()


def children_of(child: Child) -> list[int]:
    """The processes that a part has started and that still live."""
    assert child.process is not None
    pid = child.process.pid
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Browser:
    """A signed-in customer's browser at a real web."""

    def __init__(self, web: Web, application: Application) -> None:
        self.address = web.url + reverse("customer:review", args=[application.pk])
        cookies = sign_in(Client(), application.customer.user).cookies
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set(settings.SESSION_COOKIE_NAME, cookies[settings.SESSION_COOKIE_NAME].value)
        self.session.cookies.set(settings.CSRF_COOKIE_NAME, CSRF)

    def hand_in(self) -> int:
        """Press the button; the status of the answer, 0 when the connection broke."""
        try:
            data = {"csrfmiddlewaretoken": CSRF}
            return self.session.post(self.address, data=data, timeout=20, allow_redirects=False).status_code
        except requests.ConnectionError:
            return 0
