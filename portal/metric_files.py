"""The files in which processes count together (PROMETHEUS_MULTIPROC_DIR): those of dead processes become one.

Each process has a file of its own for counters and one for histograms. What a dead one counted must still be summed, or
the sums would fall; but web processes are replaced every few thousand requests, and a folder of thousands of files
makes each scrape slow. So a dead process's numbers are added to those of number 0, which no process has.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

#: Kinds of files whose numbers add up. Others (gauges) say how things are now: the dead have no say.
ADDED = frozenset({"counter", "histogram", "summary"})


@contextmanager
def held(folder: Path, *, to_write: bool) -> Iterator[None]:
    """Nobody reads while numbers move from one file to another, or they would count twice or not at all."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if to_write else fcntl.LOCK_SH)
        yield


def fold_dead(folder: Path) -> int:
    """Add up what dead processes counted, and remove their files; how many."""
    removed = 0
    with held(folder, to_write=True):
        for file in folder.glob("*_[1-9]*.db"):
            kind, _, pid = file.stem.rpartition("_")
            if not pid.isdecimal() or runs(int(pid)):
                continue
            if kind in ADDED:
                _add(file, folder / f"{kind}_0.db")
            file.unlink(missing_ok=True)
            removed += 1
    return removed


def drop_dead(folder: Path) -> None:
    """Forget what was counted by those that are gone, before a web starts anew: its sums begin at nothing."""
    for file in folder.glob("*_[0-9]*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid == "0" or not runs(int(pid)):
            file.unlink(missing_ok=True)


def runs(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _add(dead: Path, total: Path) -> None:
    into = MmapedDict(str(total))  # type: ignore[no-untyped-call]
    try:
        for key, value, moment, _ in MmapedDict.read_all_values_from_file(str(dead)):  # type: ignore[no-untyped-call]
            so_far, _ = into.read_value(key)  # type: ignore[no-untyped-call]
            into.write_value(key, so_far + value, moment)  # type: ignore[no-untyped-call]
    finally:
        into.close()  # type: ignore[no-untyped-call]
