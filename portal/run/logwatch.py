"""What the children write goes to files; of that, only what a person must see reaches the screen."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROTATE_AT = 10 * 1024 * 1024
#: More lines than this in ten seconds are counted, not shown: a fault in a loop must not hide the rest.
SHOWN_PER_WINDOW = 5
WINDOW = 10.0
#: A one-off job's line that begins so says how far it is.
STEP = "step:"
_IMPORTANT = re.compile(
    r"\[(?:error|critical)\s*\]|\[(?:ERROR|CRITICAL)\]|\"level\": ?\"(?:error|critical)\"", re.ASCII
)
_STAMP = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+\s*(?:Z|[+-]\d{4})?\]?\s*(?:\[\d+\]\s*)?")


@dataclass
class LogWatch:
    """Follows one log file from its end; `lines()` gives what is important and new."""

    path: Path
    offset: int = 0
    _window_start: float = 0.0
    _shown: int = 0
    _hidden: int = 0
    _rest: bytes = field(default=b"", repr=False)

    def begin(self) -> None:
        """Start at the present end; what earlier runs wrote is history."""
        self.path.touch()
        self.offset = self.path.stat().st_size
        self._rest = b""

    def new_text(self) -> list[str]:
        """The whole lines written since the last call."""
        with self.path.open("rb") as log:
            log.seek(self.offset)
            data = log.read(1024 * 1024)
        self.offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if self.offset > ROTATE_AT:
            self._rotate()
        return [line.decode(errors="replace") for line in lines]

    def important(self, lines: list[str]) -> Iterator[str]:
        """Those of the lines a person must see, shortened; a flood becomes one line that counts it."""
        now = time.monotonic()
        if now - self._window_start > WINDOW:
            if self._hidden:
                yield f"... and {self._hidden} more such lines in {self.path}"
            self._window_start, self._shown, self._hidden = now, 0, 0
        for line in lines:
            if not _IMPORTANT.search(line):
                continue
            if self._shown >= SHOWN_PER_WINDOW:
                self._hidden += 1
                continue
            self._shown += 1
            yield _short(line)

    def tail(self, count: int = 15) -> str:
        """The last lines, for a message about a child that died."""
        try:
            with self.path.open("rb") as log:
                log.seek(max(0, self.path.stat().st_size - 8192))
                return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])
        except OSError:
            return ""

    def _rotate(self) -> None:
        # The children hold the file open for appending, so it is copied and emptied, not moved.
        shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
        with self.path.open("r+b") as log:
            log.truncate(0)
        self.offset = 0


def _short(line: str) -> str:
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            return line[:240]
        return f"{entry.get('level', '')}: {entry.get('event', '')}"[:240]
    return _STAMP.sub("", line).strip()[:240]
