"""Staff compare our record of an account with the provider's, and resolve what differs."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import readback, selectors, services, standing
from onboarding.models import Application
from portal import audit, permissions
from portal.errors import Conflict, DomainError
from portal.staff import staff_page, user_of
from providers.bakkt.types import AccountRequest
from providers.errors import ProviderError
from providers.forms import ReasonForm

STEP_WORDS = {"identity": "name", "contact": "contact", "address": "addresses"}


@require_http_methods(["GET", "POST"])
@staff_page
def compare(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """A button that reads the provider's copy; after it, every line where the copies differ."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    reading = None
    if request.method == "POST":
        permissions.require(actor, "provider.read")
        theirs = _read(request, application)
        if theirs is not None:
            reading = readback.compare(application, theirs)
            audit.record(
                "account.compare",
                subject=application,
                actor=actor,
                source="page",
                after={"differences": len(reading.lines)},
            )
    return render(
        request,
        "onboarding/staff/compare.html",
        {
            "application": application,
            "account": standing.account_of(application),
            "reading": reading,
            "takeable": [
                {
                    "owner": owner,
                    "step": step,
                    "words": STEP_WORDS[step],
                    "form": ReasonForm(auto_id=f"id_{owner.pk}_{step}_%s"),
                }
                for owner, step in (reading.takeable if reading else [])
            ],
            "may_read": permissions.can_do(actor, "provider.read"),
            "may_resolve": permissions.can_do(actor, "application.decide"),
            "reasons": services.why_not_update(application),
            "reason_form": ReasonForm(),
            "nav_section": "applications",
        },
    )


@require_POST
@staff_page
def resend(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Send our complete data set again."""
    actor = user_of(request)
    permissions.require(actor, "application.decide")
    application = selectors.application_for_staff(actor, application_id)
    try:
        services.update_resend(
            actor=actor, application_id=application.pk, reason=request.POST.get("reason", ""), source="page"
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Our data set is on its way to the provider.")
    return redirect("staff:application", application.pk)


@require_POST
@staff_page
def take(request: HttpRequest, application_id: UUID, owner_id: UUID, step: str) -> HttpResponse:
    """Take over the provider's copy of one step of one person, read anew."""
    actor = user_of(request)
    permissions.require(actor, "application.decide")
    application = selectors.application_for_staff(actor, application_id)
    owner = readback.owner_of(application, owner_id)
    theirs = _read(request, application)
    if owner is None or theirs is None or step not in STEP_WORDS:
        return redirect("staff:compare", application.pk)
    try:
        if str(owner.pk) not in {row.client_owner_id for row in theirs.owners}:
            raise Conflict("The provider has no such person in this account.")
        services.theirs_take(
            actor=actor,
            application_id=application.pk,
            owner_id=owner.pk,
            step=step,
            answers=readback.answers_from(theirs, owner, step),
            reason=request.POST.get("reason", ""),
            source="page",
        )
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("staff:compare", application.pk)
    messages.success(request, "The provider's copy was taken over.")
    return redirect("staff:application", application.pk)


def _read(request: HttpRequest, application: Application) -> AccountRequest | None:
    """The provider's copy, or None with a message that says what to do."""
    account = standing.account_of(application)
    if account is None:
        messages.error(request, "There is no account at the provider yet.")
        return None
    try:
        found = readback.theirs_of(account)
    except ProviderError as error:
        messages.error(request, f"The provider's copy could not be read: {error}. Try again in a minute.")
        return None
    if found is None:
        messages.error(request, "The provider's copy came in a form that cannot be read. Tell the engineers.")
    return found
