"""`python -m portal.run.guardian BOOK`: ends what a launcher left running when it was killed.

It waits for the end of its standard input, which comes when the launcher dies, however it dies. A launcher
that stops as it should has removed its book by then, and there is nothing to do.
"""

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from portal.run.processes import end_group, started_at

GRACE = 5.0


def end_all(book: Path, grace: float = GRACE) -> None:
    """End every process group the book names, politely first; a number that others have now is left be."""
    try:
        known = json.loads(book.read_text())
    except (OSError, ValueError):
        return
    # A leader may be gone while its group lives; until that is gone, nobody else is given the number.
    groups = [one["pid"] for one in known if started_at(one["pid"]) in ("", one["started"])]
    for group in groups:
        end_group(group, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while any(_lives(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        end_group(group)
    book.unlink(missing_ok=True)


def _lives(group: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, 0)
        return True
    return False


if __name__ == "__main__":
    sys.stdin.read()
    end_all(Path(sys.argv[1]))
