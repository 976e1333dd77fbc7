"""Invented papers, and the upload of everything an application asks for."""

import io
import os
from datetime import date
from typing import Any

import pikepdf
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from onboarding import papers
from onboarding.models import Application, Document
from onboarding.services.documents import document_upload
from portal.models import User

VALID_UNTIL = date(2031, 5, 1)


def jpeg() -> bytes:
    into = io.BytesIO()
    Image.new("RGB", (320, 200), "navy").save(into, "JPEG")
    return into.getvalue()


def png() -> bytes:
    into = io.BytesIO()
    Image.effect_noise((320, 200), 60).save(into, "PNG")
    return into.getvalue()


def pdf(size: int = 0) -> bytes:
    """A PDF of one page, with a stream that makes it at least so big."""
    into = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.Root.Filler = made.make_stream(os.urandom(size))
        made.save(into)
    return into.getvalue()


def file(content: bytes | None = None, name: str = "scan.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, jpeg() if content is None else content)


def upload(user: User, application: Application, **more: Any) -> Document:
    """One file; a passport of the entity's applicant unless something else is said."""
    given: dict[str, Any] = {"file": file(), "country": "US", "source": "page"} | more
    return document_upload(actor=user, application_id=application.pk, **given)


def upload_all(user: User, application: Application) -> list[Document]:
    """Every paper that is asked for, passports for people."""
    found = []
    for paper in papers.papers_of(application):
        kind = paper.rule.types[0]
        found.append(
            upload(
                user,
                application,
                type=kind,
                owner_id=paper.owner.pk if paper.owner else None,
                expires_on=VALID_UNTIL if paper.owner else None,
                file=file() if paper.owner else file(pdf(), "company.pdf"),
            )
        )
    return found
