"""Files that come in pieces: announce one, add bytes to it, give it up. When every byte is here it becomes a document.

Nothing is locked while bytes come in. A piece is written first and counted afterwards, under the row's lock and only
where the upload still ends at the piece's start: of two requests that send the same bytes one is told so.
"""

from collections.abc import Iterator
from typing import IO
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Count, Sum

from onboarding import upload_parts
from onboarding.models import Upload, UploadState
from onboarding.services.documents import document_upload
from onboarding.services.paper_answers import PaperAnswers, answers_checked
from portal import clock
from portal.errors import Conflict, DomainError, Gone, Invalid, NotFound, StaleRow, TooLarge, Unavailable
from portal.keyring import CannotUnseal
from portal.models import User

log = structlog.get_logger(__name__)
#: What one user may have under way: a trust with five trustees has eleven files.
AT_ONCE = 20
BYTES_AT_ONCE = 10 * settings.DOCUMENT_MAX_BYTES


def upload_start(*, actor: User, application_id: UUID, size: int, given: PaperAnswers, source: str) -> Upload:
    """Announce a file of `size` bytes. What is said of it is checked now, before any of it is sent.

    Raises what answers_checked raises, TooLarge, and Invalid when the actor has too much under way.
    """
    if size > settings.DOCUMENT_MAX_BYTES:
        most = settings.DOCUMENT_MAX_BYTES // 1024**2
        raise TooLarge(
            f"This file is larger than {most} MB.",
            fields={"file": [f"This file is larger than {most} MB. Save it smaller."]},
        )
    if size < 1:
        raise _file_refused("This file is empty. Choose it again, or take the photo again.")
    with transaction.atomic():
        answers = answers_checked(actor, application_id, given)
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        open_now = Upload.objects.filter(
            user=actor, document=None, problems={}, expires_at__gt=clock.now()
        ).aggregate(count=Count("pk"), size=Sum("size", default=0))
        if open_now["count"] >= AT_ONCE or open_now["size"] + size > BYTES_AT_ONCE:
            raise _file_refused(
                "Too many of your uploads are not finished yet. Finish or cancel one first, or come back tomorrow."
            )
        return Upload.objects.create(
            application=answers.application,
            user=actor,
            owner=answers.owner,
            type=given.type,
            side=given.side,
            country=answers.country,
            expires_on=given.expires_on,
            description=given.description,
            by_hand=given.by_hand,
            source=source,
            size=size,
        )


def upload_of(*, actor: User, application_id: UUID, upload_id: UUID) -> Upload:
    """The actor's own upload. Raises NotFound, and Gone when it has run out."""
    found = Upload.objects.filter(pk=upload_id, application=application_id, user=actor).first()
    if found is None:
        raise NotFound("There is no such upload.")
    if found.expires_at <= clock.now():
        raise Gone("This upload was not finished in time and is gone. Start it again.")
    return found


def upload_append(
    *, actor: User, application_id: UUID, upload_id: UUID, offset: int, length: int, body: IO[bytes]
) -> Upload:
    """Add the body's bytes from `offset` on; a body that breaks off leaves what came of it.

    With the last byte the file is checked and becomes a document, or is refused: see the upload's state. The same
    again changes nothing. Raises Conflict when `offset` is not where the upload ends, TooLarge when the body would go
    beyond the announced size, Unavailable when the storage fails.
    """
    upload = upload_of(actor=actor, application_id=application_id, upload_id=upload_id)
    if offset != upload.offset:
        raise _elsewhere(upload)
    if length > upload.size - upload.offset:
        raise TooLarge("These are more bytes than were announced.")
    for piece in _pieces(body, length):
        upload = _keep(upload, piece)
    return upload_finish(upload) if upload.is_whole else upload


