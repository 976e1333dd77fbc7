"""Asking for papers in tests, and what was written about it."""

from datetime import date, timedelta
from typing import Any

from onboarding.models import Application, Document, DocumentRequest, Owner
from onboarding.services import document_requests as services
from onboarding.words_documents import RejectReason
from portal import clock
from portal.models import MailMessage, User
from tests.onboarding.papers_support import VALID_UNTIL, upload


def applicant_of(application: Application) -> Owner:
    return Owner.objects.get(application=application, is_applicant=True)


def ask(actor: User, application: Application, **more: Any) -> DocumentRequest:
    """A proof of address of the applicant, due in ten days, unless something else is said."""
    given: dict[str, Any] = {
        "owner_id": applicant_of(application).pk,
        "types": ["PROOF_OF_RESIDENTIAL_ADDRESS"],
        "reason": "Your address changed lately.",
        "due_on": clock.now().date() + timedelta(days=10),
        "source": "page",
    } | more
    return services.document_request(actor=actor, application_id=application.pk, **given)


def proof(user: User, application: Application, **more: Any) -> Document:
    """The customer uploads what `ask` asked for."""
    given = {"type": "PROOF_OF_RESIDENTIAL_ADDRESS", "owner_id": applicant_of(application).pk} | more
    return upload(user, application, **given)


def passport(user: User, application: Application, expires_on: date = VALID_UNTIL, **more: Any) -> Document:
    given = {"type": "PASSPORT", "owner_id": applicant_of(application).pk, "expires_on": expires_on} | more
    return upload(user, application, **given)


def accept(actor: User, document: Document, **more: Any) -> Document:
    given: dict[str, Any] = {"seen": document.decisions} | more
    return services.document_accept(
        actor=actor,
        application_id=document.application_id,
        document_id=document.pk,
        source="page",
        **given,
    )


def reject(actor: User, document: Document, **more: Any) -> Document:
    given: dict[str, Any] = {"seen": document.decisions, "reason": RejectReason.UNREADABLE} | more
    return services.document_reject(
        actor=actor,
        application_id=document.application_id,
        document_id=document.pk,
        source="page",
        **given,
    )


def subjects() -> list[str]:
    """The letters about papers, oldest first."""
    rows = MailMessage.objects.order_by("created_at", "pk").values_list("subject", flat=True)
    return [subject for subject in rows if "paper" in subject]
