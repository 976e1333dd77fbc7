"""Papers: what a customer uploads, and what staff open."""

from datetime import date
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from onboarding import document_checks, document_requests, papers
from onboarding.cases import quarantine
from onboarding.file_check import CheckedFile, file_checked
from onboarding.jobs import lock_account
from onboarding.models import Application, Document, Owner, ProviderAccount
from onboarding.models.documents import STORAGE
from onboarding.requirements import rules
from onboarding.requirements.documents import EXPIRING, sides_of
from onboarding.services.shared import locked
from portal import audit, clock, ids
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User
from portal.sealed_files import SealedFile, new_file_key

Status = Application.Status
#: Papers are taken as long as there is, or may be, an account.
CLOSED = frozenset({Status.REJECTED, Status.WITHDRAWN})


def document_upload(
    *,
    actor: User,
    application_id: UUID,
    type: str,
    file: "UploadedFile[Any]",
    source: str,
    side: str = "FRONT",
    owner_id: UUID | None = None,
    country: str = "US",
    expires_on: date | None = None,
    description: str = "",
) -> Document:
    """Take one file of the actor's own application: check it, seal it, and pass it on if the account exists.

    `owner_id` None means the company or trust itself. `country` (alpha-2) issued the paper. The one that was there of
    the same type and side is replaced and kept. Raises Invalid by field, Conflict, and NotFound for a stranger's.
    """
    checked = file_checked(file)
    key, document_id = new_file_key(), ids.new_id()
    path = storages[STORAGE].save(
        f"{application_id}/{document_id}", SealedFile(cast(BinaryIO, file.file), key)
    )
    try:
        with transaction.atomic():
            application = locked(actor, application_id)
            if application.status in CLOSED:
                raise Conflict("This application is closed and takes no more papers.")
            owner = _owner(application, owner_id)
            issued = _answers(application, owner, type, side, country, expires_on)
            _replace(application, owner, type, side, actor, source)
            document = Document.objects.create(
                id=document_id,
                application=application,
                owner=owner,
                type=type,
                side=side,
                country=issued,
                expires_on=expires_on,
                description=description.strip()[:300],
                file_key=key,
                uploaded_by=actor,
                **_facts(checked),
            )
            audit.record(
                "document.upload",
                subject=application,
                actor=actor,
                source=source,
                after={"document": str(document.pk), "type": type, "side": side, "size": checked.size},
            )
            document_requests.follow(application, actor=actor, source=source)
            account = ProviderAccount.objects.filter(application=application).first()
            if account is not None:
                papers.papers_go_on(lock_account(account.pk), actor=actor)
            document_checks.wake(document)
    except BaseException:
        storages[STORAGE].delete(path)
        raise
    return document


def _facts(checked: CheckedFile) -> dict[str, Any]:
    return {
        "content_type": checked.content_type,
        "size": checked.size,
        "sha256": checked.sha256,
        "pages": checked.pages,
        "is_sent_as_copy": checked.is_sent_as_copy,
    }


def _owner(application: Application, owner_id: UUID | None) -> Owner | None:
    if owner_id is None:
        return None
    owner = Owner.objects.filter(application=application, pk=owner_id).first()
    if owner is None:
        raise NotFound("There is no such person in this application.")
    return owner


def _answers(
    application: Application, owner: Owner | None, type: str, side: str, country: str, expires_on: date | None
) -> str:
    """The country in its kept form. Raises Invalid with every answer that does not hold."""
    problems: dict[str, list[str]] = {}
    asked = papers.asked_of(application, [owner] if owner else [])
    whose = owner.pk if owner else None
    types = {kind for rule, of in asked if (of.pk if of else None) == whose for kind in rule.types}
    if type not in types:
        problems["type"] = [
            "Choose one of the papers we ask for." if types else "We ask for no papers here: none are needed."
        ]
    elif side not in sides_of(type):
        problems["side"] = [
            "Say which side it shows."
            if len(sides_of(type)) > 1
            else "This paper has no back: send its front."
        ]
    if expires_on is None and type in EXPIRING:
        problems["expires_on"] = ["Enter the last day on which it is valid. It is printed on it."]
    elif expires_on is not None and expires_on <= clock.now().date():
        problems["expires_on"] = ["This paper has expired. Upload one that is valid."]
    try:
        country = rules.country(country)
    except ValidationError as error:
        problems["country"] = list(error.messages)
    if problems:
        raise Invalid("This paper cannot be taken yet.", fields=problems)
    return country


def _replace(
    application: Application, owner: Owner | None, type: str, side: str, actor: User, source: str
) -> None:
    before = (
        Document.objects.select_for_update(of=("self",))
        .filter(application=application, owner=owner, type=type, side=side)
        .exclude(status=Document.Status.REPLACED)
        .first()
    )
    if before is not None:
        if before.status == Document.Status.QUARANTINED:
            quarantine.settle(before, "The customer uploaded another file.", source=source)
        before.move_to(Document.Status.REPLACED, actor=actor, source=source)