def _pieces(body: IO[bytes], length: int) -> Iterator[bytes]:
    held = bytearray()
    while length > 0:
        try:
            step = body.read(min(upload_parts.STEP, length, upload_parts.PART_BYTES - len(held)))
        except OSError:  # the connection broke: what came before it counts
            break
        if not step:
            break
        held += step
        length -= len(step)
        if len(held) == upload_parts.PART_BYTES:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _keep(upload: Upload, piece: bytes) -> Upload:
    """Write a piece, and count it if the upload still ends where the piece begins."""
    try:
        part = upload_parts.part_write(upload.pk, upload.offset, piece)
    except OSError as error:
        raise _storage_away(error) from error
    try:
        with transaction.atomic():
            row = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk).first()
            if row is None:
                raise NotFound("There is no such upload.")
            if row.offset != part.start:
                raise _elsewhere(row)
            part.save(force_insert=True)
            row.offset, row.moved_at = row.offset + part.size, clock.now()
            row.save(update_fields=["offset", "moved_at"])
    except BaseException:
        upload_parts.part_remove(part)
        raise
    return row


def upload_finish(upload: Upload) -> Upload:
    """Make a whole upload a document, or write down why not. Once, whoever asks and however often."""
    if upload.state is UploadState.RECEIVING and upload.is_whole:
        try:
            _become_document(upload)
        except StaleRow:
            raise
        except Unavailable:
            # Whoever finished it at the same moment removed the parts we read.
            upload.refresh_from_db()
            if upload.state is UploadState.RECEIVING:
                raise
        except CannotUnseal:
            _refuse(upload, {"file": ["This file did not arrive whole. Send it again."]})
        except DomainError as error:
            _refuse(upload, error.fields or {"file": [error.message]})
        upload.refresh_from_db()
    if upload.state is not UploadState.RECEIVING:
        try:
            upload_parts.parts_remove(upload)
        except OSError as error:  # the job that removes old uploads does it later
            log.warning("upload_parts_left", upload=str(upload.pk), error=type(error).__name__)
    return upload


def _become_document(upload: Upload) -> None:
    try:
        document_upload(
            actor=upload.user,
            application_id=upload.application_id,
            type=upload.type,
            side=upload.side,
            owner_id=upload.owner_id,
            country=upload.country.code,
            expires_on=upload.expires_on,
            description=upload.description,
            by_hand=upload.by_hand,
            file=UploadedFile(upload_parts.upload_file(upload), name="upload", size=upload.size),
            source=upload.source,
            upload=upload,
        )
    except OSError as error:
        raise _storage_away(error) from error


def _refuse(upload: Upload, problems: dict[str, list[str]]) -> None:
    # What became a document at the same moment stays one.
    Upload.objects.filter(pk=upload.pk, document=None, problems={}).update(problems=problems)


def upload_cancel(*, actor: User, application_id: UUID, upload_id: UUID) -> None:
    """Give up an upload and remove its bytes. Raises Conflict when it is a document already."""
    found = upload_of(actor=actor, application_id=application_id, upload_id=upload_id)
    with transaction.atomic():
        row = Upload.objects.select_for_update(of=("self",)).filter(pk=found.pk).first()
        if row is None:
            return
        if row.state is UploadState.TAKEN:
            raise Conflict("This file is here already. Upload another one to replace it.")
        row.expires_at = clock.now()
        row.save(update_fields=["expires_at"])
    upload_remove(row)


def upload_remove(upload: Upload) -> None:
    """Remove an upload that has run out or was given up; its document stays. Raises Unavailable."""
    try:
        upload_parts.parts_remove(upload)
    except OSError as error:
        raise _storage_away(error) from error
    upload.delete()


def _elsewhere(upload: Upload) -> Conflict:
    return Conflict(f"The upload ends at byte {upload.offset}. Go on from there.")


def _file_refused(sentence: str) -> Invalid:
    return Invalid("This file cannot be taken.", fields={"file": [sentence]})


def _storage_away(error: OSError) -> Unavailable:
    log.error("upload_storage_failed", error=type(error).__name__, errno=error.errno)
    return Unavailable("The file cannot be stored just now. Try again in a minute; what is here is kept.")
