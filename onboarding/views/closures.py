"""The customer's page of closing the account."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from onboarding import selectors
from onboarding.models import ClosureRequest
from onboarding.request_forms import CloseForm
from onboarding.services import closures as services
from onboarding.views.shared import customer_page
from portal.errors import DomainError
from portal.staff import user_of


@require_http_methods(["GET", "POST"])
@customer_page
def close(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """What closing means, and asking for it."""
    application = selectors.application_for_customer(user_of(request), application_id)
    form = CloseForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            services.closure_request(
                actor=user_of(request), application_id=application.pk, understood=True, source="page"
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "We have your wish to close the account.")
        return redirect("requests:close", application.pk)
    rows = ClosureRequest.objects.filter(account__application=application).order_by("-pk")
    context = {
        "application": application,
        "closure": rows.first(),
        "reasons": services.why_not_close(application),
        "form": form,
        "nav_section": "home",
    }
    return render(request, "onboarding/customer/close.html", context, status=422 if form.errors else 200)


@require_POST
@customer_page
def withdraw(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Keep the account after all."""
    application = selectors.application_for_customer(user_of(request), application_id)
    try:
        services.closure_withdraw(actor=user_of(request), application_id=application.pk, source="page")
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "You keep the account.")
    return redirect("requests:close", application.pk)
