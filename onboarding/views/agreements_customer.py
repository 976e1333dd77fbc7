"""The customer's page of agreements: what waits to be accepted, and what was."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from onboarding.agreements import acceptance, certificate, selectors
from onboarding.agreements.scope import pending_for
from onboarding.views.agreements_shared import download, pager_urls, shown_inline
from onboarding.views.shared import customer_page
from portal.errors import Invalid
from portal.pages import keyset
from portal.staff import user_of


@require_http_methods(["GET", "POST"])
@customer_page
def agreements(request: HttpRequest) -> HttpResponse:
    """Read and accept what waits; find what was accepted, with its certificate."""
    user = user_of(request)
    pending = pending_for(user)
    errors: dict[str, list[str]] = {}
    if request.method == "POST":
        accepted = {
            item.agreement.pk: request.POST.get(f"shown_{item.agreement.pk}", "")
            for item in pending
            if request.POST.get(f"accept_{item.agreement.pk}")
        }
        try:
            acceptance.agreements_accept_pending(actor=user, accepted=accepted, source="page")
        except Invalid as error:
            errors = error.fields
        else:
            messages.success(request, "Accepted, thank you. The certificates are below.")
            return redirect("agreements:home")
    page = keyset(
        acceptance.acceptances_of(user),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        size=20,
    )
    return render(
        request,
        "onboarding/agreements/home.html",
        {
            "pending": [{"item": item, "errors": errors.get(str(item.agreement.pk), [])} for item in pending],
            "nothing_ticked": errors.get("accepted", []),
            "has_errors": bool(errors),
            "acceptances": page.rows,
            **pager_urls(page, {}),
        },
        status=422 if errors else 200,
    )


@require_GET
@login_required
def document(request: HttpRequest, agreement_id: UUID) -> HttpResponse:
    """The PDF of an agreement: for customers once it is published, for staff also before."""
    found = selectors.document_of(user_of(request), agreement_id)
    name = f"{found.agreement.name}-{found.agreement.version}.pdf"
    return shown_inline(bytes(found.content), name)


@require_GET
@customer_page
def certificate_file(request: HttpRequest, acceptance_id: UUID) -> HttpResponse:
    """The certificate of one of the customer's own acceptances."""
    user = user_of(request)
    found = acceptance.acceptance_for_customer(user, acceptance_id)
    content = certificate.certificate_pdf(found, actor=user, source="page")
    return download(content, f"acceptance-{found.pk}.pdf")
