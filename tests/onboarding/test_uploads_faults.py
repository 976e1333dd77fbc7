# ruff: noqa: F811  (fixtures are imported by name)
"""Files in pieces when connections break, processes die, disks are full, or nobody goes on."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.utils import timezone
from time_machine import travel

from onboarding import upload_parts
from onboarding.models import Application, Document, Upload
from onboarding.services import uploads
from portal.document_storage import STORAGE
from portal.models import User
from tests.onboarding.papers_support import pdf, png
from tests.onboarding.uploads_support import (  # noqa: F401
    BYTES,
    TRUST,
    TUS,
    SignedIn,
    Tus,
    errors_of,
    files_in,
    folder,
    settle,
    trust,
    tus,
)

# --- Faults ---------------------------------------------------------------------------------------------------


def test_a_body_that_breaks_off_leaves_what_came(tus: Tus, trust: Application, customer_user: User) -> None:
    content = png()

    class Breaking:
        """Gives some bytes, then what a lost connection gives."""

        def __init__(self) -> None:
            self.left = [content[:70_000], content[70_000:90_000]]

        def read(self, most: int) -> bytes:
            if not self.left:
                raise OSError("connection reset")
            return self.left.pop(0)

    content = content if len(content) > 90_000 else content + os.urandom(100_000)
    url = tus.start(len(content), TRUST)
    upload = Upload.objects.get()
    uploads.upload_append(
        actor=customer_user,
        application_id=trust.pk,
        upload_id=upload.pk,
        offset=0,
        length=len(content),
        body=Breaking(),  # type: ignore[arg-type]
    )
    assert tus.offset(url) == 90_000


def test_two_requests_with_the_same_bytes(
    tus: Tus, trust: Application, customer_user: User, folder: Path
) -> None:
    """The second comes in while the first still reads its body."""
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    upload = Upload.objects.get()

    class Interposed:
        def __init__(self) -> None:
            self.left = content[:1000]

        def read(self, most: int) -> bytes:
            if self.left:
                assert tus.send(url, 0, content[:600]).status_code == 204
            found, self.left = self.left, b""
            return found

    with pytest.raises(uploads.Conflict, match="ends at byte 600"):
        uploads.upload_append(
            actor=customer_user,
            application_id=trust.pk,
            upload_id=upload.pk,
            offset=0,
            length=1000,
            body=Interposed(),  # type: ignore[arg-type]
        )
    assert tus.offset(url) == 600
    assert len(files_in(folder)) == 1
    assert tus.send(url, 600, content[600:]).status_code == 204
    assert Document.objects.get().open().read() == content


def test_killed_between_the_bytes_and_their_row(tus: Tus, folder: Path) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    upload = Upload.objects.get()
    # What a worker that died in between leaves: a file that no row knows.
    upload_parts.part_write(upload.pk, 0, content[:700])
    assert tus.offset(url) == 0
    assert tus.send(url, 0, content).status_code == 204
    assert Document.objects.get().open().read() == content
    assert files_in(folder) == []


def test_killed_before_the_whole_became_a_document(tus: Tus, trust: Application, customer_user: User) -> None:
    content = pdf(3000)
    upload_url = tus.start(len(content), TRUST)
    upload = uploads._keep(Upload.objects.get(), content)
    assert upload.is_whole
    assert not Document.objects.exists()
    settle()
    assert not Document.objects.exists()  # it may be finished by its own request yet
    with travel(timezone.now() + timedelta(minutes=3), tick=False):
        settle()
        settle()
    assert Document.objects.get().open().read() == content
    assert tus.client.get(upload_url).json()["status"] == "taken"


class Full:
    """A storage's `save` that finds the disk full."""

    def __call__(self, *_: Any, **__: Any) -> str:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_told_and_survived(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    with monkeypatch.context() as full:
        full.setattr(type(storages[STORAGE]), "_save", Full())
        answer = tus.send(url, 500, content[500:])
        assert (answer.status_code, bool(answer["Retry-After"])) == (503, True)
    assert tus.offset(url) == 500
    assert tus.send(url, 500, content[500:]).status_code == 204
    assert Document.objects.count() == 1


def test_a_disk_full_at_the_end_is_made_up_for(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    Upload.objects.get()
    uploads._keep(Upload.objects.get(), content)
    with monkeypatch.context() as full:
        full.setattr(type(storages[STORAGE]), "_save", Full())
        assert tus.send(url, len(content), b"").status_code == 503
    assert tus.client.get(url).json()["status"] == "receiving"
    assert tus.send(url, len(content), b"").status_code == 204
    assert Document.objects.get().open().read() == content


def test_what_ran_out_is_gone_and_removed(
    tus: Tus, folder: Path, signed_in: SignedIn, customer_user: User
) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    with travel(timezone.now() + timedelta(hours=25), tick=False):
        tus.client = signed_in(customer_user)
        answer = tus.send(url, 500, content[500:])
        assert (answer.status_code, answer.json()["type"]) == (410, "/docs/problems/gone")
        assert tus.client.head(url, headers=TUS).status_code == 410
        settle()
        assert tus.client.head(url, headers=TUS).status_code == 404
    assert files_in(folder) == []
    assert not Upload.objects.exists()


def test_the_record_of_a_finished_upload_goes_and_its_document_stays(tus: Tus) -> None:
    tus.whole(pdf(), TRUST)
    with travel(timezone.now() + timedelta(hours=25), tick=False):
        settle()
    assert not Upload.objects.exists()
    assert Document.objects.get().open().read()
