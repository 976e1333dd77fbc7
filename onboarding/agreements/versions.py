"""What staff do with the versions of an agreement: draft, edit, publish, retire."""

import hashlib
from dataclasses import dataclass, field
from uuid import UUID

from django.db import IntegrityError, transaction

from onboarding.agreements.documents import Document
from onboarding.models.agreements import Agreement, AgreementDocument, text_hash, usual_reminders
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

Status = Agreement.Status
#: The word of portal.permissions for everything below but looking.
MANAGE = "agreement.manage"
SCOPE = ("account_types", "roles", "countries", "remind_after_days")


@dataclass(frozen=True)
class Content:
    """What a draft says: the text, or a PDF in its place; whom it binds (empty: all), and when letters go.

    `document` None with `is_pdf` keeps the PDF that the draft has.
    """

    title: str
    text: str = ""
    is_pdf: bool = False
    document: Document | None = None
    account_types: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    remind_after_days: list[int] = field(default_factory=usual_reminders)


def draft_start(*, actor: User, name: str, version: str, content: Content, source: str) -> Agreement:
    """A new draft. Raises Conflict when the version exists, Invalid for a PDF that is missing."""
    permissions.require(actor, MANAGE)
    return _draft_start(actor=actor, name=name, version=version, content=content, source=source)


def _draft_start(*, actor: User | None, name: str, version: str, content: Content, source: str) -> Agreement:
    agreement = Agreement(name=name, version=version)
    with transaction.atomic():
        if Agreement.objects.filter(name=name, version=version).exists():
            raise Conflict(_taken(name, version))
        _fill(agreement, content)
        try:
            with transaction.atomic():
                agreement.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(_taken(name, version)) from error
        _keep_document(agreement, content)
        audit.record(
            "agreement.draft", subject=agreement, actor=actor, after=_facts(agreement), source=source
        )
    return agreement


def draft_edit(*, actor: User, agreement_id: UUID, revision: int, content: Content, source: str) -> Agreement:
    """Change a draft that is still at `revision`. Raises Conflict when it is not, or is published."""
    permissions.require(actor, MANAGE)
    with transaction.atomic():
        agreement = _locked(agreement_id)
        _require_draft(agreement, revision)
        before = _facts(agreement)
        _fill(agreement, content)
        agreement.revision += 1
        agreement.save(update_fields=["title", "format", "text", "text_sha256", "revision", *SCOPE])
        _keep_document(agreement, content)
        audit.record(
            "agreement.edit",
            subject=agreement,
            actor=actor,
            before=before,
            after=_facts(agreement),
            source=source,
        )
    return agreement


def draft_publish(*, actor: User, agreement_id: UUID, revision: int, source: str) -> Agreement:
    """Put a draft in force as it was at `revision`, and retire the version before, in one moment.

    Raises Conflict when the draft was edited since, is published already, or another version of the name is being
    published at this moment.
    """
    permissions.require(actor, MANAGE)
    with transaction.atomic():
        name = Agreement.objects.filter(pk=agreement_id).values_list("name", flat=True).first()
        _lock_versions(name or "")
        agreement = _locked(agreement_id)
        _require_draft(agreement, revision)
        return _put_in_force(agreement, actor=actor, source=source)


def agreement_publish(
    *, name: str, version: str, title: str, text: str, actor: User | None = None
) -> Agreement:
    """Draft and publish in one go, for the command line and demo data. Raises Conflict when the version exists."""
    with transaction.atomic():
        draft = _draft_start(
            actor=actor, name=name, version=version, content=Content(title=title, text=text), source="command"
        )
        return _put_in_force(draft, actor=actor, source="command")


def agreement_retire(*, actor: User, agreement_id: UUID, reason: str, source: str) -> Agreement:
    """Take a version out of force with none in its place. Raises IllegalMove unless it is in force."""
    permissions.require(actor, MANAGE)
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["Say why it is taken out of force."]})
    with transaction.atomic():
        agreement = _locked(agreement_id)
        _retire(agreement, actor=actor, reason=reason, source=source)
    return agreement


def _put_in_force(agreement: Agreement, *, actor: User | None, source: str) -> Agreement:
    for earlier in _lock_versions(agreement.name):
        if earlier.status == Status.PUBLISHED:
            _retire(earlier, actor=actor, reason=f"Replaced by version {agreement.version}", source=source)
    agreement.published_at = clock.now()
    try:
        with transaction.atomic():
            agreement.save(update_fields=["published_at"])
    except IntegrityError as error:
        raise Conflict(
            f"Another version of {agreement.name} was published at this moment. Look again."
        ) from error
    agreement.move_to(Status.PUBLISHED, actor=actor, source=source)
    audit.record("agreement.publish", subject=agreement, actor=actor, after=_facts(agreement), source=source)
    return agreement


def _lock_versions(name: str) -> list[Agreement]:
    """All versions of a name, locked in the order of their keys: two publishers wait for each other, at most once."""
    return list(Agreement.objects.select_for_update().filter(name=name).order_by("pk").only("pk", "status"))


def _retire(agreement: Agreement, *, actor: User | None, reason: str, source: str) -> None:
    if agreement.may_move_to(Status.RETIRED):
        Agreement.objects.filter(pk=agreement.pk).update(retired_at=clock.now())
    agreement.move_to(Status.RETIRED, actor=actor, reason=reason, source=source)


def _locked(agreement_id: UUID) -> Agreement:
    agreement = Agreement.objects.select_for_update().filter(pk=agreement_id).first()
    if agreement is None:
        raise NotFound("There is no such agreement.")
    return agreement


def _require_draft(agreement: Agreement, revision: int) -> None:
    if agreement.status != Status.DRAFT:
        raise Conflict("This version is published, and a published text never changes. Start a new version.")
    if agreement.revision != revision:
        raise Conflict(
            "The draft was changed since you opened it. Look at it again; nothing of it was overwritten."
        )


def _fill(agreement: Agreement, content: Content) -> None:
    agreement.title = content.title
    for name in SCOPE:
        values = sorted(set(getattr(content, name)))
        setattr(agreement, name, values)
    if not content.is_pdf:
        # Browsers send line ends as \r\n; the hash must not depend on who typed.
        agreement.text = content.text.replace("\r\n", "\n")
        agreement.format, agreement.text_sha256 = Agreement.Format.MARKDOWN, text_hash(agreement.text)
        return
    if content.document is None and not agreement.is_pdf:
        raise Invalid("There is no PDF.", fields={"document": ["Choose the PDF."]})
    agreement.format, agreement.text = Agreement.Format.PDF, ""
    if content.document is not None:
        agreement.text_sha256 = hashlib.sha256(content.document.content).hexdigest()


def _keep_document(agreement: Agreement, content: Content) -> None:
    if not content.is_pdf:
        AgreementDocument.objects.filter(agreement=agreement).delete()
    elif content.document is not None:
        AgreementDocument.objects.update_or_create(
            agreement=agreement,
            defaults={
                "content": content.document.content,
                "size": len(content.document.content),
                "pages": content.document.pages,
            },
        )


def _facts(agreement: Agreement) -> dict[str, object]:
    """What the audit trail keeps of a version: never its text, whose hash says enough."""
    return {
        "name": agreement.name,
        "version": agreement.version,
        "title": agreement.title,
        "format": agreement.format,
        "text_sha256": agreement.text_sha256,
        "revision": agreement.revision,
        **{name: list(getattr(agreement, name)) for name in SCOPE},
    }


def _taken(name: str, version: str) -> str:
    return (
        f"Version {version} of {name} exists already. A published text never changes: choose a new version."
    )
