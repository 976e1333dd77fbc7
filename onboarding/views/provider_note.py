"""The staff page of what to send the provider's compliance team about a case."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from compliance import selectors as cases
from onboarding import provider_note, selectors, standing
from onboarding.restricted_export import FORMATS
from portal import permissions
from portal.errors import NotFound
from portal.staff import staff_page, user_of


@require_http_methods(["GET", "POST"])
@staff_page
def for_provider(request: HttpRequest, application_id: UUID, case_id: UUID) -> HttpResponse:
    """What to send, and by POST the same as a file; for who sees the case."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    case = cases.case_for_staff(actor, case_id)
    account = standing.account_of(application)
    if account is None or case.subject_id != account.pk:
        raise NotFound("There is no such case about this account.")
    if request.method == "POST":
        kind = request.POST.get("format", "")
        body = provider_note.export(account, case, actor=actor, form=kind)
        response = HttpResponse(body, content_type=FORMATS[kind])
        name = f"account-{account.client_account_id}.{'pdf' if kind == 'pdf' else 'txt'}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response
    context = {
        "application": application,
        "case": case,
        "lines": provider_note.lines(account, case),
        "may_export": permissions.can_do(actor, "case.decide"),
        "nav_section": "cases",
    }
    return render(request, "onboarding/staff/for_provider.html", context)
