"""What a decision about a file that was held back does; each in the decision's transaction."""

from uuid import UUID

from onboarding import document_checks, notices
from onboarding.models import Document
from portal import audit, clock, permissions
from portal.errors import NotFound
from portal.models import User

Status = Document.Status


def release(document_id: UUID, *, actor: User) -> None:
    """A false alarm: its pictures are made now, and it goes on. Raises IllegalMove when it is no longer held back."""
    document = _locked(document_id)
    document.move_to(Status.CHECKING, actor=actor, source="case")
    document.scan, document.next_check_at = Document.Scan.RELEASED, clock.now()
    document.save(update_fields=["scan", "next_check_at"])
    document_checks.wake(document)


def refuse(document_id: UUID, *, actor: User) -> None:
    """It stays locked away, and the customer is asked for another. Raises IllegalMove as `release` does."""
    document = _locked(document_id)
    document.problem = "Our malware scan found something in this file. Upload another one."
    document.save(update_fields=["problem"])
    document.move_to(Status.REFUSED, actor=actor, source="case")
    notices.document_needed_again(document)


def document_quarantined(*, actor: User, document_id: UUID) -> Document:
    """A file that was held back, for who decides about it. Recorded. Raises Forbidden and NotFound."""
    permissions.require(actor, "document.quarantine")
    document = (
        Document.objects.select_related("application")
        .filter(pk=document_id, scan=Document.Scan.FOUND)
        .first()
    )
    if document is None:
        raise NotFound("There is no such file in quarantine.")
    audit.record(
        "document.read",
        subject=document.application,
        actor=actor,
        source="case",
        after={"document": str(document.pk), "type": document.type, "part": "quarantined"},
    )
    return document


def _locked(document_id: UUID) -> Document:
    return (
        Document.objects.select_for_update(of=("self",))
        .select_related("application__customer__user", "owner")
        .get(pk=document_id)
    )
