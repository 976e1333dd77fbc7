"""The operations page that says whether our accounts and the provider's are the same."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding.models import ReconciliationRun
from onboarding.reconciliation import comparing, lists, runs, selectors, unknown
from portal import permissions
from portal.errors import Conflict, Invalid
from portal.staff import staff_page, user_of
from providers.views.paging import cursors, pager

TONES = {"running": "info", "finished": "success", "stopped": "danger"}


class ListForm(forms.Form):
    """The provider's own list of accounts."""

    file = forms.FileField(
        label="File",
        help_text=(
            "CSV in UTF-8 whose first line names the columns: clientAccountId or partnerPartyRef, and status where "
            "you have it."
        ),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )


@require_GET
@staff_page
def home(request: HttpRequest) -> HttpResponse:
    """The last runs, what the last night found, and what waits for a person."""
    actor = user_of(request)
    page = selectors.runs_page(actor, **cursors(request))
    nights = selectors.last_nights()
    cases = selectors.open_cases()
    listed = reverse("cases:list")
    return render(
        request,
        "onboarding/reconciliation/home.html",
        {
            "rows": [{"run": run, "tone": TONES[run.status], "took": _took(run)} for run in page.rows],
            "running": selectors.running(),
            "last": nights[-1] if nights else None,
            "chart": [
                (f"{run.started_at:%b} {run.started_at.day}", run.differ + run.missing) for run in nights
            ]
            if len(nights) > 1
            else [],
            "differ_open": cases[comparing.KIND],
            "differ_url": f"{listed}?kind={comparing.KIND}",
            "unknown_open": cases[unknown.KIND],
            "unknown_url": f"{listed}?kind={unknown.KIND}",
            "may_see_cases": permissions.can_do(actor, "case.view"),
            "may_run": permissions.can_do(actor, lists.RUN),
            "nav_section": "operations",
        }
        | pager(request, page),
    )


def _took(run: ReconciliationRun) -> str:
    if run.finished_at is None:
        return "–"
    seconds = max(int((run.finished_at - run.started_at).total_seconds()), 0)
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


@require_POST
@staff_page
def run_now(request: HttpRequest) -> HttpResponse:
    """Begin reading every account, without waiting for the night."""
    actor = user_of(request)
    permissions.require(actor, lists.RUN)
    try:
        runs.start(actor=actor, source="page")
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Every account is being read. The page shows how far it is.")
    return redirect("staff:reconciliation")


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest) -> HttpResponse:
    """Upload the provider's own list."""
    actor = user_of(request)
    permissions.require(actor, lists.RUN)
    form = ListForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given: Any = form.cleaned_data["file"]
        try:
            lists.list_upload(actor=actor, file=given, size=given.size, source="page")
        except (Invalid, Conflict) as error:
            form.add_error("file", error.message)
        else:
            messages.success(request, "The list is being compared.")
            return redirect("staff:reconciliation")
    return render(
        request,
        "onboarding/reconciliation/upload.html",
        {"form": form, "nav_section": "operations", "back_url": reverse("staff:reconciliation")},
        status=422 if form.errors else 200,
    )
