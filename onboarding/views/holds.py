"""The staff page of what may be done with an account, and of our own holds on its money."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import availability, selectors, standing
from onboarding.models import AccountHold
from onboarding.services import holds as services
from portal import permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.staff import staff_page, user_of


class HoldForm(forms.Form):
    """What stops the money, and why."""

    cause = forms.ChoiceField(
        label="Because of",
        choices=[("", "Choose"), *AccountHold.Cause.choices],
        error_messages={"required": "Choose what the hold is for."},
    )
    why = forms.CharField(
        label="Why",
        max_length=services.LONGEST_WHY,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For colleagues; customers never see it.",
        error_messages={"required": "Say why."},
    )


class ReleaseForm(forms.Form):
    """Why a hold ends."""

    why = forms.CharField(
        label="Why it ends",
        max_length=services.LONGEST_WHY,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Say why it ends."},
    )


@require_http_methods(["GET", "POST"])
@staff_page
def holds(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """What may be done now, every hold there was, and putting one."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    if request.method == "POST":
        permissions.require(actor, services.PERMISSION)
    form = HoldForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.hold_put(actor=actor, application_id=application.pk, source="page", **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("staff:holds", application.pk)
        else:
            messages.success(request, "The account is held: nothing goes in or out.")
            return redirect("staff:holds", application.pk)
    account = standing.account_of(application)
    rows = AccountHold.objects.filter(account__application=application)
    context = {
        "application": application,
        "form": form,
        "reasons": services.why_not_hold(actor, application),
        "uses": [(use.label, availability.can(actor, use, account)) for use in availability.Use],
        "holds": [
            {
                "hold": row,
                "why": row.why.reveal(),
                "form": ReleaseForm(auto_id=f"release-{row.pk}-%s"),
                "released_why": row.released_why.reveal() if row.released_why else "",
            }
            for row in rows.select_related("put_by", "released_by").order_by("-status", "-put_at")[:50]
        ],
        "may_release": permissions.can_do(actor, services.PERMISSION),
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/holds.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page
def release(request: HttpRequest, application_id: UUID, hold_id: UUID) -> HttpResponse:
    """End one hold."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    if not AccountHold.objects.filter(pk=hold_id, account__application=application).exists():
        raise NotFound("There is no such hold.")
    try:
        services.hold_release(actor=actor, hold_id=hold_id, why=request.POST.get("why", ""), source="page")
    except Invalid as error:
        messages.error(request, error.fields["why"][0])
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Released.")
    return redirect("staff:holds", application.pk)
