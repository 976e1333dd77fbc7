"""The staff page of rows that look like another customer: side by side, and one press to say who it is."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onboarding.imports import doubts as looks
from onboarding.imports import selectors
from onboarding.models import ImportRow
from onboarding.views.agreements_shared import in_file_order
from portal import permissions
from portal.errors import Conflict, Invalid
from portal.staff import staff_page, user_of

Verdict = ImportRow.Verdict
BUTTONS = {
    Verdict.SAME: "The same person",
    Verdict.OTHER: "Somebody else",
    Verdict.LEFT_OUT: "Leave it out",
}
TONES = {Verdict.SAME: "warning", Verdict.OTHER: "success", Verdict.LEFT_OUT: "neutral"}


@require_GET
@staff_page
def doubts(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Rows in doubt, those nobody decided first asked for."""
    viewer = user_of(request)
    batch = selectors.batch_for_staff(viewer, batch_id)
    everything = request.GET.get("show") == "all"
    page = looks.doubts_for_staff(
        viewer,
        batch,
        open_only=not everything,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    kept = {"show": "all"} if everything else {}
    number = looks.undecided(batch)
    return render(
        request,
        "onboarding/imports/doubts.html",
        {
            "nav_section": "imports",
            "batch": batch,
            "items": [_item(batch.status, found) for found in looks.compared(batch, page.rows)],
            "tabs": [
                {"label": "To decide", "url": "?", "current": not everything, "count": number},
                {"label": "All", "url": "?show=all", "current": everything},
            ],
            "may_decide": permissions.can_do(viewer, looks.MANAGE) and batch.status in looks.DECIDED_IN,
            "here": f"?{urlencode(kept)}" if kept else "",
            **in_file_order(page, kept),
        },
    )


def _item(status: str, found: looks.Doubt) -> dict[str, Any]:
    row = found.row
    made = row.application
    return {
        "row": row,
        "face": found.face,
        "others": [{"face": other, "rows": found.face.rows_beside(other)} for other in found.others],
        "tone": TONES[Verdict(row.verdict)] if row.verdict else "",
        # Once the draft went to the provider or was withdrawn, its own page says more than a button here.
        "is_open": made is None or made.status == made.Status.DRAFT,
        "choices": [
            (word, BUTTONS[Verdict(word)])
            for word in Verdict.values
            if word != row.verdict and not (made is None and status == "imported")
        ],
    }


@require_POST
@staff_page
def decide(request: HttpRequest, batch_id: UUID, row_id: UUID) -> HttpResponse:
    """Say who a row is."""
    try:
        row = looks.doubt_decide(
            actor=user_of(request),
            batch_id=batch_id,
            row_id=row_id,
            verdict=request.POST.get("verdict", ""),
            source="page",
        )
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Row {row.number:,}: {Verdict(row.verdict).label.lower()}.")
    everything = "?show=all" if request.POST.get("show") == "all" else ""
    return redirect(f"{reverse('staff:import_doubts', args=[batch_id])}{everything}")
