"""Files under seal: AES-256-GCM in chunks, so that a big one is written and read without being held whole.

Each file has a key of its own, kept in a sealed field of its row (portal.sealed). Its chunks are numbered and the
last one is marked in the nonce, so that one left out, moved or cut off does not open (the STREAM construction:
Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
"""

import base64
import io
import os
from collections.abc import Iterator
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.files.base import File

from portal.keyring import KEY_BYTES, TAG_BYTES, CannotUnseal

#: The first bytes of every sealed file; authenticated with each chunk.
HEADER = b"PPF\x01"
CHUNK = 64 * 1024


def new_file_key() -> str:
    """A fresh key for one file, in the form its row keeps."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class Sealer:
    """Seals what it is given piece by piece. The key must be fresh: each serves one file."""

    def __init__(self, key: str) -> None:
        self._cipher = AESGCM(base64.b64decode(key))
        self._number = -1
        self._held = b""

    def take(self, piece: bytes) -> bytes:
        """The sealed bytes that are ready; the last chunk waits, for only the end says that it is the last."""
        ready = b"" if self._number >= 0 else HEADER
        self._number = max(self._number, 0)
        self._held += piece
        while len(self._held) > CHUNK:
            ready += self._sealed(self._held[:CHUNK], last=False)
            self._held = self._held[CHUNK:]
        return ready

    def end(self) -> bytes:
        """The rest."""
        return self.take(b"") + self._sealed(self._held, last=True)

    def _sealed(self, piece: bytes, *, last: bool) -> bytes:
        self._number += 1
        return self._cipher.encrypt(_nonce(self._number - 1, last), piece, HEADER)


class SealedFile(File):  # type: ignore[type-arg]
    """A file to hand to a storage: what the storage reads of it is sealed, in one pass. The key must be fresh."""

    def __init__(self, plain: IO[bytes], key: str) -> None:
        super().__init__(plain)
        self._pieces = self._all(plain, Sealer(key))
        self._ready = b""

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The sealed bytes, in pieces of our own size."""
        return self._pieces

    def read(self, size: int = -1) -> bytes:
        """The next sealed bytes, as storages read that know nothing of `chunks`."""
        while size < 0 or len(self._ready) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._ready += piece
        size = len(self._ready) if size < 0 else size
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

    def seekable(self) -> bool:
        """Each byte is sealed once."""
        return False

    def _all(self, plain: IO[bytes], sealer: Sealer) -> Iterator[bytes]:
        plain.seek(0)
        while piece := plain.read(CHUNK):
            yield sealer.take(piece)
        yield sealer.end()


class SealedReader(io.RawIOBase):
    """What is under the seal, readable from any place. Holds one chunk. Raises CannotUnseal as it reads."""

    def __init__(self, sealed: IO[Any], key: str) -> None:
        self._sealed = sealed
        self._cipher = AESGCM(base64.b64decode(key))
        sealed.seek(0, io.SEEK_END)
        body = sealed.tell() - len(HEADER)
        self._count = -(-body // (CHUNK + TAG_BYTES))
        self._length = body - self._count * TAG_BYTES
        if self._length < 0 or self._count < 1:
            raise CannotUnseal("the file is cut short")
        self._at = 0
        self._loaded = -1
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._length:
            return 0
        number, within = divmod(self._at, CHUNK)
        self._load(number)
        found = self._piece[within : within + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._sealed.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._loaded:
            return
        self._sealed.seek(len(HEADER) + number * (CHUNK + TAG_BYTES))
        token = self._sealed.read(CHUNK + TAG_BYTES)
        try:
            self._piece = self._cipher.decrypt(_nonce(number, number == self._count - 1), token, HEADER)
        except (InvalidTag, ValueError) as error:
            raise CannotUnseal("the file was changed, or is another row's") from error
        self._loaded = number
