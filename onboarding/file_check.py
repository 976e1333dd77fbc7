"""Uploaded papers: what a file is, found in its bytes and never by its name, and whether it is whole."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import pikepdf
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from PIL import Image, UnidentifiedImageError

from onboarding.models import Document
from portal.errors import Invalid

Kind = Document.ContentType
SIGNATURES = {b"%PDF-": Kind.PDF, b"\xff\xd8\xff": Kind.JPEG, b"\x89PNG\r\n\x1a\n": Kind.PNG}
CHUNK = 64 * 1024
#: Where a file says that it is whole; writers may leave a few bytes after it.
TAIL = 1024


@dataclass(frozen=True)
class CheckedFile:
    """What a sound file is."""

    content_type: Kind
    size: int
    sha256: str


def file_checked(file: "UploadedFile[Any]") -> CheckedFile:
    """Check an uploaded paper piece by piece. Raises Invalid with what is wrong and what to do."""
    size = file.size or 0
    if not size:
        raise _refused("This file is empty. Choose it again, or take the photo again.")
    if size > settings.DOCUMENT_MAX_BYTES:
        most = settings.DOCUMENT_MAX_BYTES // 1024**2
        raise _refused(
            f"This file is larger than {most} MB. Take the photo with fewer pixels, or save it smaller."
        )
    stream = cast(BinaryIO, file.file)
    stream.seek(0)
    head = stream.read(16)
    kind = next((kind for start, kind in SIGNATURES.items() if head.startswith(start)), None)
    if kind is None:
        raise _refused("This is no PDF, JPEG or PNG, whatever its name says. Save it as one of these.")
    (_check_pdf if kind is Kind.PDF else _check_image)(stream, size, kind)
    stream.seek(0)
    digest = hashlib.sha256()
    while piece := stream.read(CHUNK):
        digest.update(piece)
    return CheckedFile(kind, size, digest.hexdigest())


def _refused(sentence: str) -> Invalid:
    return Invalid("This file cannot be taken.", fields={"file": [sentence]})


def _check_pdf(stream: BinaryIO, size: int, kind: Kind) -> None:
    damaged = "This PDF is damaged or was cut short. Save it again and choose the new file."
    if b"%%EOF" not in _tail(stream, size):
        raise _refused(damaged)
    stream.seek(0)
    try:
        with pikepdf.open(stream) as pdf:
            locked, pages = pdf.is_encrypted, len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise _refused("This PDF is locked with a password. Save it without one.") from error
    except pikepdf.PdfError as error:
        raise _refused(damaged) from error
    if locked:
        raise _refused("This PDF is locked with a password. Save it without one.")
    if not pages:
        raise _refused("This PDF has no page.")


def _check_image(stream: BinaryIO, size: int, kind: Kind) -> None:
    damaged = "This image is damaged or was cut short. Take the photo again, or save it again."
    if kind is Kind.JPEG and b"\xff\xd9" not in _tail(stream, size):
        raise _refused(damaged)
    stream.seek(0)
    try:
        with Image.open(stream, formats=["JPEG" if kind is Kind.JPEG else "PNG"]) as image:
            # Reads every chunk of a PNG with its checksum, and decodes nothing.
            image.verify()
    except Image.DecompressionBombError as error:
        raise _refused("This image has too many pixels. Save it smaller.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise _refused(damaged) from error


def _tail(stream: BinaryIO, size: int) -> bytes:
    stream.seek(max(0, size - TAIL), io.SEEK_SET)
    return stream.read(TAIL)
