"""The copy of a person's data: JSON and papers in a zip, put together by a task, fetched by a link that runs out."""

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core import signing
from django.core.files.storage import storages
from django.db import transaction
from django.http import FileResponse

from onboarding import drafts, evidence, questions
from onboarding.answer_words import answer_rows
from onboarding.drafts import Draft
from onboarding.models import EXPORT_LASTS, Application, DataRequest, DiscardedFile, Document, Owner
from onboarding.privacy import elsewhere
from onboarding.privacy.requests import tell
from portal import audit, clock
from portal.document_storage import STORAGE
from portal.errors import Gone, NotFound
from portal.file_answers import SANDBOX
from portal.mail import to_index
from portal.models import MailMessage, StatusChange, User
from portal.sealed import Sealed
from portal.sealed_files import SealedFile, new_file_key

Status = DataRequest.Status
LINK_LASTS = timedelta(minutes=5)
SALT = "onboarding.privacy.export"
#: A worker that began so long ago was lost.
LOST_AFTER = timedelta(minutes=10)
README = (
    "This is everything the portal holds about you, as of {}.\n\n"
    "data.json    your answers, accounts, agreements, money, letters and sign-in\n"
    "01-..., 02-...    your papers, as you sent them\n\n"
    "What other people of your accounts answered about themselves is theirs and is not here.\n"
)


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a file to read once from its beginning."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return 0

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._held += piece
        size = len(self._held) if size < 0 else size
        found, self._held = self._held[:size], self._held[size:]
        return found


def make(request_id: UUID) -> None:
    """Put the zip together and tell the customer. A second worker, or one after a kill, writes it anew; one counts."""
    request = DataRequest.objects.select_related("customer__user").filter(pk=request_id).first()
    if request is None or request.status != Status.PREPARING:
        return
    user = request.customer.user
    content, papers = contents(user)
    texts = {
        "README.txt": README.format(f"{clock.now():%Y-%m-%d %H:%M} UTC").encode(),
        "data.json": json.dumps(content, indent=2, ensure_ascii=False, default=_plain).encode(),
    }
    key, place = new_file_key(), storages[STORAGE]
    place.delete(request.path)
    name = place.save(request.path, SealedFile(_Pieces(evidence.zipped(texts, papers)), key))  # type: ignore[arg-type]
    with transaction.atomic():
        row = DataRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
        if row.status != Status.PREPARING or name != row.path:
            DiscardedFile.objects.get_or_create(path=name)
            return
        row.customer = request.customer
        row.file_key, row.size, row.ready_at = key, place.size(name), clock.now()
        row.save(update_fields=["file_key", "size", "ready_at"])
        row.move_to(Status.READY, actor=None, source="task")
        tell(row, "Your data is ready", "data_export_ready", days=EXPORT_LASTS.days)


def look_after() -> list[UUID]:
    """Remove exports whose time is over; the ids of those that a worker left unmade."""
    over = DataRequest.objects.filter(status=Status.READY, ready_at__lte=clock.now() - EXPORT_LASTS)
    for key in list(over.values_list("pk", flat=True)[:100]):
        with transaction.atomic():
            row = over.select_for_update().filter(pk=key).first()
            if row is not None:
                row.file_key = None
                row.save(update_fields=["file_key"])
                DiscardedFile.objects.get_or_create(path=row.path)
                row.move_to(Status.EXPIRED, actor=None, source="task")
    lost = DataRequest.objects.filter(status=Status.PREPARING, status_at__lte=clock.now() - LOST_AFTER)
    return list(lost.values_list("pk", flat=True)[:100])


# --- What is in it ------------------------------------------------------------------------------------------


