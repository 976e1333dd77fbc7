"""A restricted change: somebody asks for what the provider's operations alone can change."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import evidence, restricted, second_person
from onboarding.cases import asking, holding, traits
from onboarding.dossier import anchors
from onboarding.models import ChangeRequest
from onboarding.services import restricted as services
from portal.logs import redact_text

Status = ChangeRequest.Status


def _evidence(case: Case) -> Sequence[kinds.Section]:
    request = (
        ChangeRequest.objects.select_related("account__application", "owner", "requested_by", "evidence")
        .filter(pk=case.subject_id)
        .first()
    )
    if request is None:
        return ()
    application = request.account.application
    whose = request.owner.full_name if request.owner else "The account"
    rows = [
        kinds.Row("Whose", whose),
        kinds.Row("Asked by", request.requested_by.label),
        kinds.Row("Why", redact_text(request.why.reveal())),
        kinds.Row("Status", request.get_status_display()),
        kinds.Row("Account", application.reference, reverse("staff:application", args=[application.pk])),
        kinds.Row("Export, confirm, refuse", "The request's own page", _page(request.pk)),
    ]
    rows += [
        kinds.Row(
            "Evidence",
            f"{file.get_type_display()}, {file.get_side_display().lower()}: {file.get_status_display().lower()}",
            reverse("staff:document", args=[application.pk, file.pk]),
            is_paper=True,
        )
        for file in evidence.files(request)
    ]
    if request.evidence is not None and not any(row.label == "Evidence" for row in rows):
        rows.append(kinds.Row("Evidence", f"Asked for, not here yet: {request.evidence.title}"))
    if request.provider_reference:
        rows.append(kinds.Row("Provider's reference", request.provider_reference))
    return (
        kinds.Section(
            str(request.get_field_display()),
            tuple(rows),
            kinds.Comparison(("Field", "Now", "Asked for"), tuple(restricted.rows(request))),
        ),
    )


def _page(subject_id: UUID) -> str:
    return reverse("staff_requests:request", args=[subject_id])


def _lock(subject_id: UUID) -> None:
    if ChangeRequest.objects.filter(pk=subject_id).exists():
        services.locked_request(subject_id)


def _pass_on(ruling: kinds.Ruling) -> str:
    request = services.locked_request(ruling.case.subject_id)
    request.move_to(Status.PASSED_ON, actor=ruling.actor, source="case")
    return "Send the provider's operations what the request's page exports, and record their answer there."


def _refuse(ruling: kinds.Ruling) -> str:
    request = services.locked_request(ruling.case.subject_id)
    services.refuse(request, ruling.text, actor=ruling.actor, source="case")
    return "The customer was told why."


kind = kinds.CaseKind(
    name=services.KIND,
    title="Restricted change",
    purpose=(
        "Birth date, citizenship, tax number, type of account, enrollments and ids are changed by the provider's "
        "operations alone. Look at what is asked, and pass it on or refuse it."
    ),
    checklist=(
        kinds.CheckItem("evidence", "What is asked compared with a paper of the customer"),
        kinds.CheckItem("why", "Reason plausible: a slip or a life event, not another person"),
    ),
    decisions=(
        kinds.Decision(
            "pass_on",
            "Pass it on to the provider's operations",
            "The request's page exports what they need. The case closes when their answer is recorded there.",
            effect=_pass_on,
            closes=False,
            verdict="approved",
        ),
        kinds.Decision(
            "refuse",
            "Refuse",
            "What you write is told to the customer, word for word.",
            effect=_refuse,
            reasons={
                "no_proof": "Not proved",
                "untrue": "The paper says something else",
                "suspicious": "Seems made to hide somebody",
                "not_needed": "Nothing needs to change",
            },
            needs_text=True,
            verdict="refused",
        ),
    ),
    evidence=_evidence,
    subject_url=_page,
    anchor=anchors.of_case,
    ask_url=asking.page,
    tell_held=holding.tells("The change you asked for"),
    lock=_lock,
    ruled_out=second_person.about((ChangeRequest, "account__application")),
    traits=traits.of_change_request,
    due_after=timedelta(days=2),
    balls={Case.Status.DECIDED: kinds.Words("provider", "With the provider's operations", "Their answer")},
)
