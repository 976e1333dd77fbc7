"""The details of an open account: what is kept, changing it, and what is under way."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding import drafts, selectors, services
from onboarding.answer_words import answer_rows, shown
from onboarding.corrections import translated
from onboarding.drafts import Draft
from onboarding.forms import StepForm, step_form
from onboarding.models import AccountUpdate, Application, Owner
from onboarding.updates import (
    Changeable,
    changeable,
    changeable_step,
    changed_labels,
    is_private,
    shown_labels,
    updates_for,
)
from onboarding.views.restricted import requests_of
from onboarding.views.shared import customer_page
from portal.errors import DomainError, Forbidden, Invalid, NotFound
from portal.sealed import Sealed
from portal.staff import user_of

TONES = {
    AccountUpdate.Status.WAITING: "warning",
    AccountUpdate.Status.CHECKING: "info",
    AccountUpdate.Status.HELD: "info",
    AccountUpdate.Status.SENDING: "info",
    AccountUpdate.Status.IN_REVIEW: "info",
    AccountUpdate.Status.APPLIED: "success",
    AccountUpdate.Status.REFUSED: "danger",
    AccountUpdate.Status.WITHDRAWN: "neutral",
}
#: What the customer reads in place of our own words for two of them.
LABELS = {
    AccountUpdate.Status.CHECKING: "On its way",
    AccountUpdate.Status.IN_REVIEW: "Being checked",
}
STUCK = (
    "Passing it on to the provider did not work. A person of ours looks at it; you do not need to do anything, and we "
    "write to you when it is done or cannot be done."
)
#: What each status means to the customer.
WORDS = {
    AccountUpdate.Status.WAITING: "It goes to the provider when every agreement that waits has been accepted.",
    AccountUpdate.Status.CHECKING: "We are about to pass it on to the provider.",
    AccountUpdate.Status.HELD: "A person of ours looks at it before it is passed on.",
    AccountUpdate.Status.SENDING: "It is on its way to the provider.",
    AccountUpdate.Status.IN_REVIEW: "The provider is checking it. This usually takes minutes, at times some days.",
    AccountUpdate.Status.REFUSED: "It was not accepted. Everything is as it was before.",
}


def change_url(application: Application, item: Changeable) -> str:
    """Where one step of the details is changed."""
    if item.owner is None or item.owner.is_applicant:
        return reverse("customer:detail", args=[application.pk, item.step.name])
    return reverse("customer:person_detail", args=[application.pk, item.owner.pk, item.step.name])


@require_GET
@customer_page
def details(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Everything the viewer may change, as it is kept, with what is under way above it."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    draft = drafts.load(application)
    part = draft.part_of(user)
    sections = []
    for item in changeable(draft):
        if not draft.shows_answers_of(item.owner, user):
            continue
        whose = (
            item.owner.full_name if part.is_applicant and item.owner and not item.owner.is_applicant else ""
        )
        sections.append(
            {
                "title": f"{whose}: {item.step.short.lower()}" if whose else item.step.short,
                "rows": answer_rows(item.step, item.kept),
                "url": change_url(application, item),
            }
        )
    return render(
        request,
        "onboarding/customer/details.html",
        {
            "application": application,
            "sections": sections,
            "part": part,
            "reasons": services.why_not_update(application, part),
            "updates": updates_of(draft, part),
            "requests": requests_of(application) if part.is_applicant else [],
            "nav_section": "home",
        },
    )


def updates_of(draft: Draft, viewer: Owner | None = None) -> list[dict[str, Any]]:
    """The account's changes, newest first, as a page shows them to that owner, or to staff.

    Who has a part of their own sees their own; the applicant sees that they asked for something, and not what.
    """
    rows = (
        updates_for(draft.application, viewer)
        .select_related("requested_by", "of_owner", "account")
        .defer("changes", "comparison")
        .order_by("-pk")[:10]
    )
    found = []
    for row in rows:
        is_closed = is_private(row, viewer)
        found.append(
            {
                "update": row,
                "tone": TONES[AccountUpdate.Status(row.status)],
                "label": (LABELS.get(AccountUpdate.Status(row.status)) if viewer else None)
                or row.get_status_display(),
                "words": _words(row),
                "what": ", ".join(shown_labels(row, viewer)),
                "refused": ""
                if is_closed
                else ", ".join(one.label for one in translated(draft, row.corrections)),
                "may_withdraw": row.status == AccountUpdate.Status.WAITING and not is_closed,
            }
        )
    return found


def _words(update: AccountUpdate) -> str:
    on_its_way = update.status in {AccountUpdate.Status.CHECKING, AccountUpdate.Status.SENDING}
    if on_its_way and update.account.stuck_at is not None:
        return STUCK
    return WORDS.get(AccountUpdate.Status(update.status), "")


@require_http_methods(["GET", "POST"])
@customer_page
def detail(
    request: HttpRequest, application_id: UUID, name: str, owner_id: UUID | None = None
) -> HttpResponse:
    """Change one step: the form, then what changes side by side, then send it."""
    user = user_of(request)
    application = selectors.application_with_part(user, application_id)
    draft = drafts.load(application)
    part = draft.part_of(user)
    item = changeable_step(draft, name, owner_id)
    if not draft.shows_answers_of(item.owner, user):
        if part.is_applicant:
            raise Forbidden("This person has a part of their own. They change it with their own login.")
        raise NotFound("There is no such step in your part.")
    reasons = services.why_not_update(application, part)
    if reasons:
        messages.info(request, " ".join(reasons))
        return redirect("customer:details", application.pk)
    if request.method == "GET":
        return _form_page(request, application, item, step_form(item.step)(kept=item.kept))
    form = step_form(item.step)(request.POST, kept=item.kept)
    if not form.is_valid() or "back" in request.POST:
        return _form_page(request, application, item, form, status=422 if form.errors else 200)
    if "confirmed" not in request.POST and changed_labels(item, form.answers):
        return _confirm_page(request, application, item, form)
    try:
        services.update_request(
            actor=user_of(request),
            application_id=application.pk,
            step=name,
            owner_id=owner_id,
            answers=form.answers,
            source="page",
        )
    except Invalid as error:
        for field, sentences in error.fields.items():
            form.add_error(field if field in form.fields else None, sentences)
        return _form_page(request, application, item, form, status=422)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Your change was taken. Below you see how far it is.")
    return redirect("customer:details", application.pk)


def _form_page(
    request: HttpRequest, application: Application, item: Changeable, form: StepForm, *, status: int = 200
) -> HttpResponse:
    context = {"application": application, "item": item, "form": form, "nav_section": "home"}
    return render(request, "onboarding/customer/detail.html", context, status=status)


def _confirm_page(
    request: HttpRequest, application: Application, item: Changeable, form: StepForm
) -> HttpResponse:
    """What is kept beside what was typed, for the questions that differ."""
    rows = []
    for field in item.step.fields:
        kept, new = item.kept.get(field.name), form.answers.get(field.name)
        before = kept.reveal() if isinstance(kept, Sealed) else kept
        if (before or None) != (new or None):
            rows.append({"label": field.label, "before": shown(field, before), "after": shown(field, new)})
    context = {
        "application": application,
        "item": item,
        "form": form,
        "rows": rows,
        "typed": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name in form.fields or name.rpartition("_")[0] in form.fields
        ],
        "nav_section": "home",
    }
    return render(request, "onboarding/customer/detail_confirm.html", context)


@require_POST
@customer_page
def withdraw_change(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Take back a change that still waits."""
    application = selectors.application_with_part(user_of(request), application_id)
    try:
        services.update_withdraw(actor=user_of(request), application_id=application.pk, source="page")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The change was withdrawn.")
    return redirect("customer:details", application.pk)
