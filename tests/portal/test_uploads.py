"""How much of an uploaded file is let through."""

import io
import tempfile
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from portal.sealed_files import SealedFile, SealedReader, Sealer, new_file_key
from portal.uploads import IMPORTS, BoundedUploadHandler

PAPER, FILE = settings.DOCUMENT_MAX_BYTES, settings.IMPORT_MAX_BYTES


@pytest.mark.parametrize(
    ("path", "start", "through"),
    [
        ("/applications/", PAPER, True),
        ("/applications/", PAPER + 1, False),
        (f"{IMPORTS}new/", PAPER + 1, True),
        (f"{IMPORTS}new/", FILE + 1, False),
    ],
)
def test_the_bound_is_that_of_the_page(rf: RequestFactory, path: str, start: int, through: bool) -> None:
    handler: Any = BoundedUploadHandler(rf.post(path))
    assert (handler.receive_data_chunk(b"x", start) is not None) == through


def test_the_pages_of_imports_are_below_that_address() -> None:
    from django.urls import reverse

    assert reverse("staff:import_upload").startswith(IMPORTS)


def test_what_is_too_large_for_memory_lies_sealed_meanwhile(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through Django's own parser of multipart bodies, looking at the file on the disk."""
    content = bytes(range(256)) * 20_000
    request = rf.post("/applications/", {"file": SimpleUploadedFile("passport.pdf", content)})
    with tempfile.TemporaryFile() as disk:
        monkeypatch.setattr("portal.uploads.tempfile.TemporaryFile", lambda **_: disk)
        upload = request.FILES["file"]
        assert (upload.size, upload.name) == (len(content), "passport.pdf")
        assert upload.read() == content
        disk.seek(0)
        assert content[:64] not in disk.read()
        upload.seek(0)
        assert b"".join(upload.chunks()) == content
        upload.close()


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("step", [1_000, 65_536, 70_000])
def test_a_sealer_fed_in_any_steps_is_read_back_whole(size: int, step: int) -> None:
    key, content = new_file_key(), bytes(place % 251 for place in range(size))
    sealer = Sealer(key)
    sealed = b"".join(sealer.take(content[at : at + step]) for at in range(0, size, step)) + sealer.end()
    assert SealedReader(io.BytesIO(sealed), key).read() == content
    plain = SealedFile(io.BytesIO(content), key)
    assert b"".join(iter(lambda: plain.read(777), b"")) == sealed
