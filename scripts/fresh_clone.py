"""Does what a newcomer does: clones the last commit, runs `make run`, works in a browser, presses Ctrl-C.

Then what a bad day does: kills the worker, takes the usual port, kills the launcher itself. After each stop
it looks for processes that were left behind. Prints how long the starts took. Run it with the development
requirements there.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent
#: What is done in a browser there, and within how many seconds.
IN_BROWSER = {"main_job.py": 300, "account_types.py": 600}
COLD_WITHIN, WARM_WITHIN, STOP_WITHIN = 420.0, 90.0, 40.0
#: The promise for a second start; slower is reported, much slower fails.
WARM_PROMISE = 15.0
URL = re.compile(r"The portal is up \(.*\):\s+(http://\S+)")


class Failed(Exception):
    """A step did not end as it must."""


class Run:
    """One `make run` in the clone, and what it printed."""

    def __init__(self, clone: Path, mark: str) -> None:
        own = ("DATABASE_URL", "BROKER_URL", "PORT", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        environment = {name: value for name, value in os.environ.items() if name not in own}
        self.clone, self.mark = clone, mark
        self.lines: list[str] = []
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env=environment | {"FRESH_CLONE_MARK": mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            print(f"    | {line.rstrip()}", flush=True)

    def wait_for(self, pattern: str | re.Pattern[str], seconds: float) -> re.Match[str]:
        """The first printed line that matches, from the beginning."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in list(self.lines):
                found = re.search(pattern, line)
                if found:
                    return found
            if self.process.poll() is not None:
                time.sleep(0.3)
                raise Failed(f"make run ended with status {self.process.returncode}")
            time.sleep(0.1)
        raise Failed(f"{pattern!r} was not printed within {seconds:.0f} s")

    def url(self, seconds: float) -> tuple[str, float]:
        """The address it prints, and after how many seconds its front page was answered."""
        url = self.wait_for(URL, seconds).group(1)
        with build_opener(ProxyHandler({})).open(url, timeout=20) as page:
            if page.status != 200:
                raise Failed(f"The front page answered {page.status}.")
        return url, time.monotonic() - self.began

    def press_ctrl_c(self, times: int = 1) -> None:
        """As a terminal does: SIGINT for the whole foreground group."""
        for _ in range(times):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGINT)
            time.sleep(0.5)
        self.expect_nothing_left()

    def expect_nothing_left(self) -> None:
        """Wait until every process of the run is gone."""
        until(lambda: not self.processes(), STOP_WITHIN, lambda: f"left running: {self.processes()}")
        self.process.wait(5)

    def processes(self) -> dict[int, str]:
        """What still runs of it."""
        return processes_of(self.clone, self.mark)

    def one(self, words: str) -> int:
        """The process whose command holds the words; the oldest one."""
        return min(pid for pid, command in self.processes().items() if words in command)


def until(true: Callable[[], bool], seconds: float, message: Callable[[], str]) -> None:
    """Wait for it; raises Failed with the message."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise Failed(message())
        time.sleep(0.2)


def processes_of(clone: Path, mark: str) -> dict[int, str]:
    """Processes of the clone: by a mark in their environment, or by where they work (PostgreSQL)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            marked = mark.encode() in (entry / "environ").read_bytes()
            inside = (entry / "cwd").readlink().is_relative_to(clone)
            if command and (marked or inside or str(clone) in command):
                found[int(entry.name)] = command[:120]
    return found


@contextlib.contextmanager
def taken_port(port: int) -> Iterator[None]:
    """Somebody listens there (if not already)."""
    with socket.socket() as server:
        # Connections of the run before linger for a minute and would keep the port from us, not from the next run.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            server.bind(("127.0.0.1", port))
            server.listen()
        yield


def first_start(clone: Path, mark: str) -> float:
    """The newcomer's way: start, work in a browser, a killed worker, Ctrl-C. Returns the seconds."""
    run = Run(clone, mark)
    url, cold = run.url(COLD_WITHIN)
    for script, within in IN_BROWSER.items():
        began = time.monotonic()
        path = ROOT / "tests" / "e2e" / script
        subprocess.run([sys.executable, str(path), url], cwd=ROOT, check=True, timeout=within)
        print(f"    {script} took {time.monotonic() - began:.0f} s")
    os.kill(run.one("celery -A portal worker"), signal.SIGKILL)
    run.wait_for(r"worker .*starting it again", 10)
    run.wait_for(r"worker .*runs again", 60)
    run.press_ctrl_c()
    return cold


def second_start(clone: Path, mark: str) -> float:
    """Warm, with the usual port taken, ended by killing the launcher. Returns the seconds."""
    with taken_port(8000):
        run = Run(clone, mark)
        url, warm = run.url(WARM_WITHIN)
        if url.endswith(":8000"):
            raise Failed("It took a port that was in use.")
        run.wait_for(r"Port 8000 is taken; using \d+", 1)
        os.kill(run.one("-m portal.run"), signal.SIGKILL)
        run.expect_nothing_left()
    return warm


def third_start(clone: Path, mark: str) -> float:
    """After the crash, ended by an impatient person. Returns the seconds."""
    run = Run(clone, mark)
    _, warm = run.url(WARM_WITHIN)
    run.press_ctrl_c(times=2)
    return warm


def main() -> int:
    """0 when all went as it must."""
    place = Path(tempfile.mkdtemp(prefix="fresh-"))
    place.chmod(0o755)
    # A path with a space finds what was not quoted.
    clone = place / "fresh clone"
    mark = uuid.uuid4().hex
    try:
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        cold = first_start(clone, mark)
        warm = second_start(clone, mark)
        crashed = third_start(clone, mark)
        subprocess.run(["make", "-s", "reset"], cwd=clone, check=True)
        if (clone / "var").exists():
            raise Failed("make reset left var/ behind.")
    except (Failed, subprocess.SubprocessError) as problem:
        print(f"fresh clone: FAILED: {problem}", file=sys.stderr)
        for log in sorted((clone / "var" / "log").glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
        return 1
    finally:
        for pid in processes_of(clone, mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(place, ignore_errors=True)
    slow = "" if max(warm, crashed) <= WARM_PROMISE else f"  (over the promised {WARM_PROMISE:.0f} s)"
    print(
        f"fresh clone: first page after {cold:.1f} s cold, {warm:.1f} s warm, "
        f"{crashed:.1f} s after a crash{slow}; nothing was left running"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
