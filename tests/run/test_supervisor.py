"""The supervisor keeps children running and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.run.guardian import end_all
from portal.run.processes import command_line
from portal.run.supervisor import Child, NotReady, StopAsked, Supervisor

PROJECT = Path(__file__).resolve().parent.parent.parent
STAYS = "import time\nprint('up', flush=True)\ntime.sleep(600)"
#: Ignores the polite signal and has a child of its own.
STUBBORN = (
    "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "own = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print('own', own.pid, flush=True)\nprint('up', flush=True)\ntime.sleep(600)"
)


class Kit:
    """A supervisor on a temporary directory, and what it said."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.said: list[str] = []
        self.supervisor = Supervisor(root, root / "book.json", self.said.append)

    def child(self, program: str, name: str = "part", **options: object) -> Child:
        return Child(
            name=name,
            command=[sys.executable, "-c", program],
            environment=dict(os.environ),
            log=self.root / f"{name}.log",
            ready=lambda child: child.said("up"),
            **options,  # type: ignore[arg-type]
        )

    def up(self, program: str, name: str = "part", **options: object) -> Child:
        child = self.child(program, name, **options)
        self.supervisor.start(child)
        self.supervisor.wait_ready([child])
        return child

    def until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self.said
            self.supervisor.tick()
            time.sleep(0.05)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit(tmp_path)


def pid_of(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def own_child(child: Child) -> int:
    return int(child.log.read_text().split()[1])


def test_a_killed_child_is_started_again(kit: Kit) -> None:
    child = kit.up(STAYS)
    first = pid_of(child)
    os.kill(first, signal.SIGKILL)
    kit.until(lambda: child.process is not None and pid_of(child) != first and child.is_ready)
    assert any("killed by signal 9" in line for line in kit.said)
    kit.supervisor.stop()


def test_what_a_dead_child_left_running_is_ended_before_the_next(kit: Kit) -> None:
    child = kit.up(STUBBORN)
    orphan = own_child(child)
    os.kill(pid_of(child), signal.SIGKILL)
    kit.until(lambda: child.process is None)
    kit.until(lambda: not command_line(orphan))
    kit.supervisor.stop()


def test_pauses_between_restarts_grow(kit: Kit) -> None:
    child = kit.child("raise SystemExit(3)")
    kit.supervisor.start(child)
    kit.until(lambda: child.failures == 2)
    assert [line.partition("again in ")[2][:3] for line in kit.said] == ["1 s", "2 s"]
    assert "ended with status 3" in kit.said[0]
    kit.supervisor.stop()


def test_a_child_that_never_comes_up_is_named_with_its_last_words(kit: Kit) -> None:
    child = kit.child("raise SystemExit('no such thing')")
    kit.supervisor.start(child)
    with pytest.raises(NotReady, match="no such thing"):
        kit.supervisor.wait_ready([child])
    kit.supervisor.stop()


def test_a_stop_ends_the_stages_in_order_and_forgets_the_book(kit: Kit) -> None:
    note = kit.root / "order"
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n    open(sys.argv[1], 'a').write(sys.argv[2]); raise SystemExit\n"
        "signal.signal(signal.SIGTERM, end)\nprint('up', flush=True)\ntime.sleep(600)"
    )
    for name, stage in (("late", 1), ("soon", 0)):
        child = kit.child(program, name, stage=stage)
        child.command += [str(note), f"{name} "]
        kit.supervisor.start(child)
    kit.supervisor.wait_ready(kit.supervisor.children)
    kit.supervisor.stop()
    assert note.read_text() == "soon late "
    assert not kit.supervisor.book.exists()


def test_a_child_that_will_not_stop_is_killed_with_its_own_children(kit: Kit) -> None:
    child = kit.up(STUBBORN, stop_within=0.3)
    pid, orphan = pid_of(child), own_child(child)
    kit.supervisor.stop()
    assert command_line(pid) == ""
    kit.until(lambda: not command_line(orphan))
    assert any("did not stop" in line for line in kit.said)


def test_a_second_signal_does_not_wait(kit: Kit) -> None:
    child = kit.up(STUBBORN, stop_within=60)
    kit.supervisor.signals = 1
    with pytest.raises(StopAsked):
        kit.supervisor.pause()
    previous = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGALRM, kit.supervisor._count)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    began = time.monotonic()
    kit.supervisor.stop()
    signal.signal(signal.SIGALRM, previous)
    assert time.monotonic() - began < 5
    assert child.process is None
    assert kit.supervisor.hurried


def test_nothing_of_a_killed_supervisor_lives_on_however_stubborn(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from tests.run.test_supervisor import Kit, STUBBORN, own_child, pid_of\n"
        "kit = Kit(Path(sys.argv[1]))\nkit.supervisor.guard()\n"
        "child = kit.up(STUBBORN)\nprint(pid_of(child), own_child(child), flush=True)\ntime.sleep(60)"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert supervisor.stdout is not None
    pids = [int(word) for word in supervisor.stdout.readline().split()]
    supervisor.kill()
    supervisor.wait()
    deadline = time.monotonic() + 10
    while any(command_line(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [command_line(pid) for pid in pids] == ["", ""]


def test_leftovers_in_the_book_are_ended_but_not_a_stranger_with_their_number(kit: Kit) -> None:
    left = kit.up(STUBBORN)
    stranger = subprocess.Popen([sys.executable, "-c", STAYS], stdout=subprocess.DEVNULL)
    entries = json.loads(kit.supervisor.book.read_text())
    kit.supervisor.book.write_text(json.dumps([*entries, {"pid": stranger.pid, "started": "1"}]))
    end_all(kit.supervisor.book, grace=0.5)
    assert left.process is not None
    assert left.process.wait(5) == -signal.SIGKILL
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_failed_job_shows_the_end_of_its_log(kit: Kit) -> None:
    with pytest.raises(NotReady, match="out of paper"):
        kit.supervisor.run_once(kit.child("print('step: half way'); raise SystemExit('out of paper')"))
    assert kit.said == ["  half way"]


def test_errors_reach_the_screen_once_it_is_up_and_a_flood_is_counted(kit: Kit) -> None:
    program = (
        "import time\nprint('[error    ] early', flush=True)\nprint('up', flush=True)\ntime.sleep(1)\n"
        "print('[info     ] fine\\n' + '2026-11-21T09:00:00Z [error    ] late\\n' * 9, flush=True)\n"
        "time.sleep(600)"
    )
    child = kit.up(program)
    kit.until(lambda: len(kit.said) >= 5)
    assert kit.said == ["part     [error    ] late"] * 5
    child.watch._window_start -= 60
    kit.supervisor.tick()
    assert "4 more such lines" in kit.said[-1]
    kit.supervisor.stop()
