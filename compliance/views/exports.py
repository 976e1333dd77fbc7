"""Case files: asked for, watched while they are made, fetched; and what anybody checks them with."""

from typing import Any, cast
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from compliance import selectors, services
from compliance.casefile import archive, signing
from compliance.export_forms import CaseFileForm, CaseFilesForm
from compliance.models import CaseExport
from compliance.services.exports import MOST_CASES
from portal.errors import Invalid
from portal.forms_ui import add_errors
from portal.permissions import require
from portal.staff import staff_page, user_of
from providers.views.paging import cursors, pager

TONES = {"queued": "info", "making": "info", "ready": "success", "failed": "danger", "expired": "neutral"}


@require_http_methods(["GET", "POST"])
@staff_page
def exports(request: HttpRequest) -> HttpResponse:
    """The case files that were asked for; and several cases at once by filter."""
    actor = user_of(request)
    page = selectors.exports_page(actor, **cursors(request))
    form = CaseFilesForm(request.POST or None, queues=selectors.queues_visible_to(actor))
    if request.method == "POST" and form.is_valid():
        found = selectors.cases_to_export(actor, **form.chosen(), limit=MOST_CASES + 1)
        try:
            if not found:
                raise Invalid(
                    "No case matches.", fields={"opened_from": ["No case matches. Widen the days."]}
                )
            export = services.export_ask(
                actor=actor,
                case_ids=found,
                reason=form.cleaned_data["reason"],
                with_papers=form.cleaned_data["with_papers"],
            )
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            return redirect("cases:export", export.pk)
    rows = [{"export": row, "tone": TONES[row.status]} for row in page.rows]
    return render(
        request,
        "compliance/exports.html",
        {"rows": rows, "form": form, "most": MOST_CASES, "me": actor, "nav_section": "cases"}
        | pager(request, page),
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@staff_page
def export_case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Ask for the file of one case."""
    actor = user_of(request)
    require(actor, "case.export")
    case = selectors.case_for_staff(actor, case_id)
    form = CaseFileForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        export = services.export_ask(actor=actor, case_ids=[case.pk], **form.cleaned_data)
        return redirect("cases:export", export.pk)
    return render(
        request,
        "compliance/export_case.html",
        {"case": case, "form": form, "nav_section": "cases"},
        status=422 if form.errors else 200,
    )


@require_GET
@staff_page
def export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """One case file: how far it is, and the link to fetch it."""
    found = selectors.export_for(user_of(request), export_id)
    return render(request, "compliance/export.html", _context(request, found) | {"nav_section": "cases"})


@require_GET
@staff_page
def progress(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """The part of that page which is asked for again while the file is made."""
    found = selectors.export_for(user_of(request), export_id)
    return render(request, "compliance/_export.html", _context(request, found))


def _context(request: HttpRequest, found: CaseExport) -> dict[str, Any]:
    return {
        "export": found,
        "under_way": found.status in CaseExport.UNDER_WAY,
        "link": services.export_link(user_of(request), found) if found.status == "ready" else "",
        "cases": selectors.cases_in(found),
        "key_id": signing.signing_key_id(),
    }


@require_GET
@staff_page
def fetch(request: HttpRequest, export_id: UUID, token: str) -> FileResponse:
    """The file itself, by a link that is good for some minutes."""
    found = services.export_fetch(actor=user_of(request), export_id=export_id, token=token)
    # FileResponse asks for bytes as files give them, and closes it.
    response = FileResponse(
        cast(Any, found.open()),
        as_attachment=True,
        filename=f"case-file-{str(found.pk)[-8:]}.zip",
        content_type="application/zip",
    )
    response["Content-Length"] = str(found.size)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


# --- What anybody checks a case file with ---------------------------------------------------------------------


@require_GET
def public_keys(request: HttpRequest) -> JsonResponse:
    """The public keys of the signatures, the present one first."""
    keys = [{"id": name, "public_key": key} for name, key in signing.public_keys().items()]
    return JsonResponse({"use": "case file signatures", "algorithm": "Ed25519", "keys": keys})


@require_GET
def checker(request: HttpRequest) -> HttpResponse:
    """The program that checks a case file, to be taken from here and not out of the file."""
    response = HttpResponse(archive.CHECKER_PATH.read_bytes(), content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{archive.CHECKER}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
