"""From a case to the page on which its customer is asked for a paper, and what brings the case back."""

from datetime import UTC, datetime, time, timedelta

from django.urls import reverse

from compliance import services as compliance
from compliance.models import Case
from onboarding.dossier import anchors
from onboarding.models import DocumentRequest
from portal.models import User


def page(case: Case) -> str:
    """Where the customer of this case is asked for a paper; empty where its subject has no application."""
    found = anchors.application_of_case(case)
    return reverse("staff_documents:ask", args=[found]) if found else ""


def waits(request: DocumentRequest, *, actor: User, source: str) -> None:
    """The case that asked waits for the customer until the day after the request is due.

    Raises Forbidden or Conflict where the actor cannot let it wait.
    """
    if request.case_id is not None:
        until = datetime.combine(request.due_on + timedelta(days=1), time.min, UTC)
        reason = f"Asked for: {request.title}"[:300]
        compliance.case_wait(
            actor=actor, case_id=request.case_id, on="customer", until=until, reason=reason, source=source
        )


def answered(request: DocumentRequest, title: str, *, source: str) -> None:
    """What became of the request is news for the case that asked: it comes back, if it is undecided."""
    if request.case_id is not None:
        compliance.case_tell(
            case_id=request.case_id,
            title=title[:200],
            facts={"application": request.application.reference, "asked": _asked(request)},
            source=source,
            dedupe=event_of(request),
        )


def event_of(request: DocumentRequest) -> str:
    """The request's last move, as the facts of cases that tell of it are keyed."""
    return f"request:{request.pk}:{request.status_at.isoformat()}"


def _asked(request: DocumentRequest) -> str:
    return request.reason if request.answered_at else request.title
