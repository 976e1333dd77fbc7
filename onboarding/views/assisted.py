"""Staff pages of applications started for a customer: start, fill in, hand over."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding import availability, completeness, drafts, selectors, services
from onboarding.completeness import StepState
from onboarding.drafts import Draft
from onboarding.forms import StartForForm, step_form
from onboarding.models import Application
from onboarding.services.assisted import CUSTOMERS_OWN, START
from portal import permissions
from portal.errors import Conflict, Invalid, NotFound, PreconditionFailed
from portal.staff import staff_page, user_of


def _with_staff(request: HttpRequest, application_id: UUID) -> Application:
    permissions.require(user_of(request), START)
    application = selectors.application_for_staff(user_of(request), application_id)
    if application.started_by_id is None:
        raise Conflict("This application is the customer's. Staff do not change it.")
    return application


def _own(draft: Draft) -> list[StepState]:
    """The steps staff may fill in: the account's and the applicant's."""
    states = completeness.states_of(draft)
    return [row for row in states if not row.owner_id and row.step.name not in CUSTOMERS_OWN]


@require_http_methods(["GET", "POST"])
@staff_page
def start(request: HttpRequest) -> HttpResponse:
    """For whom, and which account."""
    actor = user_of(request)
    permissions.require(actor, START)
    form = StartForForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            application = services.application_start_for(actor=actor, source="page", **form.cleaned_data)
        except Invalid as error:
            for name, sentences in error.fields.items():
                form.add_error(name if name in form.fields else None, sentences)
        except Conflict as error:
            form.add_error(None, error.message)
        else:
            return redirect("staff:application_fill", application.pk)
    context = {"form": form, "nav_section": "applications"}
    return render(request, "onboarding/staff/start.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page
def fill(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Every step staff may fill in, and handing over."""
    application = _with_staff(request, application_id)
    return render(
        request,
        "onboarding/staff/fill.html",
        {
            "application": application,
            "customer": application.customer.user,
            "states": _own(drafts.load(application)),
            "availability": availability.of(application),
            "nav_section": "applications",
        },
    )


@require_http_methods(["GET", "POST"])
@staff_page
def step(request: HttpRequest, application_id: UUID, name: str) -> HttpResponse:
    """One step, filled in for the customer."""
    application = _with_staff(request, application_id)
    if not application.is_with_staff:
        raise Conflict("This application was handed over. Staff do not change it any more.")
    draft = drafts.load(application)
    state = next((row for row in _own(draft) if row.step.name == name), None)
    if state is None:
        raise NotFound("There is no such step.")
    kept = draft.answers(state.step, state.owner)
    form = step_form(state.step)(request.POST if request.method == "POST" else None, kept=kept)
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            services.step_save_for(
                actor=user_of(request),
                application_id=application.pk,
                step=name,
                answers=form.answers,
                step_version=form.cleaned_data["step_version"] or 0,
                source="page",
            )
        except PreconditionFailed as error:
            problem = error.message
        else:
            messages.success(request, "Saved.")
            return redirect("staff:application_fill", application.pk)
    return render(
        request,
        "onboarding/staff/fill_step.html",
        {
            "application": application,
            "step": state.step,
            "form": form,
            "step_version": state.version,
            "problem": problem,
            "nav_section": "applications",
        },
        status=422 if form.errors else 409 if problem else 200,
    )


@require_POST
@staff_page
def hand_over(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Send the customer the link."""
    try:
        services.application_hand_over(actor=user_of(request), application_id=application_id, source="page")
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The letter with the link is on its way to the customer.")
    return redirect("staff:application", application_id)
