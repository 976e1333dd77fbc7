"""Which files of papers a person may open, and the links to them: signed, short-lived, of one person and one file.

A link alone opens nothing: whoever follows it is signed in, is the person it was made for, and may still see the file.
"""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import Q
from django.http import FileResponse

from onboarding import shut_away
from onboarding.models import Document, DocumentCopy
from portal import audit, clock, confined, permissions
from portal.errors import Forbidden, Gone, NotFound, Unavailable
from portal.file_answers import safe
from portal.models import User
from portal.pdf import FONTS, MAIN_FONT
from portal.revealing import is_shown
from portal.sealed_files import SealedReader

LINK_LASTS = timedelta(minutes=5)
SALT = "onboarding.files"
ORIGINAL = 0


#: The field that whoever wants a file as it came has to reveal, with a reason.
FIELD = "onboarding.document.original"


@dataclass(frozen=True)
class OpenedFile:
    """A file somebody may see: the original (page 0) or the preview of a page, `mark` being written across it."""

    document: Document
    page: int
    mark: str = ""


def token(user: User, document: Document, page: int = ORIGINAL) -> str:
    """What a link to the file ends with."""
    return signing.dumps([str(user.pk), str(document.pk), page], salt=SALT)


def link_ends() -> datetime:
    """When a link made now stops working."""
    return clock.now() + LINK_LASTS


def pages_of(document: Document) -> list[int]:
    """The pages that have a preview; none while the file may not be opened."""
    if not document.is_safe:
        return []
    return sorted(copy.page for copy in document.copies.all() if copy.kind == DocumentCopy.Kind.PREVIEW)


def document_for_customer(user: User, application_id: UUID, document_id: UUID) -> Document:
    """A customer's own: of an owner who took their part, theirs alone. Raises NotFound."""
    rows = Document.objects.select_related("application__customer", "owner").prefetch_related("copies")
    document = (
        rows.filter(
            Q(application__customer__user=user) | Q(owner__user=user),
            pk=document_id,
            application=application_id,
        )
        .exclude(application__customer__user=user, application__customer__restricted_at__isnull=False)
        .first()
    )
    if document is None or not _is_theirs(user, document):
        raise NotFound("There is no such document.")
    return document


def _is_theirs(user: User, document: Document) -> bool:
    owner = document.owner
    if owner is not None and owner.fills_in_themselves:
        return owner.user_id == user.pk
    return document.application.customer.user_id == user.pk


def document_for_staff(user: User, application_id: UUID, document_id: UUID) -> Document:
    """Any, for who looks at papers. Raises Forbidden and NotFound."""
    permissions.require(user, "application.view")
    permissions.require(user, "document.view")
    rows = Document.objects.select_related("application__customer", "owner").prefetch_related("copies")
    document = rows.filter(pk=document_id, application=application_id).first()
    if document is None:
        raise NotFound("There is no such document.")
    shut_away.require_open(user, document.application.customer)
    return document


def opened(user: User, given: str, *, source: str) -> OpenedFile:
    """The file a link of this user's names. Originals are recorded as read. Raises Gone, NotFound and Forbidden."""
    try:
        whose, document_id, page = signing.loads(given, salt=SALT, max_age=LINK_LASTS)
    except signing.SignatureExpired as error:
        raise Gone("This link has run out. Go back, reload the page and follow the new one.") from error
    except signing.BadSignature as error:
        raise NotFound("There is no such document.") from error
    application_id = Document.objects.filter(pk=document_id).values_list("application", flat=True).first()
    if whose != str(user.pk) or application_id is None:
        raise NotFound("There is no such document.")
    find = document_for_staff if user.is_staff_member else document_for_customer
    document = find(user, application_id, UUID(document_id))
    if not document.is_safe or (page != ORIGINAL and page not in pages_of(document)):
        raise NotFound("There is no such file, or it may not be opened.")
    if page == ORIGINAL:
        if user.is_staff_member and not is_shown(user, FIELD, document.pk):
            raise Forbidden("Say on the paper's page why you need the file without your name on it.")
        read(user, document, source=source, part="original")
    return OpenedFile(document, page, mark_of(user) if user.is_staff_member else "")


def mark_of(user: User) -> str:
    """What is written across the pictures this member of the staff sees: who, which login, when."""
    return f"{user.name or user.get_role_display()} {str(user.pk)[-8:]} {clock.now():%Y-%m-%d %H:%M} UTC"


def read(user: User, document: Document, *, source: str, part: str) -> None:
    """Record that somebody is about to see it."""
    audit.record(
        "document.read",
        subject=document.application,
        actor=user,
        source=source,
        after={"document": str(document.pk), "type": document.type, "part": part},
    )


def answer(file: OpenedFile) -> FileResponse:
    """The file as an answer: kept nowhere on the way, taken for nothing else than it is, able to do nothing."""
    document, page = file.document, file.page
    if page == ORIGINAL:
        return attachment(document, document.content_type, document.extension)
    copy = document.copies.get(kind=DocumentCopy.Kind.PREVIEW, page=page)
    if file.mark:
        return _marked(copy, file.mark)
    return safe(FileResponse(_stream(copy.open()), content_type=copy.content_type), copy.size)


def _marked(copy: DocumentCopy, mark: str) -> FileResponse:
    """Drawn for this one reader and kept nowhere; by the bounded process, since hostile bytes made the picture."""
    try:
        with copy.open() as picture:
            content = confined.marked(picture, copy.content_type, text=mark, font=FONTS / MAIN_FONT)  # type: ignore[arg-type]
    except confined.Failed as error:
        raise Unavailable("The picture could not be drawn just now. Load the page again.") from error
    return safe(FileResponse(io.BytesIO(content), content_type=copy.content_type), len(content))


def attachment(document: Document, content_type: str, extension: str) -> FileResponse:
    """The original, to be saved and not shown."""
    name = f"{document.application.reference}-{str(document.pk)[-8:]}.{extension}"
    response = FileResponse(
        _stream(document.open()), as_attachment=True, filename=name, content_type=content_type
    )
    return safe(response, document.size)


def _stream(reader: SealedReader) -> Any:
    # FileResponse asks for bytes as files give them, and closes it.
    return reader
