"""The staff pages of restricted changes: one request with its export and its end, and asking for a customer."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance.models import Case
from onboarding import drafts, evidence, restricted, selectors, shut_away
from onboarding.models import ChangeRequest
from onboarding.request_forms import ConfirmForm, ExportForm, RefusalForm
from onboarding.restricted_export import FORMATS, export, export_zip
from onboarding.services import restricted as services
from onboarding.views.restricted import TONES, ask_page, ask_url, requests_of
from portal import audit, permissions
from portal.errors import DomainError, NotFound
from portal.staff import staff_page, user_of


def _found(request: HttpRequest, request_id: UUID) -> ChangeRequest:
    permissions.require(user_of(request), "application.view")
    rows = ChangeRequest.objects.select_related(
        "account__application__customer", "owner", "requested_by", "confirmed_by", "evidence"
    )
    found = rows.filter(pk=request_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    shut_away.require_open(user_of(request), found.account.application.customer)
    return found


@require_GET
@staff_page
def change_request(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request, masked, with the export and the provider's answer."""
    found = _found(request, request_id)
    actor = user_of(request)
    case = Case.objects.filter(kind=services.KIND, subject_id=found.pk).order_by("-pk").first()
    audit.record("account.restricted_view", subject=found.account.application, actor=actor, source="page")
    context = {
        "found": found,
        "application": found.account.application,
        "tone": TONES[ChangeRequest.Status(found.status)],
        "rows": restricted.rows(found),
        "files": evidence.files(found),
        "case": case if case and permissions.can_do(actor, "case.view") else None,
        "may_decide": permissions.can_do(actor, "case.decide"),
        "export_form": ExportForm(may_reveal=permissions.can_do(actor, "pii.reveal")),
        "confirm_form": ConfirmForm(),
        "refusal_form": RefusalForm(),
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/change_request.html", context)


@require_POST
@staff_page
def export_file(request: HttpRequest, request_id: UUID) -> HttpResponseBase:
    """The export as a file; unmasked for who may reveal, with a reason."""
    permissions.require(user_of(request), "case.decide")
    found = _found(request, request_id)
    form = ExportForm(request.POST, may_reveal=True)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect("staff_requests:request", found.pk)
    kind = request.POST.get("format", "")
    if kind == "zip":
        return _zip(request, found, form)
    body = export(
        found,
        actor=user_of(request),
        form=kind,
        unmasked=form.cleaned_data["unmasked"],
        reason=form.cleaned_data["reason"],
    )
    name = f"change-{str(found.pk)[-8:]}.{'pdf' if kind == 'pdf' else 'txt'}"
    response = HttpResponse(body, content_type=FORMATS[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


def _zip(request: HttpRequest, found: ChangeRequest, form: ExportForm) -> StreamingHttpResponse:
    """Text, PDF and the papers that prove it, in pieces."""
    pieces = export_zip(
        found,
        actor=user_of(request),
        unmasked=form.cleaned_data["unmasked"],
        reason=form.cleaned_data["reason"],
    )
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="change-{str(found.pk)[-8:]}.zip"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@staff_page
def answer(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Record what the provider's operations answered."""
    permissions.require(user_of(request), "case.decide")
    found = _found(request, request_id)
    actor = user_of(request)
    try:
        if request.POST.get("answer") == "confirmed":
            reference = request.POST.get("reference", "")
            services.restricted_confirm(actor=actor, request_id=found.pk, reference=reference, source="page")
        else:
            services.restricted_refuse(
                actor=actor, request_id=found.pk, reason=request.POST.get("text", ""), source="page"
            )
    except DomainError as error:
        messages.error(request, " ".join([error.message, *_sentences(error)]))
    else:
        messages.success(request, "Recorded. The customer was told.")
    return redirect("staff_requests:request", found.pk)


def _sentences(error: DomainError) -> list[str]:
    return [sentence for rows in getattr(error, "fields", {}).values() for sentence in rows]


@require_GET
@staff_page
def choose(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """What staff may ask for in an account, and what was asked."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    context = {
        "application": application,
        "may_ask": permissions.can_do(actor, services.ASK),
        "items": [
            {"label": item.label, "url": ask_url("staff_requests", application, item)}
            for item in restricted.askable(drafts.load(application))
        ],
        "requests": requests_of(application),
        "reasons": services.why_not_ask(application),
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/restricted.html", context)


@require_http_methods(["GET", "POST"])
@staff_page
def ask(request: HttpRequest, application_id: UUID, field: str, owner_id: UUID | None = None) -> HttpResponse:
    """Ask in the customer's stead, by the same rules."""
    permissions.require(user_of(request), services.ASK)
    application = selectors.application_for_staff(user_of(request), application_id)
    back = reverse("staff_requests:restricted", args=[application.pk])
    return ask_page(
        request, application, field, owner_id, back=back, template="onboarding/staff/restricted_ask.html"
    )
