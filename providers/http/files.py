"""Files that travel piece by piece, so that a large one is never held in memory."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import SEEK_END, BytesIO
from typing import BinaryIO

PLAIN_NAME = "document"


@dataclass(frozen=True)
class Upload:
    """A multipart body: text parts, then one file under `name`. `file` is seekable and sent from its start.

    The file name sent is a fixed one: the customer's own may hold personal data.
    """

    name: str
    media_type: str
    file: BinaryIO = field(repr=False)
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a media type that would break out of its header."""
        if not self.media_type.isascii() or not self.media_type.isprintable():
            raise ValueError("not a media type")


@dataclass(frozen=True)
class Download:
    """Where the body of a good answer is written, and the most bytes taken. `into` is seekable."""

    into: BinaryIO = field(repr=False)
    cap_bytes: int

    def start_over(self) -> None:
        """Forget what an earlier attempt wrote."""
        self.into.seek(0)
        self.into.truncate()


class MultipartBody:
    """The encoded upload as a file-like object of known length: what the HTTP library reads as it sends."""

    def __init__(self, upload: Upload) -> None:
        boundary = secrets.token_hex(16)
        self.media_type = f"multipart/form-data; boundary={boundary}"
        head = b"".join(_text_part(boundary, name, text) for name, text in upload.texts.items())
        head += (
            f"--{boundary}\r\nContent-Disposition: form-data; name={json.dumps(upload.name)}; "
            f'filename="{PLAIN_NAME}"\r\nContent-Type: {upload.media_type}\r\n\r\n'
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = upload.file.seek(0, SEEK_END)
        upload.file.seek(0)
        self._length = len(head) + size + len(tail)
        self._pieces: list[BinaryIO] = [BytesIO(head), upload.file, BytesIO(tail)]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> "MultipartBody":
        return self

    def __next__(self) -> bytes:
        if piece := self.read(64 * 1024):
            return piece
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; empty at the end."""
        while self._pieces:
            if found := self._pieces[0].read(size):
                return found
            self._pieces.pop(0)
        return b""


def _text_part(boundary: str, name: str, text: str) -> bytes:
    lines = (
        f"--{boundary}",
        f"Content-Disposition: form-data; name={json.dumps(name)}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        "",
    )
    return "\r\n".join(lines).encode()
