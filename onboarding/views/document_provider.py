"""What the provider has of an account's papers: the list beside ours, and its copy of one to download."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from onboarding import document_readback, selectors, standing
from onboarding.document_readback import Line
from onboarding.personal import PROVIDER_COPY
from portal import audit, permissions
from portal.errors import NotFound
from portal.revealing import is_shown
from portal.staff import staff_page, user_of
from providers.errors import ProviderError

EXTENSIONS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}
_UNREADABLE = "The provider's papers could not be read: {}. Try again in a minute."


@require_http_methods(["GET", "POST"])
@staff_page
def compare(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """A button that reads the provider's list; after it, every paper with where the two differ."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    account = standing.account_of(application)
    lines: list[Line] | None = None
    if request.method == "POST":
        permissions.require(actor, "provider.read")
    if request.method == "POST" and account is None:
        messages.error(request, "There is no account at the provider yet.")
    elif request.method == "POST" and account is not None:
        try:
            lines = document_readback.compare(account)
        except ProviderError as error:
            messages.error(request, _UNREADABLE.format(error))
        else:
            audit.record(
                "document.compare",
                subject=application,
                actor=actor,
                source="page",
                after={"papers": len(lines), "differing": sum(bool(line.differences) for line in lines)},
            )
    return render(
        request,
        "onboarding/staff/papers_provider.html",
        {
            "application": application,
            "account": account,
            "lines": lines,
            "differing": sum(bool(line.differences) for line in lines or []),
            "may_read": permissions.can_do(actor, "provider.read"),
            "may_reveal": permissions.can_do(actor, "document.original"),
            "nav_section": "applications",
        },
    )


@require_GET
@staff_page
def download(request: HttpRequest, application_id: UUID, document_id: UUID) -> HttpResponseBase:
    """The provider's copy as a download, recorded, piece by piece and kept nowhere on the way."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    permissions.require(actor, "document.original")
    account = standing.account_of(application)
    if account is None:
        raise NotFound("There is no account at the provider yet.")
    if not is_shown(actor, PROVIDER_COPY, account.pk):
        why = reverse("reveals:reveal", args=[PROVIDER_COPY, account.pk])
        return redirect(f"{why}?{urlencode({'next': request.path})}")
    try:
        file, media_type = document_readback.provider_copy(account, document_id)
    except ProviderError as error:
        messages.error(request, _UNREADABLE.format(error))
        return redirect("staff_documents:provider", application.pk)
    audit.record(
        "document.read_provider",
        subject=application,
        actor=actor,
        source="page",
        after={"document": str(document_id)},
    )
    extension = EXTENSIONS.get(media_type, "bin")
    response = FileResponse(
        file,
        as_attachment=True,
        filename=f"{application.reference}-{str(document_id)[-8:]}-provider.{extension}",
        content_type=media_type if media_type in EXTENSIONS else "application/octet-stream",
    )
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
