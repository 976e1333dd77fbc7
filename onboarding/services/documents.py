"""Papers: taking what is uploaded, and what staff open."""

from datetime import date
from typing import Any, BinaryIO, cast
from uuid import UUID

from django.core.files.storage import storages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from onboarding import document_checks, document_requests, papers
from onboarding.cases import quarantine
from onboarding.jobs import lock_account
from onboarding.models import Application, Document, Owner, ProviderAccount, Upload
from onboarding.services.paper_answers import PaperAnswers, answers_checked
from portal import audit, ids
from portal.document_storage import STORAGE
from portal.errors import Invalid
from portal.file_check import CheckedFile, file_checked
from portal.models import User
from portal.sealed_files import SealedFile, new_file_key


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
    by_hand: bool = False,
    upload: Upload | None = None,
) -> Document:
    """Take one file: check it, seal it, and pass it on if the account exists.

    Customers upload papers that are asked for, of their own part; staff any type for anybody. The answers are those
    of PaperAnswers. The one that was there of the same type and side is replaced and kept. With `upload`, the file
    came in parts, and becomes a document once whatever is repeated. Raises Invalid by field, Conflict, Forbidden,
    and NotFound for a stranger's.
    """
    given = PaperAnswers(type, side, owner_id, country, expires_on, description, by_hand)
    checked = _checked(actor, application_id, given, file)
    key, document_id = new_file_key(), ids.new_id()
    path = storages[STORAGE].save(
        f"{application_id}/{document_id}", SealedFile(cast(BinaryIO, file.file), key)
    )
    try:
        with transaction.atomic():
            answers = answers_checked(actor, application_id, given)
            application, owner = answers.application, answers.owner
            _replace(application, owner, type, side, actor, source)
            document = Document.objects.create(
                id=document_id,
                application=application,
                owner=owner,
                type=type,
                side=side,
                country=answers.country,
                expires_on=expires_on,
                description=answers.description,
                file_key=key,
                uploaded_by=actor,
                **_facts(checked),
            )
            if upload is not None:
                upload.became(document)
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


def _checked(
    actor: User, application_id: UUID, given: PaperAnswers, file: "UploadedFile[Any]"
) -> CheckedFile:
    """What the file is. Raises Invalid with what is wrong with the answers and with the file at once."""
    problems: dict[str, list[str]] = {}
    try:
        with transaction.atomic():
            answers_checked(actor, application_id, given)
    except Invalid as error:
        problems = error.fields
    try:
        checked = file_checked(file)
    except Invalid as error:
        raise Invalid(error.message, fields=problems | error.fields) from error
    if problems:
        raise Invalid("This paper cannot be taken yet.", fields=problems)
    return checked


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
