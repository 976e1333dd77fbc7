"""The staff pages of privacy: a customer's requests and legal hold, and how long data is kept."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance.models import Case
from onboarding import abandoned, shut_away
from onboarding.models import Customer, DataRequest, LegalHold
from onboarding.privacy import holds, policy, requests, retention
from onboarding.views.privacy import cards_of
from portal import audit, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.permissions import can_do
from portal.revealing import is_shown
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm


class AskForm(forms.Form):
    """What the customer wants, and how staff know that it is the customer."""

    kind = forms.ChoiceField(label="What they ask for", choices=DataRequest.Kind.choices)
    verified_how = forms.CharField(
        label="How you made sure that the customer asks",
        min_length=5,
        max_length=300,
        help_text="For example: called back on the number we have. No personal data.",
    )


class DaysForm(forms.Form):
    """A period."""

    days = forms.IntegerField(label="Days", min_value=1, max_value=36500)


@require_GET
@staff_page
def customer(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """What the customer asked for about their data, the legal hold, and what is shut away."""
    return _customer_page(request, _found(request, customer_id), {})


def _found(request: HttpRequest, customer_id: UUID) -> Customer:
    actor = user_of(request)
    if not (can_do(actor, "privacy.ask") or can_do(actor, "pii.retained")):
        permissions.require(actor, "privacy.ask")
    found = Customer.objects.select_related("user").filter(pk=customer_id).first()
    if found is None:
        raise NotFound("There is no such customer.")
    return found


def _customer_page(request: HttpRequest, found: Customer, bound: dict[str, Any]) -> HttpResponse:
    actor = user_of(request)
    is_open = shut_away.why_shut(actor, found) == ""
    cards = cards_of(found, actor)
    cases = Case.objects.filter(subject_id__in=[card["request"].pk for card in cards])
    by_subject = {case.subject_id: case for case in cases}
    for card in cards:
        card["case"] = by_subject.get(card["request"].pk)
    context = {
        "customer": found,
        "name": (found.user.name if is_open else "") or f"Customer {str(found.pk)[-8:]}",
        "is_open": is_open,
        "is_opened": is_shown(actor, shut_away.FIELD, found.pk),
        "open_url": reverse("reveals:reveal", args=[shut_away.FIELD, found.pk])
        if can_do(actor, "pii.retained")
        else "",
        "applications": found.applications.order_by("-pk") if is_open else [],
        "cards": cards,
        "reasons": requests.why_not_erase(found),
        "hold": holds.open_hold(found),
        "past_holds": LegalHold.objects.filter(customer=found, lifted_at__isnull=False).select_related(
            "placed_by", "lifted_by"
        ),
        "may_ask": can_do(actor, "privacy.ask"),
        "may_hold": can_do(actor, "hold.manage"),
        "may_see_cases": can_do(actor, "case.view"),
        "ask_form": AskForm(prefix="ask"),
        "hold_form": ReasonForm(prefix="hold"),
        "nav_section": "applications",
    }
    status = 422 if bound else 200
    return render(request, "onboarding/staff/privacy_customer.html", context | bound, status=status)


@require_POST
@staff_page
def ask(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Ask on the customer's behalf, once it is sure who asks."""
    permissions.require(user_of(request), "privacy.ask")
    found = _found(request, customer_id)
    form = AskForm(request.POST, prefix="ask")
    if form.is_valid():
        try:
            requests.data_request_ask(
                actor=user_of(request), customer_id=found.pk, source="page", **form.cleaned_data
            )
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            messages.success(request, "Asked. A compliance manager decides it as a case.")
            return redirect("privacy_staff:customer", found.pk)
    return _customer_page(request, found, {"ask_form": form})


@require_POST
@staff_page
def hold(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Place the legal hold, or lift the one that stands."""
    permissions.require(user_of(request), "hold.manage")
    found = _found(request, customer_id)
    form = ReasonForm(request.POST, prefix="hold")
    if not form.is_valid():
        return _customer_page(request, found, {"hold_form": form})
    act = holds.hold_lift if request.POST.get("act") == "lift" else holds.hold_place
    try:
        act(actor=user_of(request), customer_id=found.pk, reason=form.cleaned_data["reason"])
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Recorded.")
    return redirect("privacy_staff:customer", found.pk)


@require_GET
@staff_page
def periods(request: HttpRequest) -> HttpResponse:
    """Every class of data: how long, from when, why, and how much goes tonight."""
    actor = user_of(request)
    context = {
        "rows": retention.classes_for_staff(actor),
        "may_manage": can_do(actor, "retention.manage"),
        "draft_days": abandoned.EXPIRE_AFTER.days,
        "holds": LegalHold.objects.filter(lifted_at=None).count(),
        "nav_section": "retention",
    }
    return render(request, "onboarding/staff/retention.html", context)


@require_http_methods(["GET", "POST"])
@staff_page
def period(request: HttpRequest, code: str) -> HttpResponse:
    """One class: try a period and see how many rows would go, then keep it."""
    actor = user_of(request)
    permissions.require(actor, "retention.manage")
    kind = policy.BY_CODE.get(code)
    if kind is None:
        raise NotFound("There is no such class of data.")
    form = DaysForm(request.POST or None, initial={"days": policy.days_of(code)})
    would_go: int | None = None
    if form.is_bound and form.is_valid():
        days = form.cleaned_data["days"]
        try:
            would_go = retention.dry_run(actor, code, days)
            if request.POST.get("act") == "save":
                retention.period_set(actor=actor, code=code, days=days)
                messages.success(request, "Kept. It holds from tonight.")
                return redirect("privacy_staff:retention")
        except Invalid as error:
            form.add_error("days", error.fields["days"])
    context = {"kind": kind, "form": form, "would_go": would_go, "nav_section": "retention"}
    if would_go is not None and not form.errors:
        audit.record(
            "retention.dry_run",
            subject=None,
            actor=actor,
            source="page",
            after={"class": code, "rows": would_go},
        )
    return render(
        request, "onboarding/staff/retention_period.html", context, status=422 if form.errors else 200
    )
