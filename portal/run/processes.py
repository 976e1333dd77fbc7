"""Small facts about processes and ports that the launcher needs. Standard library only."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def dies_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` that has the kernel send `number` to the child when its parent dies, however it dies.

    Linux only (None elsewhere, where the launcher's list of processes does the same at the next start). The
    parent is the *thread* that starts the child, so start children from the main thread.
    """
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)  # It died before we could ask.

    return ask_kernel


def command_line(pid: int) -> str:
    """The command a process runs, or "" when there is no such process (a zombie counts as none)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    found = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def started_at(pid: int) -> str:
    """A word that tells this process from a later one with the same number; "" when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    except OSError:
        return ""
    found = subprocess.run(
        ["ps", "-p", str(pid), "-o", "lstart="], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def end_group(group: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a whole process group; harmless when it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def wait_gone(pid: int, started: str, seconds: float) -> bool:
    """Whether the process ended within `seconds`."""
    deadline = time.monotonic() + seconds
    while started_at(pid) == started and started:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def is_free(port: int, host: str) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As servers do: a port whose last connections are still fading out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(wanted: int, host: str = "127.0.0.1", *, taken: frozenset[int] = frozenset()) -> int:
    """`wanted` when it is free, else the next free one; raises OSError when a hundred in a row are taken."""
    for port in range(wanted, min(wanted + 100, 65536)):
        if port not in taken and is_free(port, host):
            return port
    raise OSError(f"No free port from {wanted} on.")
