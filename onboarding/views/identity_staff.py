"""Staff pages of the identity check: how links reach customers, and a link after declined consent."""

from dataclasses import asdict
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import selectors
from onboarding.identity import renewal
from onboarding.identity.delivery import Ways, delivery_change, delivery_now
from onboarding.identity.forms import DeliveryForm
from onboarding.identity.standing import Stand, stand_of
from onboarding.models import IdentityLink, ProviderAccount
from portal import permissions
from portal.errors import Conflict, ProviderAway
from portal.models import User
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

#: The form stands on a page that asks for another reason too.
OVERRIDE = "override"


@require_http_methods(["GET", "POST"])
@staff_page
def delivery(request: HttpRequest) -> HttpResponse:
    """The ways a link reaches the customer, for administrators."""
    actor = user_of(request)
    permissions.require(actor, "identity.deliver")
    form = DeliveryForm(request.POST if request.method == "POST" else None, initial=asdict(delivery_now()))
    if form.is_bound and form.is_valid():
        delivery_change(actor=actor, ways=Ways(**form.cleaned_data), source="page")
        messages.success(request, "Saved. It holds from now on, also for links that are out.")
        return redirect("identity_staff:delivery")
    context = {"form": form, "nav_section": "identity_check"}
    return render(
        request, "onboarding/staff/identity_delivery.html", context, status=422 if form.errors else 200
    )


@require_POST
@staff_page
def override(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Fetch a link although the customer declined consent, for a stated reason."""
    actor = user_of(request)
    found = selectors.application_for_staff(actor, application_id)
    permissions.require(actor, "identity.override")
    form = ReasonForm(request.POST, prefix=OVERRIDE)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
    else:
        try:
            check = renewal.consent_override(
                actor=actor,
                application_id=found.pk,
                reason=form.cleaned_data["reason"],
                source="page",
            )
        except (Conflict, ProviderAway) as error:
            messages.error(request, error.message)
        else:
            said = "The customer's page has a new link." if check.expires_at else "There are no more links."
            messages.success(request, said)
    return redirect("staff:application", found.pk)


def identity_card(account: ProviderAccount | None, actor: User) -> dict[str, object]:
    """What the application's page shows of the check: its state, every link, and whether staff may ask for one."""
    if account is None:
        return {}
    rows = (
        IdentityLink.objects.filter(identity_check__account=account)
        .defer("url")
        .select_related("asked_by")
        .order_by("-pk")
    )
    links = list(rows[:25])
    found = stand_of(account)
    if found is None and not links:
        return {}
    return {
        "stand": found,
        "links": links,
        "override_form": ReasonForm(prefix=OVERRIDE) if _may_override(found, actor) else None,
    }


def _may_override(found: Stand | None, actor: User) -> bool:
    return (
        found is not None and found.status != "exhausted" and permissions.can_do(actor, "identity.override")
    )
