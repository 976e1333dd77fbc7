"""Staff pages of the audit trail: the search, one entry, the file of what matches, and the check that it is whole."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import audit, audit_check, audit_search, clock, permissions
from portal.audit_forms import AuditFilterForm, AuditSearchForm
from portal.models import AuditCheck, AuditEntry, AuditSeal
from portal.staff import staff_page, user_of
from portal.ui.plain import changes_in_words, in_words, name_words

CURSORS = frozenset({"after", "before"})
#: A file holds so many entries at most; its last line says when there were more.
MOST_IN_FILE = 100_000
TONES = {"running": "info", "whole": "success", "broken": "danger"}
COLUMNS = (
    "id", "at", "actor", "actor_id", "action", "subject_type", "subject_id",
    "changes", "reason", "source", "ip", "request_id",
)  # fmt: skip


@require_GET
@staff_page
def trail(request: HttpRequest) -> HttpResponse:
    """The audit trail, searchable, newest first."""
    form = AuditFilterForm(request.GET)
    page = audit_search.page(
        user_of(request), form.chosen(), after=_asked(request, "after"), before=_asked(request, "before")
    )
    query = _query(request)
    return render(
        request,
        "portal/audit/list.html",
        {
            "rows": [{"entry": row, "changes": changes_in_words(row.before, row.after)} for row in page.rows],
            "form": form,
            "search_form": AuditSearchForm(),
            "chips": _chips(form, query),
            "query": urlencode(query),
            "most": f"{MOST_IN_FILE:,}",
            "last": audit_check.last_check(),
            "older": f"?{urlencode({**query, 'after': page.older})}" if page.older else "",
            "newer": f"?{urlencode({**query, 'before': page.newer})}" if page.newer else "",
            "nav_section": "audit",
        },
    )


@require_POST
@staff_page
def find(request: HttpRequest) -> HttpResponse:
    """What was typed becomes filters: it may be an e-mail or a network address, which stand in no address of ours."""
    permissions.require(user_of(request), "audit.view")
    form = AuditSearchForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say what to look for.")
        return redirect("audit:list")
    found = audit_search.by_what_was_typed(user_of(request), form.cleaned_data["text"])
    if not found:
        messages.info(request, "The trail knows nothing of that. Give the whole address, reference or id.")
        return redirect("audit:list")
    return redirect(f"{reverse('audit:list')}?{urlencode(found)}")


@require_GET
@staff_page
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """One entry: before and after as they were kept, masked, and the seal that proves it."""
    found = audit_search.entry(user_of(request), entry_id)
    return render(
        request,
        "portal/audit/entry.html",
        {
            "entry": found,
            "values": _values(found),
            "place": audit_search.seal_place(found),
            "subject_url": audit_search.page_of(found),
            "subject_words": name_words(found.subject_type.rpartition(".")[2]),
            "nav_section": "audit",
        },
    )


@require_GET
@staff_page
def download(request: HttpRequest) -> StreamingHttpResponse:
    """What matches as CSV, sent as it is read. That it was taken is recorded, with its filters."""
    actor, form = user_of(request), AuditFilterForm(request.GET)
    rows = audit_search.entries(actor, form.chosen())
    audit.record(
        "audit.exported",
        subject=None,
        actor=actor,
        source="page",
        after={"filters": {name: value for name, value in _query(request).items() if name in form.fields}},
    )
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="audit-{clock.now():%Y-%m-%d-%H%M}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
@staff_page
def checks(request: HttpRequest) -> HttpResponse:
    """Whether the trail is whole: the check under way, the last ones, and one begun now."""
    actor = user_of(request)
    permissions.require(actor, "audit.view")
    if request.method == "POST":
        audit_check.check_start(actor=actor)
        messages.success(request, "The check has begun. You may leave this page.")
        return redirect("audit:checks")
    recent = audit_check.recent_checks()
    return render(
        request,
        "portal/audit/checks.html",
        {
            "rows": [{"check": row, "tone": TONES[row.status]} for row in recent],
            "last": next((row for row in recent if row.status != AuditCheck.Status.RUNNING), None),
            "anchor": AuditSeal.objects.order_by("-seq").first(),
            "nav_section": "audit",
        }
        | _running(),
    )


@require_GET
@staff_page
def progress(request: HttpRequest) -> HttpResponse:
    """The part of that page which is asked for again while a check runs."""
    permissions.require(user_of(request), "audit.view")
    context = _running()
    response = render(request, "portal/audit/_progress.html", context)
    if context["running"] is None:
        response["HX-Refresh"] = "true"
    return response


def _running() -> dict[str, Any]:
    return {"running": audit_check.running_check()}


class _Line:
    """What csv writes a line to: it hands it on."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Any) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for number, row in enumerate(audit_search.each(rows, MOST_IN_FILE + 1)):
        if number == MOST_IN_FILE:
            yield writer.writerow(["There is more: narrow the days and export again."])
            return
        yield writer.writerow([_harmless(value) for value in _cells(row)])


def _cells(row: AuditEntry) -> list[str]:
    return [
        str(row.pk),
        row.at.isoformat(),
        row.actor_label or "Portal",
        str(row.actor_id or ""),
        row.action,
        row.subject_type,
        str(row.subject_id or ""),
        "; ".join(changes_in_words(row.before, row.after)),
        row.reason,
        row.source,
        row.ip,
        row.request_id,
    ]


def _harmless(value: str) -> str:
    """Spreadsheets run what begins like a formula."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _values(found: AuditEntry) -> list[dict[str, Any]]:
    before, after = found.before or {}, found.after or {}
    return [
        {
            "name": name_words(name),
            "before": in_words(before[name]) if name in before else "",
            "after": in_words(after[name]) if name in after else "",
            "changed": name in before and name in after and before[name] != after[name],
        }
        for name in [*before, *(name for name in after if name not in before)]
    ]


def _asked(request: HttpRequest, name: str) -> str:
    """A value from the address; PostgreSQL takes no NUL, and nobody means one."""
    return request.GET.get(name, "").replace("\x00", "").strip()


def _query(request: HttpRequest) -> dict[str, str]:
    names = [name for name in request.GET if name not in CURSORS]
    return {name: value for name in names if (value := _asked(request, name))}


def _chips(form: AuditFilterForm, query: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the address of the list without it."""
    names = [name for name in query if name in form.fields and name not in form.errors]
    return [
        {
            "label": f"{form.fields[name].label or 'From the address of an entry'}: {_shown(form, name, query[name])}",
            "url": f"?{urlencode({other: kept for other, kept in query.items() if other != name})}",
        }
        for name in names
    ]


def _shown(form: AuditFilterForm, name: str, value: str) -> str:
    if name == "address":
        return f"…{value[-8:]}"
    return str(dict(getattr(form.fields[name], "choices", [])).get(value, value))
