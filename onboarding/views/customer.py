"""The customer's pages around a draft: all applications, a new one, where one stands, giving one up."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from onboarding import drafts, papers, questions, selectors, services, standing, standing_words
from onboarding.forms import StartForm
from onboarding.identity.standing import stand_of
from onboarding.models import Application
from onboarding.services.paper_answers import CLOSED
from onboarding.views.invitations import FOLLOWED
from onboarding.views.shared import correction_links, customer_page
from portal.errors import Invalid
from portal.forms_ui import add_errors
from portal.staff import user_of


@require_GET
@customer_page
def home(request: HttpRequest) -> HttpResponse:
    """The customer's accounts and applications, or how to begin."""
    user = user_of(request)
    followed = request.session.get(FOLLOWED)
    if followed:
        # They came by an invitation's link and have signed in or up meanwhile.
        return redirect("customer:invitation", followed)
    applications = list(selectors.applications_of(user)[:20])
    cards = [
        {
            "application": row,
            "standing": standing.standing(row),
            "ball": standing.ball(row),
            "tone": standing_words.TONES[row.status],
        }
        for row in applications
    ]
    parts = [
        {
            "part": row,
            "status": standing.shown_status(row.application),
        }
        for row in selectors.parts_of(user)[:20]
    ]
    return render(
        request,
        "onboarding/customer/home.html",
        {
            "cards": cards,
            "parts": parts,
            "nav_section": "home",
        },
    )


@require_http_methods(["GET", "POST"])
@customer_page
def start(request: HttpRequest) -> HttpResponse:
    """Choose an account and begin, or go on with the open one of that kind."""
    form = StartForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            application = services.application_start(
                actor=user_of(request), source="page", **form.cleaned_data
            )
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            return redirect("customer:resume", application.pk)
    return render(
        request,
        "onboarding/customer/start.html",
        {"form": form, "nav_section": "home"},
        status=422 if form.errors else 200,
    )


def _status_context(application: Application) -> dict[str, Any]:
    account = standing.account_of(application)
    return {
        "application": application,
        "account": account,
        "standing": standing.standing(application),
        "ball": standing.ball(application),
        "tone": standing_words.TONES[application.status],
        "progress": _progress(application),
        "identity": stand_of(account),
        "corrections": correction_links(drafts.load(application), application.customer.user)
        if application.corrections
        else [],
        "papers": [paper for paper in papers.papers_of(application) if paper.rule.types]
        if application.status not in CLOSED
        else [],
        "questions": questions.open_for(application.customer.user, application),
        "nav_section": "home",
    }


def _progress(application: Application) -> list[dict[str, str]]:
    """Four stations of the way, as the customer thinks of it."""
    status = Application.Status
    reached = {
        status.SUBMITTED: 1,
        status.RECEIVED: 2,
        status.IN_REVIEW: 2,
        status.ACTION_REQUIRED: 2,
        status.APPROVED: 4,
        status.REJECTED: 4,
    }.get(Application.Status(application.status), 0)
    names = ["Submitted", "Passed to the provider", "Checks", "Decision"]
    found = []
    for place, name in enumerate(names):
        state = "done" if place < reached else "current" if place == reached else "todo"
        if application.status == status.ACTION_REQUIRED and place == reached:
            state = "attention"
        found.append({"title": name, "url": "", "state": state})
    return found


@require_GET
@customer_page
def application(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Where the application stands; the page looks again by itself while an answer is out."""
    found = selectors.application_for_customer(user_of(request), application_id)
    if found.status == Application.Status.DRAFT:
        return redirect("customer:resume", found.pk)
    return render(request, "onboarding/customer/application.html", _status_context(found))


@require_GET
@customer_page
def status_part(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """The part of the status page that changes, for htmx."""
    found = selectors.application_for_customer(user_of(request), application_id)
    return render(request, "onboarding/customer/_status.html", _status_context(found))


@require_http_methods(["GET", "POST"])
@customer_page
def withdraw(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Give up a draft, after a question."""
    found = selectors.application_for_customer(user_of(request), application_id)
    if request.method == "POST":
        services.application_withdraw(actor=user_of(request), application_id=found.pk, source="page")
        messages.success(request, "The application was withdrawn.")
        return redirect("customer:home")
    return render(request, "onboarding/customer/withdraw.html", {"application": found, "nav_section": "home"})
