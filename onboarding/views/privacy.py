"""The customer's page of their data: ask for a copy or for erasure, see how far it is, fetch the copy."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from onboarding.models import Customer, DataRequest
from onboarding.privacy import exporting, requests
from onboarding.views.shared import customer_page
from portal.ball import Ball
from portal.errors import DomainError
from portal.models import User
from portal.staff import user_of

TONES = {
    "asked": "info",
    "preparing": "info",
    "ready": "success",
    "done": "success",
    "refused": "danger",
    "withdrawn": "neutral",
    "expired": "neutral",
}


class ErasureForm(forms.Form):
    """The customer has read what erasure means."""

    understood = forms.BooleanField(
        label="I have read what is erased and what the law makes you keep",
        error_messages={"required": "Confirm that you have read it."},
    )


def ball_of(request: DataRequest) -> Ball:
    """Who has the ball in a request."""
    if request.status in DataRequest.OPEN:
        line = "We look at it" if request.status == "asked" else "We put your data together"
        return Ball("us", line, request.status_at, "Our answer", None)
    if request.status == "ready":
        return Ball(
            "customer", "Ready to download", request.status_at, "Downloading it", request.fetchable_until
        )
    return Ball("nobody", str(request.get_status_display()), request.status_at)


def cards_of(customer: Customer | None, viewer: User) -> list[dict[str, Any]]:
    """The requests as both sides read them, newest first."""
    if customer is None:
        return []
    return [
        {
            "request": row,
            "tone": TONES[row.status],
            "ball": ball_of(row),
            "token": exporting.token(viewer, row) if row.fetchable_until else "",
        }
        for row in customer.data_requests.select_related("asked_by").order_by("-pk")[:20]
    ]


@require_GET
@customer_page
def home(request: HttpRequest) -> HttpResponse:
    """What can be asked for, and what was."""
    return _page(request, ErasureForm())


def _page(request: HttpRequest, form: ErasureForm) -> HttpResponse:
    user = user_of(request)
    customer = Customer.objects.filter(user=user).first()
    context = {
        "cards": cards_of(customer, user),
        "why_not_export": requests.why_not_ask(customer, "export"),
        "why_not_erasure": requests.why_not_ask(customer, "erasure"),
        "in_the_way": requests.reasons_for_customer(customer),
        "restricted_until": customer.restricted_until if customer else None,
        "form": form,
    }
    return render(request, "onboarding/customer/privacy.html", context, status=422 if form.errors else 200)


@require_POST
@customer_page
def ask(request: HttpRequest, kind: str) -> HttpResponse:
    """Ask for a copy, or for erasure once its meaning was read."""
    form = ErasureForm(request.POST)
    if kind == DataRequest.Kind.ERASURE and not form.is_valid():
        return _page(request, form)
    try:
        requests.data_request_ask(actor=user_of(request), kind=kind, source="page")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "We have your request and write to you about it.")
    return redirect("privacy:home")


@require_POST
@customer_page
def withdraw(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Take a request back."""
    try:
        requests.data_request_withdraw(actor=user_of(request), request_id=request_id, source="page")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Taken back. Nothing changes.")
    return redirect("privacy:home")


@require_GET
@customer_page
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The copy that a link names."""
    return exporting.answer(user_of(request), token)
