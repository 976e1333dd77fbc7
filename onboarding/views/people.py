"""Adding, changing and removing the people of an account."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from onboarding import drafts, selectors, services
from onboarding.forms import PersonForm
from onboarding.models import Application, Owner
from onboarding.requirements import StepName, role_rule, roles_of, several_people
from onboarding.views.shared import customer_page
from onboarding.words import AccountType
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.staff import user_of


def people_page(application: Application) -> str:
    """The address of the list of people."""
    return reverse("customer:step", args=[application.pk, StepName.OWNERS])


def draft_of(request: HttpRequest, application_id: UUID) -> Application:
    """The customer's own draft. Raises NotFound, or Conflict once it was handed in."""
    application = selectors.application_for_customer(user_of(request), application_id)
    if not application.is_editable:
        raise Conflict("This application was handed in and cannot be changed any more.")
    return application


@require_http_methods(["GET", "POST"])
@customer_page
def add(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Add a person, then ask about them."""
    application = draft_of(request, application_id)
    if not several_people(application.account_type):
        raise NotFound("This account has one owner alone.")
    rules = roles_of(application.account_type, application.entity_type)
    counts = {rule.role: application.owners.filter(role=rule.role).count() for rule in rules}
    form = PersonForm(
        request.POST or None,
        roles=tuple(rule for rule in rules if counts[rule.role] < rule.most),
        of_company=application.account_type == AccountType.ENTITY,
        named=True,
        initial={"country": str(drafts.applicant_of(application).country)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            owner = services.owner_add(
                actor=user_of(request), application_id=application.pk, source="page", **form.cleaned_data
            )
        except Invalid as error:
            _explain(form, error)
        else:
            return redirect("customer:person_step", application.pk, owner.pk, StepName.IDENTITY)
    return _page(request, application, form, "Add a person", None)


@require_http_methods(["GET", "POST"])
@customer_page
def change(request: HttpRequest, application_id: UUID, owner_id: UUID | None = None) -> HttpResponse:
    """Change what decides a person's questions: role, country, control, share."""
    application = draft_of(request, application_id)
    owner = person_in(application, owner_id)
    rules = roles_of(application.account_type, application.entity_type)
    form = PersonForm(
        request.POST or None,
        roles=() if owner.is_applicant else rules,
        of_company=application.account_type == AccountType.ENTITY,
        named=False,
        initial={
            "role": owner.role,
            "country": str(owner.country),
            "is_control_person": owner.is_control_person,
            "ownership_percent": owner.ownership_percent,
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.owner_change(
                actor=user_of(request),
                application_id=application.pk,
                owner_id=owner_id,
                changes=form.cleaned_data,
                source="page",
            )
        except Invalid as error:
            _explain(form, error)
        else:
            messages.success(request, "Saved. Steps whose questions changed are marked.")
            if several_people(application.account_type):
                return redirect(people_page(application))
            return redirect("customer:resume", application.pk)
    company = application.account_type == AccountType.ENTITY
    own = "Country, control and share" if company else "Country"
    return _page(request, application, form, own if owner.is_applicant else "Role and country", owner)


@require_http_methods(["GET", "POST"])
@customer_page
def remove(request: HttpRequest, application_id: UUID, owner_id: UUID) -> HttpResponse:
    """Take a person out, after a question."""
    application = draft_of(request, application_id)
    owner = person_in(application, owner_id)
    if request.method == "POST":
        services.owner_remove(
            actor=user_of(request), application_id=application.pk, owner_id=owner.pk, source="page"
        )
        messages.success(request, "The person was removed.")
        return redirect(people_page(application))
    return render(
        request,
        "onboarding/customer/person_remove.html",
        {"application": application, "owner": owner, "back": people_page(application), "nav_section": "home"},
    )


def person_in(application: Application, owner_id: UUID | None) -> Owner:
    """One person of it. Raises NotFound."""
    owner = drafts.load(application).owner(owner_id)
    if owner is None:
        raise NotFound("There is no such person in this application.")
    return owner


def _explain(form: PersonForm, error: Invalid) -> None:
    add_errors(form, error.fields)


def _page(
    request: HttpRequest, application: Application, form: PersonForm, title: str, owner: Owner | None
) -> HttpResponse:
    several = several_people(application.account_type)
    rule = role_rule(application.account_type, application.entity_type, owner.role) if owner else None
    context: dict[str, Any] = {
        "application": application,
        "form": form,
        "title": title,
        "owner": owner,
        "rule": rule,
        "back": people_page(application) if several else reverse("customer:resume", args=[application.pk]),
        "nav_section": "home",
    }
    return render(request, "onboarding/customer/person.html", context, status=422 if form.errors else 200)
