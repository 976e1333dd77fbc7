"""Staff pages of applications started for a customer: start, fill in, hand over."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding import availability, completeness, drafts, selectors, services
from onboarding.completeness import StepState
from onboarding.drafts import Draft
from onboarding.forms import StartForForm, StepForm, step_form
from onboarding.models import Application, Owner
from onboarding.requirements import Step
from onboarding.services.assisted import CUSTOMERS_OWN, START
from onboarding.views.typed import seen_of
from portal import permissions
from portal.errors import Conflict, Invalid, NotFound, PreconditionFailed
from portal.forms_ui import add_errors
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
            add_errors(form, error.fields)
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
            "states": _own(drafts.load(application, by_staff=True)),
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
    draft, asked, owner = _step(application, name)
    if request.method == "GET":
        return _step_page(request, draft, owner, step_form(asked)(kept=draft.shown(asked, owner)))
    form = step_form(asked)(request.POST, kept=draft.shown(asked, owner, request.POST.getlist("forget")))
    if not form.is_valid():
        return _step_page(request, draft, owner, form, status=422)
    try:
        services.step_save_for(
            actor=user_of(request),
            application_id=application.pk,
            step=name,
            answers=form.answers,
            step_version=form.cleaned_data["step_version"] or 0,
            source="page",
            entries_seen=seen_of(request),
        )
    except PreconditionFailed as error:
        # The next save is a decision: it carries the versions that are there now.
        fresh, _, owner = _step(application, name)
        return _step_page(request, fresh, owner, form, status=409, problem=error.message)
    messages.success(request, "Saved.")
    return redirect("staff:application_fill", application.pk)


def _step(application: Application, name: str) -> tuple[Draft, Step, Owner | None]:
    draft = drafts.load(application, by_staff=True)
    state = next((row for row in _own(draft) if row.step.name == name), None)
    if state is None:
        raise NotFound("There is no such step.")
    return draft, state.step, state.owner


def _step_page(
    request: HttpRequest,
    draft: Draft,
    owner: Owner | None,
    form: StepForm,
    *,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    row, typed = draft.saved(form.step, owner), draft.entries(form.step, owner)
    return render(
        request,
        "onboarding/staff/fill_step.html",
        {
            "application": draft.application,
            "whose": f"{draft.application.customer.user.name}, {draft.application.reference}",
            "step": form.step,
            "form": form,
            "step_version": row.version if row else 0,
            "saved_at": row.saved_at if row else None,
            "typed": typed,
            "typed_url": f"{request.path}typed/",
            "problem": problem,
            "nav_section": "applications",
        },
        status=status,
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
