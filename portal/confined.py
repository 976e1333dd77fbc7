"""Files of strangers are opened by a process of their own, bounded in memory and time (portal/untrusted.py)."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

SCRIPT = Path(__file__).with_name("untrusted.py")
#: How long one file may take. The process bounds its own memory and processor time.
SECONDS = 60
CHUNK = 64 * 1024
#: What it answers fits many times.
LONGEST_LINE = 64 * 1024
#: A preview is a tenth of it.
LARGEST_PICTURE = 8 * 1024 * 1024
#: So many at once for each of our processes: each may take a gigabyte and a half for a moment.
_turns = threading.BoundedSemaphore(2)


class Failed(Exception):
    """The file took more than it may, or broke what opened it."""


def check(file: BinaryIO, kind: str, *, most_pages: int, most_pixels: int) -> dict[str, Any]:
    """What is wrong (`refused`), or what the file is (`pages`, `extra`). Raises Failed."""
    with _opened(file, "check", kind, str(most_pages), str(most_pixels)) as answer:
        found: dict[str, Any] = _object(answer.read(LONGEST_LINE), dict)
        return found


def pictures(
    file: BinaryIO, kind: str, *, pages: int, is_copied: bool
) -> Iterator[tuple[dict[str, Any], bytes]]:
    """The pictures of the file, one held at a time: what each is, and its JPEG. Raises Failed, also on the way."""
    with _opened(file, "pictures", kind, str(pages), "1" if is_copied else "0") as answer:
        for one in _object(answer.readline(LONGEST_LINE), list):
            content = answer.read(one["size"])
            if len(content) != one["size"]:
                raise Failed("the pictures broke off")
            yield one, content


def marked(file: BinaryIO, kind: str, *, text: str, font: Path) -> bytes:
    """The picture as a JPEG with the text all over it; some hundred kilobytes. Raises Failed."""
    line = " ".join(text.split()).encode() + b"\n"
    with _opened(file, "mark", kind, str(font), "-", before=line) as answer:
        (one,) = _object(answer.readline(LONGEST_LINE), list)
        if one["size"] > LARGEST_PICTURE:
            raise Failed("the picture is too large")
        content = answer.read(one["size"])
        if len(content) != one["size"]:
            raise Failed("the picture broke off")
        return content


def _object(text: bytes, kind: type[Any]) -> Any:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Failed("no answer") from error
    if not isinstance(found, kind):
        raise Failed("no answer")
    return found


@contextmanager
def _opened(file: BinaryIO, *words: str, before: bytes = b"") -> Iterator[IO[bytes]]:
    """Give the file to a fresh process, without our environment; what it answers. `before` goes ahead of the file."""
    with _turns:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(SCRIPT), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        alarm = threading.Timer(SECONDS, process.kill)
        alarm.start()
        try:
            # It reads all of it before it answers, so neither waits for the other.
            _pour(file, process.stdin, before)
            yield process.stdout
            if process.wait() != 0:
                raise Failed(f"ended with {process.returncode}")
        finally:
            alarm.cancel()
            process.kill()
            process.wait()
            process.stdout.close()


def _pour(file: BinaryIO, into: IO[bytes], before: bytes) -> None:
    file.seek(0)
    try:
        into.write(before)
        while piece := file.read(CHUNK):
            into.write(piece)
        into.close()
    except BrokenPipeError as error:
        raise Failed("it stopped reading") from error
