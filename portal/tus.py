"""The server's half of tus 1.0 (https://tus.io/protocols/resumable-upload): its headers in and out, nothing else.

What is announced, where bytes go and what becomes of them is the endpoints' own.
"""

import base64
import binascii
import io
import re
from datetime import datetime
from typing import IO, Any

from django.utils.http import http_date
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from portal.errors import DomainError, Invalid

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,expiration,termination"
BYTES = "application/offset+octet-stream"
#: What clients of the protocol say of a file by custom, and nobody here wants to know.
CUSTOMARY = frozenset({"filename", "filetype", "name", "type_hint", "relativePath"})


class OtherVersion(DomainError):
    """The client speaks another version of the protocol, or another protocol."""

    code = "tus-version"
    status = 412
    title = "Another version of tus"


class TusView(APIView):
    """What the endpoints of uploads share. Errors are the API's problems, with the headers of the protocol."""

    #: The largest file that is taken, in bytes.
    max_size = 0

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        said = request.headers.get("Tus-Resumable")
        # Reading what came of an upload is no part of the protocol and needs none of its headers.
        if request.method not in {"OPTIONS", "GET"} and said != VERSION:
            raise OtherVersion(f"Send Tus-Resumable: {VERSION}.")

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = VERSION
        response["Tus-Version"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """What this server can do."""
        headers = {"Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(self.max_size)}
        return Response(status=204, headers=headers)

    def number(self, name: str) -> int:
        """A header that is a count of bytes. Raises Invalid."""
        said = self.request.headers.get(name, "")
        if not re.fullmatch(r"[0-9]{1,18}", said):
            raise Invalid(f"Send {name}, a whole number of bytes.")
        return int(said)

    def metadata(self) -> dict[str, str]:
        """Upload-Metadata as words. Raises Invalid."""
        found = {}
        for pair in self.request.headers.get("Upload-Metadata", "").split(","):
            name, _, value = pair.strip().partition(" ")
            if not name or name in CUSTOMARY:
                continue
            try:
                found[name] = base64.b64decode(value.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError, ValueError) as error:
                raise Invalid(
                    'Upload-Metadata must be pairs such as "type UEFTU1BPUlQ=", names with values in Base64.'
                ) from error
        return found

    def body(self) -> tuple[IO[bytes], int]:
        """The bytes of this request, unread, and how many there are. Raises UnsupportedMediaType for another kind."""
        if self.request.content_type != BYTES:
            raise UnsupportedMediaType(self.request.content_type)
        length = self.request.META.get("CONTENT_LENGTH") or "0"
        return self.request.stream or io.BytesIO(), int(length) if length.isdigit() else 0


def place(*, offset: int, size: int, expires_at: datetime) -> dict[str, str]:
    """The headers that say how far an upload is."""
    return {
        "Upload-Offset": str(offset),
        "Upload-Length": str(size),
        "Upload-Expires": http_date(expires_at.timestamp()),
    }
