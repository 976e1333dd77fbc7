"""A paper expired, and two weeks later the customer has not sent another: a person decides what to do."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import document_requests, second_person
from onboarding.cases import asking, traits
from onboarding.dossier import anchors
from onboarding.models import DocumentRequest
from onboarding.services.document_requests import locked_request
from portal import clock
from portal.errors import Conflict

MORE_TIME = timedelta(days=14)


def _evidence(case: Case) -> Sequence[kinds.Section]:
    rows = DocumentRequest.objects.select_related("application", "owner")
    request = rows.defer("note").filter(pk=case.subject_id).first()
    if request is None:
        return ()
    owner = request.owner
    return (
        kinds.Section(
            "The paper",
            (
                kinds.Row(
                    "Whose", (owner.full_name or owner.get_role_display()) if owner else "The entity's own"
                ),
                kinds.Row("Asked for", request.title),
                kinds.Row("What the customer reads", request.reason),
                kinds.Row("Due", request.due_on.isoformat()),
                kinds.Row("How far", request.get_status_display()),
                kinds.Row("Papers of the application", request.application.reference, _page(request.pk)),
            ),
        ),
    )


def _page(subject_id: UUID) -> str:
    found = DocumentRequest.objects.filter(pk=subject_id).values_list("application_id", flat=True).first()
    return reverse("staff_documents:papers", args=[found]) if found else ""


def _lock(subject_id: UUID) -> None:
    if DocumentRequest.objects.filter(pk=subject_id).exists():
        locked_request(subject_id)


def _more_time(ruling: kinds.Ruling) -> str:
    request = locked_request(ruling.case.subject_id)
    if request.status != DocumentRequest.Status.OPEN:
        raise Conflict("The customer has sent it meanwhile. Look at the papers.")
    due_on = clock.now().date() + MORE_TIME
    document_requests.postpone(request, due_on, actor=ruling.actor, source="case")
    return f"The customer has until {due_on.isoformat()} and gets letters again."


def _not_wanted(ruling: kinds.Ruling) -> str:
    request = locked_request(ruling.case.subject_id)
    document_requests.withdraw(request, actor=ruling.actor, reason=ruling.text, source="case")
    return "The customer is not asked any more."


kind = kinds.CaseKind(
    name=document_requests.CASE,
    title="Expired paper not replaced",
    purpose="A paper expired two weeks ago. The customer had four letters and has not sent a new one. Reach them.",
    checklist=(
        kinds.CheckItem("needed", "Looked whether another valid paper is here already"),
        kinds.CheckItem("reached", "Customer called or written to"),
    ),
    decisions=(
        kinds.Decision("more_time", "Give two more weeks", "The letters begin again.", effect=_more_time),
        kinds.Decision(
            "not_wanted",
            "Not wanted any more",
            "Say why no valid paper is needed.",
            effect=_not_wanted,
            reasons={
                "another": "Another paper proves the same",
                "closing": "The account is being closed",
                "by_mistake": "Asked for by mistake",
            },
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    lock=_lock,
    traits=traits.of_document_request,
    ruled_out=second_person.about((DocumentRequest, "application")),
    due_after=timedelta(days=5),
)
