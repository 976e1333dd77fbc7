"""The customer's pages of restricted changes: what may be asked for, asking, taking it back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding import drafts, restricted, selectors
from onboarding.forms import StepForm, step_form
from onboarding.models import Application, ChangeRequest
from onboarding.services import restricted as services
from onboarding.views.shared import customer_page
from portal.errors import DomainError, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.staff import user_of

TONES = {
    ChangeRequest.Status.REQUESTED: "info",
    ChangeRequest.Status.PASSED_ON: "info",
    ChangeRequest.Status.CONFIRMED: "success",
    ChangeRequest.Status.REFUSED: "danger",
    ChangeRequest.Status.WITHDRAWN: "neutral",
}
#: What each status means to the customer.
WORDS = {
    ChangeRequest.Status.REQUESTED: "A person of ours looks at it and may ask for a paper.",
    ChangeRequest.Status.PASSED_ON: "The provider's staff are changing it. This can take some days.",
    ChangeRequest.Status.CONFIRMED: "The provider has changed it.",
}


def requests_of(application: Application) -> list[dict[str, Any]]:
    """The account's requests, newest first, as a page shows them; without any value."""
    found = (
        ChangeRequest.objects.filter(account__application=application)
        .select_related("owner", "requested_by", "evidence")
        .defer("before", "wanted", "why")
        .order_by("-pk")[:20]
    )
    return [
        {
            "request": row,
            "tone": TONES[ChangeRequest.Status(row.status)],
            "words": row.refused_because or WORDS.get(ChangeRequest.Status(row.status), ""),
            "what": _what(row),
        }
        for row in found
    ]


def _what(row: ChangeRequest) -> str:
    label = str(row.get_field_display())
    return f"{row.owner.full_name}: {label.lower()}" if row.owner and not row.owner.is_applicant else label


@require_GET
@customer_page
def choose(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Everything that only the provider's staff change, with what was asked already above it."""
    application = selectors.application_for_customer(user_of(request), application_id)
    items = [
        {"label": item.label, "url": ask_url("requests", application, item)}
        for item in restricted.askable(drafts.load(application))
    ]
    context = {
        "application": application,
        "items": items,
        "requests": requests_of(application),
        "reasons": services.why_not_ask(application),
        "nav_section": "home",
    }
    return render(request, "onboarding/customer/restricted.html", context)


def ask_url(namespace: str, application: Application, item: restricted.Askable) -> str:
    """Where one restricted field is asked for."""
    if item.owner_id is None:
        return reverse(f"{namespace}:restricted_ask", args=[application.pk, item.field.value])
    return reverse(
        f"{namespace}:restricted_ask_person", args=[application.pk, item.owner_id, item.field.value]
    )


@require_http_methods(["GET", "POST"])
@customer_page
def ask(request: HttpRequest, application_id: UUID, field: str, owner_id: UUID | None = None) -> HttpResponse:
    """The questions of one restricted field, and sending them."""
    application = selectors.application_for_customer(user_of(request), application_id)
    back = reverse("requests:restricted", args=[application.pk])
    return ask_page(
        request, application, field, owner_id, back=back, template="onboarding/customer/restricted_ask.html"
    )


def ask_page(
    request: HttpRequest,
    application: Application,
    field: str,
    owner_id: UUID | None,
    *,
    back: str,
    template: str,
) -> HttpResponse:
    """Form and sending, for customers and staff alike; who may is asked by the service."""
    draft, user = drafts.load(application), user_of(request)
    item = restricted.askable_one(draft, field, owner_id)
    # Whoever takes part on their own shows the applicant nothing, masked or not.
    is_shown = user.is_staff_member or draft.shows_answers_of(item.owner, user)
    made = step_form(item.step)
    form = made(request.POST) if request.method == "POST" else made()
    kept = [
        (question.label, str(item.kept[question.name]))
        for question in item.step.fields
        if is_shown and item.kept.get(question.name)
    ]
    if request.method == "POST" and form.is_valid():
        try:
            services.restricted_request(
                actor=user_of(request),
                application_id=application.pk,
                field=field,
                owner_id=owner_id,
                answers=form.answers,
                source="page",
            )
        except Invalid as error:
            _show(form, error)
        except DomainError as error:
            messages.error(request, error.message)
            return redirect(back)
        else:
            messages.success(request, "It was taken. A person looks at it and passes it on to the provider.")
            return redirect(back)
    context = {"application": application, "item": item, "form": form, "kept": kept, "back": back}
    status = 422 if form.errors else 200
    return render(request, template, context, status=status)


def _show(form: StepForm, error: Invalid) -> None:
    add_errors(form, error.fields)


@require_POST
@customer_page
def withdraw(request: HttpRequest, application_id: UUID, request_id: UUID) -> HttpResponse:
    """Take back what was not passed on."""
    application = selectors.application_for_customer(user_of(request), application_id)
    if not ChangeRequest.objects.filter(pk=request_id, account__application=application).exists():
        raise NotFound("There is no such request.")
    try:
        services.restricted_withdraw(actor=user_of(request), request_id=request_id, source="page")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "It was withdrawn.")
    return redirect("requests:restricted", application.pk)
