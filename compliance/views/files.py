"""Files attached to a case."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from compliance import permissions, selectors, services
from portal.errors import Invalid
from portal.file_answers import safe
from portal.forms_ui import add_errors
from portal.staff import staff_page, user_of


class AttachForm(forms.Form):
    """A file and what it is."""

    title = forms.CharField(
        label="What it is",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="For colleagues. No tax or account numbers.",
        error_messages={"required": "Say what it is."},
    )
    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png,.heic"}),
        help_text="PDF, JPEG, PNG or HEIC.",
        error_messages={"required": "Choose a file.", "missing": "Choose a file."},
    )


@require_http_methods(["GET", "POST"])
@staff_page
def attach(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Attach a file."""
    actor = user_of(request)
    case = selectors.case_for_staff(actor, case_id)
    permissions.refuse(permissions.why_not(actor, "note", case))
    form = AttachForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.case_file_attach(actor=actor, case_id=case.pk, **form.cleaned_data)
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            messages.success(request, "The file is attached.")
            return redirect(f"{reverse('cases:detail', args=[case.pk])}#files")
    context: dict[str, Any] = {"case": case, "form": form, "nav_section": "cases"}
    return render(request, "compliance/attach.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page
def fetch(request: HttpRequest, case_id: UUID, file_id: UUID) -> FileResponse:
    """The file, to be saved and not shown; kept nowhere on the way."""
    case, row = services.case_file_read(actor=user_of(request), case_id=case_id, file_id=file_id)
    name = f"{case.reference}-{str(row.pk)[-8:]}.{row.extension}"
    stream: Any = row.open()
    response = FileResponse(stream, as_attachment=True, filename=name, content_type=row.content_type)
    return safe(response, row.size)
