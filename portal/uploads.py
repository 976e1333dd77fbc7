"""What holds for every uploaded file before anything looks at it."""

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler

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
