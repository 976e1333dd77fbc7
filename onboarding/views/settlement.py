"""The staff page of how an account settles."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onboarding import selectors
from onboarding.models import SettlementChange
from onboarding.services import settlement as services
from onboarding.words import SettlementMethod
from portal import permissions
from portal.errors import Conflict, Invalid
from portal.forms_ui import add_errors
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

TONES = {
    SettlementChange.Status.SENDING: "info",
    SettlementChange.Status.DONE: "success",
    SettlementChange.Status.REFUSED: "danger",
}


class SettlementForm(ReasonForm):
    """Which method, and why."""

    method = forms.ChoiceField(
        label="Settle trades by",
        choices=SettlementMethod.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a method."},
    )
    field_order = ("method", "reason")


@require_http_methods(["GET", "POST"])
@staff_page
def settlement(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """How it settles, what was asked so far, and asking for a change."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    if request.method == "POST":
        permissions.require(actor, services.PERMISSION)
    form = SettlementForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.settlement_change(
                actor=actor, application_id=application.pk, source="page", **form.cleaned_data
            )
        except Invalid as error:
            add_errors(form, error.fields)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("staff:settlement", application.pk)
        else:
            messages.success(request, "It is on its way to the provider. Below you see what it answers.")
            return redirect("staff:settlement", application.pk)
    rows = SettlementChange.objects.filter(account__application=application).select_related("requested_by")
    context = {
        "application": application,
        "form": form,
        "reasons": services.why_not_settlement(actor, application),
        "changes": [
            {"change": row, "tone": TONES[SettlementChange.Status(row.status)]}
            for row in rows.order_by("-pk")[:20]
        ],
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/settlement.html", context, status=422 if form.errors else 200)
