"""Starts a set of processes in order, keeps them running, and stops them without leaving one behind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from portal.run.guardian import end_all
from portal.run.logwatch import STEP, LogWatch
from portal.run.processes import dies_with_parent, end_group, started_at

CODE = Path(__file__).resolve().parent.parent.parent
TICK = 0.2
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
#: A child that ran this long was well; its next failure counts as the first again.
WELL_AFTER = 60.0
READY_WITHIN = 90.0
#: So many deaths before it was ever ready are a fault, not bad luck.
GIVE_UP_AFTER = 3

Say = Callable[[str], None]


class StopAsked(Exception):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


class NotReady(RuntimeError):
    """A child did not come up; the message holds the end of its log."""


@dataclass
class Child:
    """One supervised process. `ready` is asked until it says yes; the lowest `stage` is stopped first."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ready: Callable[["Child"], bool]
    stage: int = 0
    stop_within: float = 10.0

    def __post_init__(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.watch = LogWatch(self.log)
        self.watch.begin()
        self.process: subprocess.Popen[bytes] | None = None
        self.is_ready = False
        self.failures = 0
        self.began = 0.0
        self.restart_at = 0.0
        self.log_began = 0

    def start(self, cwd: Path) -> None:
        """Start it in its own session, so that a terminal's Ctrl-C reaches the supervisor alone."""
        self.began, self.is_ready = time.monotonic(), False
        self.log_began = self.log.stat().st_size
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=cwd,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),  # noqa: PLW1509  (the launcher has one thread)
            )

    def said(self, text: str) -> bool:
        """Whether it wrote `text` since it was started."""
        with self.log.open("rb") as log:
            log.seek(min(self.log_began, self.log.stat().st_size))
            return text.encode() in log.read()


class Supervisor:
    """Runs children below `root`; the file `book` names them for the launcher that comes after a crash."""

    def __init__(self, root: Path, book: Path, say: Say) -> None:
        self.root, self.book, self.say = root, book, say
        self.children: list[Child] = []
        self.signals = 0
        self.is_up = False
        self._stopping = False
        self._guardian: subprocess.Popen[bytes] | None = None

    def catch_signals(self) -> None:
        """From here on signals are counted; they take effect at the next `pause`."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count)

    def _count(self, number: int, frame: object) -> None:
        self.signals += 1

    def pause(self, seconds: float = TICK) -> None:
        """Sleep; raises StopAsked once a stop was asked for."""
        deadline = time.monotonic() + seconds
        while True:
            if self.signals and not self._stopping:
                raise StopAsked
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.05))

    def guard(self) -> None:
        """End what an earlier launcher left, and have a guardian do the same for us should we be killed."""
        end_all(self.book)
        # It goes when its standard input ends, that is with us; the children do not inherit the other end.
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "portal.run.guardian", str(self.book)],
            cwd=CODE,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def start(self, child: Child) -> None:
        """Start a child and keep it from now on."""
        if child not in self.children:
            self.children.append(child)
        child.start(self.root)
        self._write_book()

    def run_once(self, job: Child) -> None:
        """Run a job to its end, showing its steps; raises NotReady when it fails, or StopAsked."""
        job.start(self.root)
        assert job.process is not None
        try:
            while True:
                ended = job.process.poll()
                for line in job.watch.new_text():
                    if line.startswith(STEP):
                        self.say(f"  {line.removeprefix(STEP).strip()}")
                if ended is not None:
                    break
                self.pause(0.1)
        finally:
            end_group(job.process.pid)
            job.process.wait()
        if ended:
            raise NotReady(f"{job.name} failed. The end of {job.log}:\n{job.watch.tail()}")

    def wait_ready(self, children: Iterable[Child]) -> None:
        """Wait for all of them; raises NotReady with the end of the log, or StopAsked."""
        waiting = list(children)
        deadline = time.monotonic() + READY_WITHIN
        while waiting:
            self.tick()
            waiting = [child for child in waiting if not child.is_ready]
            for child in waiting:
                if child.failures >= GIVE_UP_AFTER or time.monotonic() > deadline:
                    raise NotReady(
                        f"{child.name} does not come up. The end of {child.log}:\n{child.watch.tail()}"
                    )
            self.pause()
        self.is_up = True

    def tick(self) -> None:
        """One look at every child: what it said, whether it is ready, whether it died."""
        for child in self.children:
            lines = child.watch.new_text()
            # While things come up they miss each other, which is no news; a failure shows its log.
            for line in child.watch.important(lines) if self.is_up else ():
                self.say(f"{child.name:<8} {line}")
            if child.process is None:
                if time.monotonic() >= child.restart_at:
                    self.start(child)
            elif child.process.poll() is not None:
                self._bury(child)
            elif not child.is_ready and child.ready(child):
                child.is_ready = True
                if child.failures:
                    self.say(f"{child.name:<8} runs again")
            elif child.failures and time.monotonic() - child.began > WELL_AFTER:
                child.failures = 0

    def _bury(self, child: Child) -> None:
        assert child.process is not None
        status = child.process.returncode
        # Its own children may have outlived it; two generations must not work side by side.
        end_group(child.process.pid)
        child.process = None
        child.failures += 1
        wait = min(FIRST_PAUSE * 2 ** (child.failures - 1), LONGEST_PAUSE)
        child.restart_at = time.monotonic() + wait
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self.say(f"{child.name:<8} {how}; starting it again in {wait:.0f} s (see {child.log})")

    def stop(self) -> None:
        """Stop all children by stage; another signal meanwhile kills what is left at once."""
        self._stopping = True
        before = self.signals
        for stage in sorted({child.stage for child in self.children}):
            group = [child for child in self.children if child.stage == stage and child.process is not None]
            for child in group:
                assert child.process is not None
                if child.process.poll() is None:
                    child.process.terminate()
            began = time.monotonic()
            for child in group:
                assert child.process is not None
                while child.process.poll() is None and self.signals == before:
                    if time.monotonic() - began > child.stop_within:
                        self.say(f"{child.name:<8} did not stop within {child.stop_within:.0f} s; killed")
                        break
                    self.pause(0.05)
                end_group(child.process.pid)
                child.process.wait()
                child.process = None
        self.book.unlink(missing_ok=True)
        if self._guardian is not None:
            self._guardian.communicate()

    @property
    def hurried(self) -> bool:
        """Whether a second signal asked to stop at once."""
        return self.signals > 1

    def _write_book(self) -> None:
        running = [child.process.pid for child in self.children if child.process is not None]
        entries = [{"pid": pid, "started": started_at(pid)} for pid in running]
        self.book.parent.mkdir(parents=True, exist_ok=True)
        draft = self.book.with_suffix(".new")
        draft.write_text(json.dumps(entries))
        draft.replace(self.book)
