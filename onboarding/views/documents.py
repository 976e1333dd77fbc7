"""Papers: the customer's page of uploads."""

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from onboarding import completeness, papers, selectors
from onboarding.document_forms import PaperForm, limits
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
            "files": [{"row": row, "tone": TONES[Document.Status(row.status)]} for row in paper.files],
        }
        for paper in found
    ]


@require_http_methods(["GET", "POST"])
@customer_page
def documents(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Every paper the customer has to do with, what is there of it, and one form for all of them."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    asked = papers.papers_for(user, application)
    if not asked or application.status in CLOSED:
        raise NotFound("No papers are needed here.")
    countries = dict(application.owners.values_list("pk", "country"))
    home = application.owners.get(is_applicant=True).country

    def form_of(paper: papers.Paper, *posted: Any) -> PaperForm | None:
        country = countries[paper.owner.pk] if paper.owner else home
        return PaperForm(*posted, paper=paper, country=str(country)) if paper.is_theirs else None

    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    forms = [form_of(paper, *posted) for paper in asked]
    filled = [form for form in forms if form is not None and form.is_filled]
    status, taken = 200, 0
    if request.method == "POST":
        taken = sum(_take(user, application, form) for form in filled)
        wrong = {form.paper.name: form for form in filled if form.errors}
        if filled and not wrong:
            return redirect(f"{request.path}?here={taken}")
        status = 422
        # A paper without a file was not meant; and what was taken is listed as it is now.
        asked = papers.papers_for(user, application)
        forms = [wrong.get(paper.name) or form_of(paper) for paper in asked]
    context = {
        "application": application,
        "rows": [
            card | {"form": form, "earlier": earlier}
            for card, form, earlier in zip(
                paper_cards(asked), forms, _earlier(application, asked), strict=True
            )
        ],
        "here": _here(str(taken) if taken else request.GET.get("here", "")),
        "nothing_chosen": request.method == "POST" and not filled,
        "errors": status != 200 and bool(filled),
        "may_upload": any(forms),
        "most": settings.DOCUMENT_MAX_BYTES,
        "limits": limits(),
    }
    return render(
        request, "onboarding/customer/documents.html", context | _way(user, application), status=status
    )


def _way(user: User, application: Application) -> dict[str, Any]:
    """Where the page stands: among the applicant's steps, or behind the part of another owner."""
    if application.customer.user_id != user.pk:
        return {
            "back_url": reverse("customer:part", args=[application.pk]),
            "back_label": "Your part",
            "nav_section": "home",
        }
    return {
        "back_url": reverse("customer:application", args=[application.pk]),
        "back_label": "Your application",
        "steps": step_links(application, completeness.step_states(application), "papers")
        if application.is_editable
        else [],
        "nav_section": "home",
    }


def _here(said: str) -> str:
    """What the banner says after an upload."""
    number = int(said) if re.fullmatch(r"[1-9][0-9]?", said) else 0
    return "" if not number else "1 file is here." if number == 1 else f"{number} files are here."


def _earlier(application: Application, asked: list[papers.Paper]) -> list[list[Document]]:
    """The replaced files of each paper, newest first."""
    rows = list(
        Document.objects.filter(application=application, status=Document.Status.REPLACED).order_by("-pk")
    )
    return [
        [
            row
            for row in rows
            if paper.is_theirs
            and row.owner_id == (paper.owner.pk if paper.owner else None)
            and row.type in paper.rule.types
        ]
        for paper in asked
    ]


def _take(user: User, application: Application, form: PaperForm) -> int:
    """Upload the files of one paper; what is wrong stands on its form. Returns how many were taken."""
    if not form.is_valid():
        return 0
    taken = 0
    for side, name, file in form.uploads():
        try:
            document_upload(
                actor=user, application_id=application.pk, file=file, source="page", **form.answers(side)
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
