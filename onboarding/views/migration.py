"""Staff pages of the migration: how complete each wave is, whether it will be in time, and asking customers."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding.imports import asking, cockpit, selectors, services
from onboarding.models import HandIn, ImportBatch
from onboarding.views.agreements_shared import pager_urls
from portal import permissions
from portal.errors import Conflict
from portal.staff import staff_page, user_of

MOST_WAVES = 100


class GraceForm(forms.Form):
    """Another end of the grace period."""

    grace_until = forms.DateField(
        label="Last day of the grace period",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: everything is needed at once.",
        error_messages={"invalid": "Enter a day such as 2030-04-17."},
    )


@require_GET
@staff_page
def overview(request: HttpRequest) -> HttpResponse:
    """All waves together, and one line for each."""
    permissions.require(user_of(request), selectors.VIEW)
    found = list(cockpit.waves().order_by("-pk")[:MOST_WAVES])
    rows = [_wave(batch) for batch in found]
    everything = cockpit.standing(cockpit.waves())
    return _page(request, "overview", rows=rows, standing=everything, items=_items(everything))


@require_GET
@staff_page
def wave(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """One wave: by field, by day, by customer."""
    viewer = user_of(request)
    batch = selectors.batch_for_staff(viewer, batch_id)
    page, lacking = cockpit.customers_lacking(
        viewer, batch, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    rows = [
        {"application": row, "name": _name(row), "lacking": ", ".join(lacking[str(row.pk)])}
        for row in page.rows
    ]
    found = _wave(batch)
    return _page(
        request,
        "wave",
        rows=rows,
        items=_items(found["standing"]),
        burn_down=cockpit.burn_down(batch),
        form=GraceForm(initial={"grace_until": batch.grace_until}),
        running=HandIn.objects.filter(batch=batch, status__in=HandIn.OPEN).first(),
        **found,
        **pager_urls(page, {}),
    )


def _name(application: Any) -> str:
    return next((owner.full_name for owner in application.owners.all() if owner.is_applicant), "")


def _wave(batch: ImportBatch) -> dict[str, Any]:
    found = cockpit.standing(cockpit.one(batch))
    return {
        "batch": batch,
        "standing": found,
        "countdown": cockpit.countdown(batch),
        "forecast": cockpit.forecast(batch, found.lacking),
    }


def _items(found: cockpit.Standing) -> list[tuple[str, int]]:
    return [(cockpit.LABELS[name], number) for name, number in found.by_item.items()]


@require_http_methods(["POST"])
@staff_page
def grace(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Move the end of the grace period."""
    form = GraceForm(request.POST)
    if form.is_valid():
        until: date | None = form.cleaned_data["grace_until"]
        services.grace_change(actor=user_of(request), batch_id=batch_id, grace_until=until, source="page")
        messages.success(request, "The grace period was changed.")
    else:
        permissions.require(user_of(request), services.MANAGE)
        messages.error(request, "Enter a day such as 2030-04-17.")
    return redirect("staff:import_migration", batch_id)


@require_POST
@staff_page
def ask(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Ask the customers of the wave for what is missing."""
    try:
        asking.batch_ask(actor=user_of(request), batch_id=batch_id, source="page")
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The letters are being written. Reminders follow by themselves.")
    return redirect("staff:import_migration", batch_id)


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    everywhere = {
        "nav_section": "imports",
        "may_manage": permissions.can_do(user_of(request), services.MANAGE),
    }
    return render(request, f"onboarding/imports/{name}.html", everywhere | context)
