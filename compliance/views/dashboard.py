"""The dashboard: panels of a period, on a page, to print, as CSV, and the lists behind the numbers."""

import csv
import io
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from compliance import behind, kinds, measures, panels, selectors, standing
from compliance.dashboard import duration
from compliance.dashboard_forms import BehindForm, DashboardForm
from compliance.models import Case, CaseMark
from portal.errors import Forbidden, NotFound
from portal.models import User
from portal.pages import Page
from portal.permissions import can_do
from portal.staff import staff_page, user_of
from portal.ui.plain import defused
from providers.views.paging import cursors, pager


@require_GET
@staff_page
def home(request: HttpRequest) -> HttpResponse:
    """Everything the person may see of the chosen days."""
    return render(request, "compliance/dashboard.html", _context(request) | {"screen": True})


@require_GET
@staff_page
def sheet(request: HttpRequest) -> HttpResponse:
    """The same without a shell and with every table open, to print or keep."""
    return render(
        request, "compliance/dashboard_print.html", _context(request) | {"printing": True, "screen": False}
    )


@require_GET
@staff_page
def table(request: HttpRequest, name: str) -> HttpResponse:
    """The table of one panel as CSV."""
    asked, _ = _asked(request)
    panel = next((panel for panel in panels.seen_by(asked.actor) if panel.name == name), None)
    content = panel.build(asked) if panel else None
    if panel is None or content is None:
        raise NotFound("There is no such table.")
    written = io.StringIO()
    csv.writer(written).writerows([[defused(value) for value in row] for row in content.table.csv_rows()])
    days = f"{asked.period.first.isoformat()}-{asked.period.last.isoformat()}"
    return HttpResponse(
        written.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{panel.name}-{days}.csv"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_GET
@staff_page
def list_behind(request: HttpRequest) -> HttpResponse:
    """The cases behind a number."""
    actor = user_of(request)
    _require(actor)
    chosen = BehindForm(request.GET).chosen()
    if chosen is None:
        raise NotFound("No number of the dashboard has this list.")
    context: dict[str, Any] = {
        "title": measures.WORDS[chosen.measure].word,
        "meaning": measures.WORDS[chosen.measure].meaning,
        "chosen": chosen,
        "kind": kinds.get(chosen.kind).title if chosen.kind else "",
        "nav_section": "dashboard",
    }
    if chosen.measure == measures.BACKLOG:
        page = behind.cases_behind(actor, chosen, **cursors(request))
        context |= {
            "rows": [_case_row(row) for row in page.rows],
            "is_backlog": True,
            **_pages(request, page),
        }
    else:
        marks = behind.marks_behind(actor, chosen, **cursors(request))
        context |= {"rows": [_mark_row(row) for row in marks.rows], **_pages(request, marks)}
    return render(request, "compliance/dashboard_behind.html", context)


def _case_row(row: Case) -> dict[str, Any]:
    return {"case": row, "kind": kinds.get(row.kind).title, "tone": standing.TONES[row.status], "at": row.opened_at,
            "queue": row.queue, "person": row.assignee}  # fmt: skip


def _mark_row(row: CaseMark) -> dict[str, Any]:
    return {
        "case": row.case,
        "kind": kinds.get(row.kind).title,
        "tone": standing.TONES[row.case.status],
        "at": row.at,
        "queue": row.queue,
        "person": row.person,
        "took": duration(row.seconds) if row.seconds is not None else "",
        "is_met": row.is_met,
    }


def _pages(request: HttpRequest, page: Page[Any]) -> dict[str, tuple[str, str]]:
    found = pager(request, page)
    return {"back": ("Previous", found["newer"]), "onward": ("Next", found["older"])}


def _require(actor: User) -> None:
    if not (can_do(actor, "dashboard.view") or can_do(actor, "dashboard.view_own")):
        raise Forbidden(
            "Your role does not see the dashboard. Ask an administrator if you need it for your work."
        )


def _asked(request: HttpRequest) -> tuple[panels.Asked, DashboardForm]:
    actor = user_of(request)
    _require(actor)
    form = DashboardForm(request.GET, queues=selectors.queues_visible_to(actor))
    return panels.Asked(actor, *form.chosen()), form


def _context(request: HttpRequest) -> dict[str, Any]:
    asked, form = _asked(request)
    shown = []
    query = urlencode({name: value for name, value in request.GET.items() if value and name in form.fields})
    for panel in panels.seen_by(asked.actor):
        content = panel.build(asked)
        if content is not None:
            url = f"{reverse('dashboard:table', args=[panel.name])}?{query}"
            shown.append({"panel": panel, "content": content, "csv_url": url})
    return {
        "form": form,
        "period": asked.period,
        "queue": asked.queue,
        "own": asked.own,
        "panels": shown,
        "query": query,
        "dashboard_url": reverse("dashboard:home"),
        "nav_section": "dashboard",
    }
