"""Staff pages of imports: upload, mapping, the dry run and what is wrong, the import and its undoing."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding.imports import doubts, selectors, services, undo
from onboarding.imports.forms import MappingForm, UploadForm
from onboarding.models import ImportBatch
from onboarding.views.agreements_shared import in_file_order, pager_urls
from portal import permissions
from portal.errors import Conflict, DomainError, Invalid
from portal.forms_ui import add_errors
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

Status = ImportBatch.Status
TONES = {
    Status.UPLOADED: "info",
    Status.CHECKING: "info",
    Status.CHECKED: "warning",
    Status.IMPORTING: "info",
    Status.IMPORTED: "success",
    Status.UNDOING: "info",
    Status.UNDONE: "neutral",
    Status.FAILED: "danger",
}


@require_GET
@staff_page
def batches(request: HttpRequest) -> HttpResponse:
    """Every import, newest first."""
    page = selectors.batches_for_staff(
        user_of(request), after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    rows = [{"batch": row, "tone": TONES[Status(row.status)]} for row in page.rows]
    return _page(request, "list", rows=rows, **pager_urls(page, {}))


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file in."""
    permissions.require(user_of(request), services.MANAGE)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data["file"]
        try:
            batch = services.batch_upload(
                actor=user_of(request),
                name=form.cleaned_data["name"],
                country=form.cleaned_data["country"],
                file=given.file,
                file_name=given.name,
                size=given.size,
                source="page",
            )
        except Invalid as error:
            form.add_error("file", error.message)
        else:
            return redirect("staff:import_mapping", batch.pk)
    return _page(request, "upload", status=422 if form.errors else 200, form=form)


@require_http_methods(["GET", "POST"])
@staff_page
def mapping(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Which column answers which question; then the dry run."""
    actor = user_of(request)
    permissions.require(actor, services.MANAGE)
    batch = selectors.batch_for_staff(actor, batch_id)
    if batch.status not in {Status.UPLOADED, Status.CHECKED}:
        raise Conflict("The columns of this import can no longer be changed.")
    form = MappingForm(batch, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.batch_check(
                actor=actor,
                batch_id=batch.pk,
                mapping=form.mapping,
                grace_until=form.grace,
                source="page",
            )
        except Invalid as error:
            _tell(form, error)
        else:
            return redirect("staff:import", batch.pk)
    sample = selectors.sample_of(batch)
    columns = [
        {"field": form[f"column_{number}"], "name": column, "sample": sample[column]}
        for number, column in enumerate(batch.columns)
    ]
    return _page(
        request, "mapping", status=422 if form.errors else 200, batch=batch, form=form, columns=columns
    )


def _tell(form: forms.Form, error: Invalid) -> None:
    add_errors(form, error.fields)


@require_GET
@staff_page
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """How far an import is, and what is wrong with which row."""
    found = selectors.batch_for_staff(user_of(request), batch_id)
    page = selectors.wrong_rows(
        found, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    rows = [{"row": row, "problems": selectors.problems_of(found, row)} for row in page.rows]
    return _page(
        request,
        "detail",
        rows=rows,
        in_doubt=found.status in doubts.DECIDED_IN and doubts.doubtful(found).exists(),
        undecided=doubts.undecided(found),
        **in_file_order(page, {}),
        **_progress(found),
    )


@require_GET
@staff_page
def progress(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """The part of the page that moves, for htmx; when the work is done, the whole page is loaded again."""
    found = selectors.batch_for_staff(user_of(request), batch_id)
    response = _page(request, "_progress", **_progress(found))
    if not found.at_work:
        response["HX-Refresh"] = "true"
    return response


def _progress(found: ImportBatch) -> dict[str, Any]:
    return {
        "batch": found,
        "tone": TONES[Status(found.status)],
        "undoable": found.status == Status.IMPORTED and not undo.why_not(found),
    }


@require_POST
@staff_page
def start(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Import the rows that hold, or go on after a fault."""
    found = selectors.batch_for_staff(user_of(request), batch_id)
    act = services.batch_resume if found.status == Status.FAILED else services.batch_import
    try:
        act(actor=user_of(request), batch_id=batch_id, source="page")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("staff:import", batch_id)


@require_http_methods(["GET", "POST"])
@staff_page
def undo_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Ask once more, then delete what the import made."""
    actor = user_of(request)
    permissions.require(actor, services.MANAGE)
    found = selectors.batch_for_staff(actor, batch_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.batch_undo(
                actor=actor, batch_id=batch_id, reason=form.cleaned_data["reason"], source="page"
            )
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("staff:import", batch_id)
    return _page(
        request,
        "undo",
        status=422 if form.errors else 200,
        batch=found,
        reason_form=form,
        reasons=undo.why_not(found),
    )


@require_GET
@staff_page
def failed_rows(request: HttpRequest, batch_id: UUID) -> StreamingHttpResponse:
    """The rows that were not imported, with the reasons."""
    actor = user_of(request)
    found = selectors.batch_for_staff(actor, batch_id)
    return StreamingHttpResponse(
        selectors.failed_rows_csv(actor, found),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="not-imported-{found.pk}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    everywhere = {
        "nav_section": "imports",
        "may_manage": permissions.can_do(user_of(request), services.MANAGE),
        "list_url": reverse("staff:imports"),
    }
    return render(request, f"onboarding/imports/{name}.html", everywhere | context, status=status)
