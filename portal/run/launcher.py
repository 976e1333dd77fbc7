"""`make run`: brings the whole product up on this machine, keeps it up, and takes it down again."""

import fcntl
import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

from portal.run import devsecrets, environment
from portal.run.embedded import EmbeddedError, EmbeddedPostgres
from portal.run.processes import free_port
from portal.run.supervisor import FIRST_PAUSE, LONGEST_PAUSE, Child, NotReady, StopAsked, Supervisor

HOST = "127.0.0.1"
QUEUES = "webhooks,provider,documents,bulk,default"
#: A proxy set for the machine has no business between us and our own ports.
_direct = build_opener(ProxyHandler({}))


class CannotStart(RuntimeError):
    """The product cannot start as things are; the message says what to do."""


def say(text: str) -> None:
    """Print, whatever became of the terminal: a closed one must not stop the clean-up."""
    with suppress(OSError, ValueError):
        print(text, flush=True)


class Launcher:
    """One run of the product below `root`; everything it writes goes to `root`/var."""

    def __init__(self, root: Path, given: Mapping[str, str]) -> None:
        self.root, self.given = root, given
        self.var = root / "var"
        self.var.mkdir(exist_ok=True)
        self.began = time.monotonic()
        self.supervisor = Supervisor(root, self.var / "run" / "children.json", say)
        self.database: EmbeddedPostgres | None = None
        self._database_failures = 0
        self._database_restart_at = 0.0

    def run(self) -> int:
        """Start, watch until told to stop. Returns the exit status; raises CannotStart when it may not."""
        if self.given.get("ENVIRONMENT") == "production":
            raise CannotStart(
                "`make run` is for development. docs/operate.md says how production is started."
            )
        lock = self.lock()
        self.supervisor.catch_signals()
        try:
            self._start()
            while True:
                self._keep_database()
                self.supervisor.tick()
                self.supervisor.pause()
        except StopAsked:
            say("\nStopping ...")
            status = 0
        except (NotReady, EmbeddedError, CannotStart) as problem:
            say(f"\n{problem}")
            status = 1
        finally:
            self.supervisor.stop()
            if self.database is not None:
                self.database.stop(at_once=self.supervisor.hurried)
            lock.close()
        say("Stopped; nothing is left running." if status == 0 else "")
        return status

    def lock(self) -> IO[str]:
        """Hold the lock for the life of this process; raises CannotStart when another run holds it."""
        path = self.var / "run" / "lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            where = lock.read().strip() or "it is still starting"
            lock.close()
            raise CannotStart(f"It runs already: {where}") from None
        lock.truncate(0)
        return lock

    def _start(self) -> None:
        self.supervisor.guard()
        at, ports = self._addresses()
        if not self.given.get("DATABASE_URL"):
            began = time.monotonic()
            self.database = EmbeddedPostgres(self.var / "postgres")
            self.database.start()
            say(f"  PostgreSQL answers ({time.monotonic() - began:.1f} s)")
            at = environment.Addresses(at.portal, at.sandbox, self.database.url)
        secrets = devsecrets.load_or_make(self.var)
        settings = {"PROMETHEUS_MULTIPROC_DIR": self._metrics_folder()} | environment.development(
            self.given, secrets, at
        )
        portal, sandbox = self._children(settings, at, ports)
        if sandbox is not None:
            self.supervisor.start(sandbox)
        logins = self.var / "run" / "logins.json"
        command = [sys.executable, "-m", "portal.run.prepare", "--logins", str(logins)]
        self.supervisor.run_once(self._child("prepare", command, settings, ready=lambda _: True))
        for child in portal:
            self.supervisor.start(child)
        self.supervisor.wait_ready(self.supervisor.children)
        (self.var / "run" / "lock").write_text(settings["PORTAL_URL"])
        say(self._welcome(settings["PORTAL_URL"], json.loads(logins.read_text())))

    def _metrics_folder(self) -> str:
        """An empty folder where web and worker count together: provider calls are made by the worker."""
        folder = self.var / "run" / "metrics"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return str(folder)

    def _addresses(self) -> tuple[environment.Addresses, tuple[int, int]]:
        """Where the parts will listen, next to the usual ports when those are taken."""
        wanted = int(self.given.get("PORT") or 8000), int(self.given.get("SANDBOX_PORT") or 8009)
        try:
            web = free_port(wanted[0], HOST)
            sandbox = free_port(wanted[1], HOST, taken=frozenset({web}))
        except OSError as error:
            raise CannotStart(str(error)) from error
        for usual, chosen in zip(wanted, (web, sandbox), strict=True):
            if usual != chosen:
                say(f"  Port {usual} is taken; using {chosen}")
        own_sandbox = not (self.given.get("SANDBOX_URL") or self.given.get("BAKKT_CRYPTO_URL"))
        at = environment.Addresses(
            portal=f"http://localhost:{web}",
            sandbox=f"http://{HOST}:{sandbox}" if own_sandbox else "",
            database="",
        )
        return at, (web, sandbox)

    def _children(
        self, settings: dict[str, str], at: environment.Addresses, ports: tuple[int, int]
    ) -> tuple[list[Child], Child | None]:
        """The processes of this run; the sandbox apart, because it is up before the data are made."""
        web, sandbox = ports
        celery = [sys.executable, "-m", "celery", "-A", "portal"]
        worker = ["worker", "-Q", QUEUES, "-c", "3", "-l", "INFO", "--without-gossip", "--without-mingle"]
        schedule = str(self.var / "run" / "beat-schedule")
        gunicorn = ["--workers", "2", "--worker-class", "gthread", "--threads", "4"]
        gunicorn += ["--preload", "--no-control-socket"]
        gunicorn += ["--graceful-timeout", "5", "--bind", f"{HOST}:{web}", "portal.wsgi"]
        parts = [
            self._child(
                "web",
                [sys.executable, "-m", "gunicorn", *gunicorn],
                settings,
                ready=_answers(f"http://{HOST}:{web}/readyz"),
            ),
            self._child("worker", [*celery, *worker], settings, ready=lambda child: child.said(" ready.")),
            self._child(
                "beat",
                [*celery, "beat", "-l", "WARNING", "--pidfile=", "--schedule", schedule],
                settings,
                ready=lambda _: True,
            ),
        ]
        if not at.sandbox:
            return parts, None
        told = {
            "SANDBOX_PORT": str(sandbox),
            "SANDBOX_STATE_FILE": str(self.var / "sandbox.json"),
            "SANDBOX_WEBHOOK_URL": f"http://{HOST}:{web}/webhooks/bakkt/{settings['BAKKT_WEBHOOK_SECRET']}/",
        }
        command = [sys.executable, "-m", "sandbox"]
        alone = self._child("sandbox", command, told | settings, ready=_answers(at.sandbox), stage=1)
        return parts, alone

    def _child(
        self,
        name: str,
        command: list[str],
        settings: dict[str, str],
        *,
        ready: Callable[[Child], bool],
        stage: int = 0,
    ) -> Child:
        log = self.var / "log" / f"{name}.log"
        return Child(name=name, command=command, environment=settings, log=log, ready=ready, stage=stage)

    def _keep_database(self) -> None:
        """Start PostgreSQL again when it died; the others reconnect by themselves."""
        database = self.database
        if database is None or database.running or time.monotonic() < self._database_restart_at:
            return
        say("database PostgreSQL ended; starting it again")
        try:
            database.start()
            self._database_failures = 0
        except EmbeddedError as problem:
            self._database_failures += 1
            wait = min(FIRST_PAUSE * 2**self._database_failures, LONGEST_PAUSE)
            self._database_restart_at = time.monotonic() + wait
            say(f"database {problem}\ndatabase next try in {wait:.0f} s")

    def _welcome(self, url: str, logins: list[dict[str, str]]) -> str:
        rows = [("Role", "E-mail", "Password", "Second factor: codes at")]
        rows += [
            (one["role"], one["email"], one["password"], one.get("totp_path") or "none") for one in logins
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        lines.insert(1, "   ".join("-" * width for width in widths))
        table = "\n".join(f"  {line.rstrip()}" for line in lines)
        seconds = time.monotonic() - self.began
        return (
            f"\n  The portal is up ({seconds:.0f} s):  {url}\n\n{table}\n\n"
            f"  Logs: {self.var / 'log'}   Stop: Ctrl-C\n"
        )


def _answers(url: str) -> Callable[[Child], bool]:
    """Whether something speaks HTTP there; readiness pages say no with 503, which counts as no."""

    def ask(_: Child) -> bool:
        try:
            with _direct.open(url, timeout=2):
                return True
        except HTTPError as answer:
            return answer.code < 500
        except (OSError, HTTPException):
            return False

    return ask


def reset(root: Path) -> None:
    """Remove all development data of this checkout: database, secrets, sandbox state, logs."""
    launcher = Launcher(root, {})
    with launcher.lock():
        EmbeddedPostgres(launcher.var / "postgres").destroy()
        shutil.rmtree(launcher.var)
