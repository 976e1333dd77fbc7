"""Staff pages of transfers: the list, one transfer with its whole story, daily volumes, and the list as CSV."""

import csv
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from compliance.models import Case
from funding import balances, reading, returns, second_person, services, staff_story, standing, transfer_rows
from funding import permissions as mine
from funding import staff_selectors as selectors
from funding.models import Authorisation, Transfer
from funding.staff_forms import ReasonForm, TransferFilterForm
from funding.terms import HELD_FOR
from portal import audit, clock, permissions
from portal.errors import DomainError, NotFound
from portal.models import User
from portal.staff import staff_page, user_of
from portal.ui.plain import defused
from providers.bakkt import return_codes

CURSORS = frozenset({"after", "before"})
#: A file holds so many transfers at most; its last line says when there are more.
MOST_IN_FILE = 100_000
COLUMNS = (
    "id", "reference", "account", "asked_for", "kind", "direction", "rail", "origin", "amount", "currency",
    "status", "status_since", "provider_word", "reason_code", "expected_on", "completed_at",
)  # fmt: skip


@require_GET
@staff_page
def transfers(request: HttpRequest) -> HttpResponse:
    """The list: search and filters in the address, sorted and paged by key."""
    actor, form = user_of(request), TransferFilterForm(request.GET)
    page = selectors.page(
        actor, form.chosen(), after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    query = [
        (name, value)
        for name, values in request.GET.lists()
        for value in values
        if value and name not in CURSORS
    ]
    filtered = any(name != "sort" for name, _ in query)
    return render(
        request,
        "funding/staff/transfers.html",
        {
            "filter_panel": transfer_rows.panel(
                pairs=transfer_rows.given(request.GET), url=request.path, is_open=filtered
            ),
            "rows": transfer_rows.drawn(page.rows),
            "tabs": _tabs(request),
            "filtered": filtered,
            "query": urlencode(query),
            "older": f"?{urlencode([*query, ('after', page.older)])}" if page.older else "",
            "newer": f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else "",
            "nav_section": "transfers",
        },
    )


def _tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """What waits for us, with how many; the other filters stay."""
    counts, current = selectors.waiting(), request.GET.get("waits", "")
    found = []
    for name, label in {"": "All", "held": "For approval", "stuck": "Nobody knows"}.items():
        query = request.GET.copy()
        for gone in (*CURSORS, "waits"):
            query.pop(gone, None)
        if name:
            query["waits"] = name
        url = f"?{query.urlencode()}" if query else request.path
        found.append({"label": label, "url": url, "current": name == current, "count": counts.get(name)})
    return found


@require_GET
@staff_page
def transfer(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """One transfer: who has the ball, both sides' records, and everything that happened."""
    actor = user_of(request)
    found = selectors.transfer(actor, transfer_id)
    audit.record("transfer.view", subject=found, actor=actor, source="page")
    theirs = reading.look(found) if "read" in request.GET else None
    return render(request, "funding/staff/transfer.html", _context(actor, found, theirs, ReasonForm()))


@require_POST
@staff_page
def approve(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Let a held transfer go, as the second person."""
    actor = user_of(request)
    permissions.require(actor, mine.APPROVE)
    try:
        services.transfer_approve(actor=actor, transfer_id=transfer_id, source="page")
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The transfer is on its way to the provider.")
    return redirect("funding_staff:transfer", transfer_id)


@require_POST
@staff_page
def refuse(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Cancel a held transfer, with the reason."""
    actor = user_of(request)
    permissions.require(actor, mine.VIEW)
    found = selectors.transfer(actor, transfer_id)
    if found.requested_by_id != actor.pk:
        permissions.require(actor, mine.APPROVE)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        context = _context(actor, found, None, form)
        return render(request, "funding/staff/transfer.html", context, status=422)
    try:
        services.transfer_cancel(
            actor=actor, transfer_id=transfer_id, reason=form.cleaned_data["reason"], source="page"
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The transfer was cancelled; nothing was sent.")
    return redirect("funding_staff:transfer", transfer_id)


def _context(actor: User, found: Transfer, theirs: reading.Look | None, form: ReasonForm) -> dict[str, Any]:
    held = found.status == Transfer.Status.HELD
    may_decide = held and permissions.can_do(actor, mine.APPROVE)
    why_not = second_person.why_not(actor.pk, found.pk) if may_decide else ""
    is_return = return_codes.is_return_code(found.reason_code)
    return {
        "transfer": found,
        "title": f"{standing.name(found)}, {found.amount.format()}",
        "tone": standing.TONES[Transfer.Status(found.status)],
        "ball": standing.ball(found),
        "other_side": standing.other_side(found),
        "reason": standing.reason_of(found) if found.status in Transfer.ENDED_BADLY else None,
        "code": return_codes.look_up(found.reason_code) if is_return else None,
        "returns_left": returns.returns_left(found.account) if is_return else None,
        "theirs": theirs,
        "money": balances.standing(found.account),
        "authorisation": Authorisation.objects.filter(transfer=found).select_related("accepted_by").first(),
        "held_for": [HELD_FOR[code] for code in found.held_for],
        "may_approve": may_decide and not why_not,
        "why_not": why_not,
        "may_refuse": may_decide or (held and found.requested_by_id == actor.pk),
        "form": form,
        "cases": Case.objects.filter(subject_id=found.pk).order_by("-pk")[:10],
        "may_see_cases": permissions.can_do(actor, "case.view"),
        "calls": staff_story.calls_of(found),
        "may_see_calls": permissions.can_do(actor, "outbox.view"),
        "story": staff_story.of(found),
        "nav_section": "transfers",
    }


@require_GET
@staff_page
def volumes(request: HttpRequest) -> HttpResponse:
    """What was moved on each of the last thirty days."""
    days = selectors.volumes(user_of(request))
    return render(
        request,
        "funding/staff/volumes.html",
        {
            "deposited": [(f"{day.day:%b} {day.day.day}", day.deposited) for day in days],
            "withdrawn": [(f"{day.day:%b} {day.day.day}", day.withdrawn) for day in days],
            "number": sum(day.number for day in days),
            "nav_section": "transfers",
        },
    )


@require_GET
@staff_page
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What matches as CSV, sent as it is read. That it was taken is recorded, with its filters."""
    actor, form = user_of(request), TransferFilterForm(request.GET)
    permissions.require(actor, mine.VIEW)
    chosen = form.chosen()
    # Words of the search may be somebody's name.
    given = {
        name: value for name, value in request.GET.items() if value and name in form.fields and name != "q"
    }
    audit.record("transfer.exported", subject=None, actor=actor, source="page", after={"filters": given})
    response = StreamingHttpResponse(_lines(actor, chosen), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="transfers-{clock.now():%Y-%m-%d-%H%M}.csv"'
    response["Cache-Control"] = "no-store"
    return response


class _Line:
    """What csv writes a line to: it hands it on."""

    def write(self, text: str) -> str:
        return text


def _lines(actor: User, chosen: selectors.TransferFilter) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for number, row in enumerate(selectors.each(actor, chosen, most=MOST_IN_FILE + 1)):
        if number == MOST_IN_FILE:
            yield writer.writerow(["There is more: narrow the filters and export again."])
            return
        yield writer.writerow([defused(str(value or "")) for value in _cells(row)])


def _cells(row: Transfer) -> tuple[Any, ...]:
    return (
        row.pk, row.reference, row.account.client_account_id, row.created_at.isoformat(), row.kind, row.direction,
        row.rail, row.origin, row.amount.as_decimal_string(), row.currency, row.status, row.status_at.isoformat(),
        row.provider_word, row.reason_code, row.expected_on,
        row.completed_at.isoformat() if row.completed_at else "",
    )  # fmt: skip