def contents(user: User) -> tuple[dict[str, Any], list[Document]]:
    """Everything held about this person, and their papers. What others answered about themselves is left out."""
    papers: list[Document] = []
    own = Application.objects.filter(customer__user=user, erased_at=None).select_related("account")
    applications = [_application(row, user, papers) for row in own.order_by("pk")]
    parts = Owner.objects.filter(user=user, is_applicant=False, application__erased_at=None)
    for part in parts.select_related("application"):
        applications.append(_application(part.application, user, papers))
    mails = MailMessage.objects.filter(to_index=to_index(user.email)).order_by("created_at")
    content = {
        "made_at": clock.now(),
        "person": {"name": user.name, "email": user.email, "since": user.created_at},
        "sign_in": {
            "addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified")),
            "second_factors": list(Authenticator.objects.filter(user=user).values("type", "created_at")),
        },
        "applications": applications,
        "letters": [
            {"at": row.created_at, "subject": row.subject, "text": row.content.reveal()["text"]}
            for row in mails
        ],
        "requests": [
            {"at": row.created_at, "kind": row.kind, "status": row.status}
            for row in DataRequest.objects.filter(customer__user=user).order_by("pk")
        ],
        **elsewhere.copied_of_user(user),
    }
    return content, papers


def _application(application: Application, user: User, papers: list[Document]) -> dict[str, Any]:
    draft = drafts.load(application)
    me = draft.part_of(user)
    mine = [row for row in _papers(application, me) if row.is_safe]
    papers += mine
    account = getattr(application, "account", None) if me.is_applicant else None
    subjects = [application.pk, *([account.pk] if account else [])]
    changes = StatusChange.objects.filter(subject_id__in=subjects).order_by("at")
    return {
        "reference": application.reference,
        "your_role": str(me.get_role_display()),
        "account_type": str(application.get_account_type_display()),
        "status": str(application.get_status_display()),
        "began": application.created_at,
        "handed_in": application.submitted_at,
        "account": {"id": account.client_account_id, "status": account.status} if account else None,
        "answers": list(_answers(draft, me)),
        "agreements": [
            {
                "title": row.agreement.title,
                "version": row.agreement.version,
                "at": row.accepted_at,
                "ip": row.ip,
            }
            for row in me.acceptances.select_related("agreement")
        ],
        "questions": questions.copied(application, user),
        "papers": [
            {"type": row.type, "side": row.side, "uploaded": row.created_at, "status": row.status}
            for row in mine
        ],
        "history": list(changes.values("at", "old", "new")),
        **(elsewhere.copied(application) if me.is_applicant else {}),
    }


def _answers(draft: Draft, me: Owner) -> Iterator[dict[str, Any]]:
    for step, owner in draft.journey():
        if owner != me if owner is not None else not me.is_applicant:
            continue
        for row in answer_rows(step, draft.answers(step, owner)):
            yield {"section": str(step.short), "question": row["label"], "answer": row["value"]}


def _papers(application: Application, me: Owner) -> Iterator[Document]:
    whose = [me.pk, *([None] if me.is_applicant else [])]
    for row in Document.objects.filter(application=application).order_by("pk"):
        if row.owner_id in whose:
            row.application = application
            yield row


def _plain(value: Any) -> Any:
    if isinstance(value, Sealed):
        return _plain(value.reveal())
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# --- Fetching it --------------------------------------------------------------------------------------------


def token(user: User, request: DataRequest) -> str:
    """What the link to the zip ends with: of this person, for some minutes."""
    return signing.dumps([str(user.pk), str(request.pk)], salt=SALT)


def answer(user: User, given: str) -> FileResponse:
    """The zip that a link of this user's names. Recorded. Raises Gone and NotFound."""
    try:
        whose, key = signing.loads(given, salt=SALT, max_age=LINK_LASTS)
    except signing.SignatureExpired as error:
        raise Gone("This link has run out. Go back, reload the page and follow the new one.") from error
    except signing.BadSignature as error:
        raise NotFound("There is no such file.") from error
    request = DataRequest.objects.filter(pk=key, customer__user=user).first()
    until: datetime | None = request.fetchable_until if request else None
    if request is None or whose != str(user.pk) or until is None:
        raise NotFound("There is no such file.")
    if until <= clock.now():
        raise Gone("The copy is no longer there. Ask for a new one.")
    audit.record("privacy.export_read", subject=request, actor=user, source="page")
    response = FileResponse(
        request.open(), as_attachment=True, filename="your-data.zip", content_type="application/zip"
    )
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = SANDBOX
    return response
