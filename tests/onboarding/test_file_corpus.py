"""Hostile files through the HTTP stack, by page and by REST: each refused in its own words, or mended."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from PIL import Image

from onboarding import document_checks, services
from onboarding.models import Application, Document, DocumentCopy
from onboarding.models.documents import UNOPENABLE
from portal.models import MailMessage, User
from tests.onboarding import corpus
from tests.onboarding.papers_support import file, pdf, upload

pytestmark = pytest.mark.once

SignedIn = Callable[[User], Client]
Status = Document.Status


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


def a_trust(user: User) -> Application:
    """A trust's draft, which takes papers before any question is answered."""
    return services.application_start(actor=user, account_type="ENTITY_PERSONAL_TRUST", source="page")


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def send(client: Client, application: Application, way: str, content: bytes) -> HttpResponse:
    """Upload a trust's certificate, under a name that says nothing true."""
    given = SimpleUploadedFile("passport.pdf", content, content_type="application/pdf")
    if way == "api":
        sent = {"type": "TRUST_CERTIFICATION", "file": given}
        answer = client.post(reverse("api:documents", args=[application.pk]), sent)
    else:
        sent = {"trust-front": given, "trust-country": "US"}
        answer = client.post(reverse("customer:documents", args=[application.pk]), sent)
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.parametrize("way", ["page", "api"])
@pytest.mark.parametrize("name", list(corpus.REFUSED))
def test_refused_with_what_to_do_and_nothing_kept(
    customer_user: User, signed_in: SignedIn, tmp_path: Path, name: str, way: str
) -> None:
    make, words = corpus.REFUSED[name]
    application = a_trust(customer_user)
    answer = send(signed_in(customer_user), application, way, make())
    assert answer.status_code == 422
    if way == "api":
        (problem,) = answer.json()["errors"]
        assert (problem["pointer"], words in problem["detail"]) == ("/file", True), problem
    else:
        assert words in answer.content.decode()
    assert not Document.objects.exists()
    assert not stored(tmp_path)


@pytest.mark.parametrize("way", ["page", "api"])
@pytest.mark.parametrize("name", list(corpus.TAKEN))
def test_taken_for_what_it_is_and_shown_without_the_rest(
    customer_user: User, signed_in: SignedIn, name: str, way: str
) -> None:
    make, kind, is_copied = corpus.TAKEN[name]
    content = make()
    application = a_trust(customer_user)
    answer = send(signed_in(customer_user), application, way, content)
    assert answer.status_code in {201, 302}, answer.content
    document = Document.objects.get()
    assert (document.content_type, document.is_sent_as_copy) == (kind, is_copied)
    with document.open() as opened:
        assert opened.read() == content, "the original stays as it came"
    document_checks.check(document.pk)
    copies = list(document.copies.order_by("kind", "page"))
    previews = [copy for copy in copies if copy.kind == DocumentCopy.Kind.PREVIEW]
    assert [copy.page for copy in previews] == list(range(1, min(document.pages, 10) + 1))
    assert len(copies) - len(previews) == is_copied
    for copy in copies:
        with copy.open() as opened:
            shown = opened.read()
        assert not any(word in shown for word in (b"<script", b"Secret place", b"Exif", b"GPS", b"wwww"))
        with Image.open(io.BytesIO(shown)) as image:
            assert image.format == "JPEG"
            assert not image.getexif()


def test_a_photo_is_shown_upright(customer_user: User) -> None:
    application = a_trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(corpus.located_jpeg()))
    document_checks.check(found.pk)
    with found.copies.get().open() as opened, Image.open(io.BytesIO(opened.read())) as image:
        assert image.size == (200, 320)


def test_a_page_that_cannot_be_drawn_is_asked_for_again(
    customer_user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page opened at the door; a later one takes all the time there is."""
    application = a_trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(), "a.pdf"))
    monkeypatch.setattr("portal.confined.SECONDS", 0.0)
    document_checks.check(found.pk)
    found.refresh_from_db()
    assert (found.status, found.problem, found.why_useless) == (Status.REFUSED, UNOPENABLE, UNOPENABLE)
    assert not found.copies.exists()
    assert len(stored(tmp_path)) == 1
    assert MailMessage.objects.get().subject == "Please upload another file"
