"""Files of papers: the staff page with their previews, and the files themselves by links that run out."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from onboarding import document_page, files
from onboarding.models import Document
from onboarding.services.quarantine import document_quarantined
from portal.permissions import can_do
from portal.revealing import is_shown
from portal.staff import staff_page, user_of


@require_GET
@staff_page
def document(request: HttpRequest, application_id: UUID, document_id: UUID) -> HttpResponse:
    """What a paper shows, page by page, and the way to the original. Looking is recorded."""
    user = user_of(request)
    found = files.document_for_staff(user, application_id, document_id)
    pages = files.pages_of(found)
    if pages:
        files.read(user, found, source="page", part="preview")
    response = render(
        request,
        "onboarding/staff/document.html",
        {
            "document": found,
            "application": found.application,
            "pages": [(page, files.token(user, found, page)) for page in pages],
            "original": files.token(user, found)
            if found.is_safe and is_shown(user, files.FIELD, found.pk)
            else "",
            "why_original": reverse("reveals:reveal", args=[files.FIELD, found.pk])
            if found.is_safe and can_do(user, "document.original")
            else "",
            "unscanned": found.scan == Document.Scan.OFF,
            "more_pages": found.pages - len(pages) if pages else 0,
            "nav_section": "applications",
        }
        | document_page.beside(user, found),
    )
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@staff_page
def staff_file(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file that a link names."""
    return files.answer(files.opened(user_of(request), token, source="page"))


@require_GET
@staff_page
def quarantined(request: HttpRequest, document_id: UUID) -> HttpResponseBase:
    """What was held back, named so that nothing opens it by itself."""
    found = document_quarantined(actor=user_of(request), document_id=document_id)
    return files.attachment(found, "application/octet-stream", "quarantined")
