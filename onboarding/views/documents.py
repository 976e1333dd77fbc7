"""Papers: the customer's page of uploads, and the download for staff."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onboarding import completeness, papers, selectors
from onboarding.document_forms import PaperForm
from onboarding.models import Application, Document
from onboarding.services.documents import document_upload
from onboarding.services.paper_answers import CLOSED
from onboarding.views.shared import customer_page, step_links
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User
from portal.staff import user_of

TONES = {
    Document.Status.CHECKING: "info",
    Document.Status.QUARANTINED: "danger",
    Document.Status.RECEIVED: "info",
    Document.Status.SENDING: "info",
    Document.Status.AT_PROVIDER: "success",
    Document.Status.REFUSED: "danger",
    Document.Status.REPLACED: "neutral",
}


def paper_cards(found: list[papers.Paper]) -> list[dict[str, Any]]:
    """Every paper with its files and their states, as pages list them."""
    return [
        {
            "paper": paper,
            "files": [{"row": row, "tone": TONES[Document.Status(row.status)]} for row in paper.documents],
        }
        for paper in found
    ]


@require_http_methods(["GET", "POST"])
@customer_page
def documents(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Every paper that is asked for, what is there of it, and a form for all of them at once."""
    user = user_of(request)
    application = selectors.application_for_customer(user, application_id)
    asked = papers.papers_of(application)
    if not asked or application.status in CLOSED:
        raise NotFound("No papers are needed here.")
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    forms = [PaperForm(*posted, paper=paper, country=_country(application, paper)) for paper in asked]
    status = 200
    if request.method == "POST":
        filled = [form for form in forms if form.is_filled]
        taken = sum(_take(user, application, form) for form in filled)
        if taken:
            messages.success(request, "1 file is here." if taken == 1 else f"{taken} files are here.")
        if filled and not any(form.errors for form in filled):
            return redirect("customer:documents", application.pk)
        status = 422
        # A paper without a file was not meant; and what was taken is listed as it is now.
        now = {paper.name: paper for paper in papers.papers_of(application)}
        forms = [
            form
            if form.is_filled and form.errors
            else PaperForm(paper=now[form.paper.name], country=_country(application, form.paper))
            for form in forms
        ]
        asked = list(now.values())
    return render(
        request,
        "onboarding/customer/documents.html",
        {
            "application": application,
            "rows": [card | {"form": form} for card, form in zip(paper_cards(asked), forms, strict=True)],
            "nothing_chosen": request.method == "POST" and not any(form.errors for form in forms),
            "errors": any(form.errors for form in forms),
            "steps": step_links(application, completeness.step_states(application), "papers")
            if application.is_editable
            else [],
            "nav_section": "home",
        },
        status=status,
    )


def _country(application: Application, paper: papers.Paper) -> str:
    owner = paper.owner or application.owners.get(is_applicant=True)
    return str(owner.country)


def _take(user: User, application: Application, form: PaperForm) -> int:
    """Upload the files of one paper; what is wrong stands on its form. Returns how many were taken."""
    if not form.is_valid():
        return 0
    taken = 0
    for side, name, file in form.uploads():
        try:
            document_upload(
                actor=user,
                application_id=application.pk,
                type=form.kind,
                side=side,
                owner_id=form.paper.owner.pk if form.paper.owner else None,
                country=form.cleaned_data["country"],
                expires_on=form.cleaned_data.get("expires_on"),
                file=file,
                source="page",
            )
        except Invalid as error:
            for field, sentences in error.fields.items():
                where = name if field in {"file", "side"} else field
                form.add_error(where if where in form.fields else None, sentences)
        except Conflict as error:
            form.add_error(None, error.message)
        else:
            taken += 1
    return taken
