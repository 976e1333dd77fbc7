"""Questions that cases ask a customer and that are answered in words: which wait for whom, and what was answered.

A question is a document request that takes words (onboarding/models/document_requests.py). Whose it is answers it: an
owner who took their part their own, the applicant all others.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from compliance.said import Said
from onboarding.cases import asking
from onboarding.models import Application, DocumentRequest
from portal.errors import NotFound
from portal.models import User

Status = DocumentRequest.Status
_EVENT = re.compile(r":request:([0-9a-f-]{36}):")


@dataclass(frozen=True)
class Question:
    """An open question as a customer sees it: another owner's is theirs to read and to answer."""

    request: DocumentRequest
    is_theirs: bool

    @property
    def whose(self) -> str:
        """Whom it is about; empty for the company or trust itself."""
        owner = self.request.owner
        return (owner.full_name or str(owner.get_role_display())) if owner else ""


def open_for(viewer: User, application: Application) -> list[Question]:
    """The open questions the viewer has to do with, oldest first: of an owner with a part of their own, those alone."""
    if not application.questions_asked:
        return []
    is_applicant = application.customer.user_id == viewer.pk
    rows = _of(application).filter(status=Status.OPEN).order_by("pk")
    found = [Question(row, row.uploader == viewer) for row in rows]
    return [one for one in found if one.is_theirs or is_applicant]


def question_for(viewer: User, application: Application, request_id: UUID) -> DocumentRequest:
    """A question that is the viewer's to answer, or was. Raises NotFound for any other, and for one taken back."""
    row = _of(application).filter(pk=request_id).exclude(status=Status.WITHDRAWN).first()
    if row is None or row.uploader != viewer:
        raise NotFound("There is no such question.")
    return row


def _of(application: Application) -> QuerySet[DocumentRequest]:
    return DocumentRequest.objects.filter(application=application, in_words=True).select_related(
        "application__customer__user", "owner__user"
    )


def said(events: Collection[str]) -> Mapping[str, Said]:
    """What customers answered, by the facts of a case that tell of it."""
    keys = {found[1] for event in events if (found := _EVENT.search(event))}
    if not keys:
        return {}
    rows = DocumentRequest.objects.filter(pk__in=keys, answered_at__isnull=False).select_related(
        "answered_by"
    )
    by_event = {asking.event_of(row): row for row in rows}
    return {
        event: Said(row.answered_by.label, row.answer)
        for event in events
        for key, row in by_event.items()
        if event.endswith(f":{key}") and row.answer is not None and row.answered_by is not None
    }


def copied(application: Application, user: User) -> list[dict[str, Any]]:
    """What the user was asked and answered, for the copy of their data."""
    rows = _of(application).exclude(status=Status.WITHDRAWN).order_by("pk")
    return [
        {
            "asked": row.reason,
            "asked_at": row.created_at,
            "answered_at": row.answered_at,
            "answer": row.answer,
        }
        for row in rows
        if row.uploader == user
    ]
