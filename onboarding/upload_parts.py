"""The parts of an upload in the storage: writing one, reading all of them as one file, removing them."""

import io
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.core.files.storage import storages

from onboarding.models import Upload, UploadPart
from portal import ids
from portal.document_storage import STORAGE
from portal.errors import Unavailable
from portal.sealed_files import SealedFile, new_file_key

#: The most of one request's body that is held; each piece is a part of its own.
PART_BYTES = 1024 * 1024
#: What is read at once: little of a body that breaks off is lost.
STEP = 64 * 1024
#: Parts a reader keeps: readers of PDF go to and fro between the end and the pages.
KEPT = 3


def part_write(upload_id: UUID, start: int, content: bytes) -> UploadPart:
    """Seal some bytes into a file of their own; the row is still to be saved. Raises OSError."""
    part = UploadPart(
        id=ids.new_id(), upload_id=upload_id, start=start, size=len(content), file_key=new_file_key()
    )
    storages[STORAGE].save(part.path, SealedFile(io.BytesIO(content), part.file_key.reveal()))
    return part


def part_remove(part: UploadPart) -> None:
    """Remove the file of a part that counts for nothing."""
    storages[STORAGE].delete(part.path)


def parts_remove(upload: Upload) -> None:
    """Remove every part, also files whose row was never written. May be repeated. Raises OSError."""
    storage = storages[STORAGE]
    try:
        _, names = storage.listdir(upload.folder)
    except FileNotFoundError:
        names = []
    for name in names:
        storage.delete(f"{upload.folder}/{name}")
    # What is left of a folder; a bucket has none.
    storage.delete(upload.folder)
    upload.parts.all().delete()


def upload_file(upload: Upload) -> io.BufferedReader:
    """All parts as one file. Its reads give as many bytes as are asked for, also where parts meet."""
    return io.BufferedReader(_Reader(upload), STEP)


class _Reader(io.RawIOBase):
    """The parts one after another, readable from any place. Holds a few of them."""

    def __init__(self, upload: Upload) -> None:
        self._parts = list(upload.parts.order_by("start"))
        self._length = upload.size
        self._at = 0
        self._bytes_of = lru_cache(maxsize=KEPT)(lambda number: self._parts[number].read())

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
        number = next(
            index for index, part in enumerate(self._parts) if part.start <= self._at < part.start + part.size
        )
        within = self._at - self._parts[number].start
        try:
            content = self._bytes_of(number)
        except OSError as error:
            # An OSError would pass for a damaged file with those who read images.
            raise Unavailable("The file cannot be read just now. Try again in a minute.") from error
        found = content[within : within + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
