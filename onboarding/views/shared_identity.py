"""The staff page of an identity check that is shared with the provider by a token."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from onboarding import selectors
from onboarding.services import shared_identity as services
from portal import permissions
from portal.errors import Conflict, Invalid
from portal.forms_ui import add_errors
from portal.models import OutboundCall
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

Status = OutboundCall.Status
#: How an import stands, from the status of its call.
STANDING = {
    Status.SUCCEEDED: ("Imported", "success"),
    Status.REJECTED: ("Not accepted", "danger"),
    Status.NEEDS_PERSON: ("Given up: see its case", "danger"),
}
ON_ITS_WAY = ("On its way", "info")


class ImportForm(ReasonForm):
    """A fresh token, and why."""

    share_token = forms.CharField(
        label="Share token",
        max_length=services.LONGEST_TOKEN,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="From the partner who checked the customer. It lives for minutes, and is not shown again.",
        error_messages={"required": "Paste the share token."},
    )
    field_order = ("share_token", "reason")


@require_http_methods(["GET", "POST"])
@staff_page
def shared_identity(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """What was imported so far, and asking for it again."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    if request.method == "POST":
        permissions.require(actor, services.PERMISSION)
    form = ImportForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.shared_identity_import(
                actor=actor, application_id=application.pk, source="page", **form.cleaned_data
            )
        except Invalid as error:
            add_errors(form, error.fields)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("staff:shared_identity", application.pk)
        else:
            messages.success(request, "It is on its way to the provider. Below you see what it answers.")
            return redirect("staff:shared_identity", application.pk)
    account = getattr(application, "account", None)
    context = {
        "application": application,
        "form": form,
        "may_ask": permissions.can_do(actor, services.PERMISSION),
        "reasons": services.why_not_import(application),
        "imports": [
            {"call": call, "standing": STANDING.get(Status(call.status), ON_ITS_WAY)}
            for call in (services.imports_of(account) if account else ())
        ],
        "nav_section": "applications",
    }
    return render(
        request, "onboarding/staff/shared_identity.html", context, status=422 if form.errors else 200
    )
