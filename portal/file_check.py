"""What an uploaded file is, found in its bytes and never by its name, and whether it may be taken.

Nothing is kept before this. The bytes are read by a process of their own (portal/confined.py).
docs/decisions/0019-files-from-strangers.md says why each thing is refused or mended.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from portal import confined
from portal.errors import Invalid
from portal.file_kinds import FileKind as Kind

SIGNATURES = {b"%PDF-": Kind.PDF, b"\xff\xd8\xff": Kind.JPEG, b"\x89PNG\r\n\x1a\n": Kind.PNG}
#: What the photos of phones say they are, after the four bytes of the first box's length.
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"})
CHUNK = 64 * 1024
#: A header somewhere in here makes a PDF for some readers and something else for others.
HEAD = 1024
MOST_PAGES = 200
MOST_PIXELS = 64_000_000

_SAVE = "Open it, choose Print, then Save as PDF, and upload the new file."
#: What is said of each refusal: what is wrong, and how to mend it.
WORDS = {
    "archive": "This file also holds an archive (zip). Take a photo of the paper, or print it to a new PDF.",
    "pdf_head": f"This PDF does not begin like one: something stands before it. {_SAVE}",
    "pdf_tail": f"Something stands behind the end of this PDF that is no part of it. {_SAVE}",
    "pdf_damaged": "This PDF is damaged or was cut short. Save it again and choose the new file.",
    "pdf_locked": "This PDF is locked with a password. Save it without one.",
    "pdf_no_page": "This PDF has no page. Choose the file with the paper in it.",
    "pdf_long": f"This PDF has more than {MOST_PAGES} pages. Upload only the pages that are asked for.",
    "pdf_acts": f"This PDF contains a script, or does something by itself when it is opened. {_SAVE}",
    "pdf_files": f"This PDF has other files attached to it. {_SAVE}",
    "pdf_xfa": f"This PDF is an interactive form of an old kind (XFA). Fill it in first. {_SAVE}",
    "image_damaged": "This image is damaged or was cut short. Take the photo again, or save it again.",
    "image_pixels": f"This image has more than {MOST_PIXELS // 10**6} million pixels. Save it smaller.",
    "image_moves": "This image is an animation. Upload a still picture.",
    "heavy": "This file takes too much to open. Take a photo of the paper, or print it to a new, smaller PDF.",
}


@dataclass(frozen=True)
class CheckedFile:
    """What a sound file is. `is_sent_as_copy`: the provider gets a picture made of it."""

    content_type: Kind
    size: int
    sha256: str
    pages: int
    is_sent_as_copy: bool


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
    kind = _kind(stream)
    try:
        found = confined.check(stream, kind, most_pages=MOST_PAGES, most_pixels=MOST_PIXELS)
    except confined.Failed as error:
        raise _refused(WORDS["heavy"]) from error
    if "refused" in found:
        raise _refused(WORDS[found["refused"]])
    stream.seek(0)
    digest = hashlib.sha256()
    while piece := stream.read(CHUNK):
        digest.update(piece)
    return CheckedFile(kind, size, digest.hexdigest(), found["pages"], found["extra"])


def _kind(stream: BinaryIO) -> Kind:
    stream.seek(0)
    head = stream.read(HEAD)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return Kind.HEIC
    for start, kind in SIGNATURES.items():
        if head.startswith(start):
            return kind
    if b"%PDF-" in head:
        raise _refused(WORDS["pdf_head"])
    raise _refused("This is no PDF, JPEG, PNG or HEIC, whatever its name says. Save it as one of these.")


def _refused(sentence: str) -> Invalid:
    return Invalid("This file cannot be taken.", fields={"file": [sentence]})
