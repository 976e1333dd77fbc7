"""What holds for every uploaded file before anything looks at it."""

import io
import tempfile
from typing import Any, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from portal.sealed_files import SealedReader, Sealer, new_file_key

#: Below this address staff bring files of customers in, which may be larger than papers.
IMPORTS = "/staff/imports/"


class BoundedUploadHandler(FileUploadHandler):
    """Lets a file through to just over the largest size taken; the rest is read and thrown away.

    Nobody fills the disk that way, and the file's size still says that it is too large.
    """

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None if start > self._most() else raw_data

    def _most(self) -> int:
        imports = self.request is not None and self.request.path.startswith(IMPORTS)
        return settings.IMPORT_MAX_BYTES if imports else settings.DOCUMENT_MAX_BYTES

    def file_complete(self, file_size: int) -> None:
        return None


class SealedUploadHandler(FileUploadHandler):
    """What is too large for memory goes to a nameless file, sealed as it comes, under a key that nobody keeps.

    In place of Django's TemporaryFileUploadHandler, which leaves customers' papers in the open on the disk meanwhile.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._key = new_file_key()
        self._sealer = Sealer(self._key)
        self._sealed = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  closed with the upload

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._sealed.write(self._sealer.take(raw_data))

    def file_complete(self, file_size: int) -> "UploadedFile[Any]":
        self._sealed.write(self._sealer.end())
        self._sealed.flush()
        return UploadedFile(
            file=cast(Any, io.BufferedReader(SealedReader(self._sealed, self._key))),
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        sealed = getattr(self, "_sealed", None)
        if sealed is not None:
            sealed.close()
