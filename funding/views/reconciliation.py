"""Staff pages of the comparison with the provider's record: runs, differences, and what is done about each."""

import csv
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funding import permissions as mine
from funding.models import MoneyRun, ReconciliationItem, Transfer
from funding.reconciliation import files, resolving, runs, selectors
from funding.reconciliation.forms import FileForm, ItemFilterForm, NoteForm
from portal import audit, clock, permissions
from portal.errors import DomainError, Invalid, NotFound
from portal.models import User
from portal.money import Money
from portal.staff import staff_page, user_of
from portal.ui.plain import defused
from providers.views.paging import CURSORS, cursors, pager

RUN_TONES = {"checked": "neutral", "running": "info", "finished": "success", "stopped": "danger"}
ITEM_TONES = {
    "open": "danger", "theirs": "warning", "proposed": "warning", "resolved": "success", "settled": "success",
}  # fmt: skip
COLUMNS = (
    "id", "found", "kind", "state", "account", "reference", "their_id", "our_status", "our_amount", "their_status",
    "their_word", "their_amount", "currency", "reason_code", "note", "resolution",
)  # fmt: skip
SECTION = {"nav_section": "transfers"}


@require_GET
@staff_page
def home(request: HttpRequest) -> HttpResponse:
    """The last runs, what waits, and what is under way."""
    actor = user_of(request)
    page = selectors.runs_page(actor, **cursors(request))
    ended, waits = selectors.last_ended(), selectors.waiting()
    listed = reverse("money_reconciliation:items")
    return render(
        request,
        "funding/reconciliation/home.html",
        {
            "rows": [{"run": row, "tone": RUN_TONES[row.status]} for row in page.rows],
            "running": selectors.running(),
            "last": ended[-1] if ended else None,
            "chart": [(f"{row.started_at:%b} {row.started_at.day}", row.differ) for row in ended]
            if len(ended) > 1
            else [],
            "stats": [
                (label, waits[kind], f"{listed}?kind={kind}&status=active")
                for kind, label in ReconciliationItem.Kind.choices
            ],
            "may_run": permissions.can_do(actor, runs.RUN),
        }
        | SECTION
        | pager(request, page),
    )


@require_POST
@staff_page
def now(request: HttpRequest) -> HttpResponse:
    """Begin a comparison over all accounts."""
    actor = user_of(request)
    permissions.require(actor, runs.RUN)
    try:
        found = runs.start(actor=actor, source="page")
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("money_reconciliation:home")
    messages.success(request, "The provider's record is being compared. The page shows how far it is.")
    return redirect("money_reconciliation:run", found.pk)


@require_http_methods(["GET", "POST"])
@staff_page
def upload(request: HttpRequest) -> HttpResponse:
    """Upload a file of the provider's operations; it is checked, and nothing compared yet."""
    actor = user_of(request)
    permissions.require(actor, runs.RUN)
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data: Any = form.cleaned_data
        try:
            found = files.file_check(
                actor=actor, kind=data["kind"], since=data["since"], until=data["until"], file=data["file"],
                size=data["file"].size, name=data["file"].name, source="page",
            )  # fmt: skip
        except Invalid as error:
            form.add_error("file", error.message)
        else:
            return redirect("money_reconciliation:run", found.pk)
    back = reverse("money_reconciliation:home")
    context = {"form": form, "back_url": back} | SECTION
    return render(request, "funding/reconciliation/upload.html", context, status=422 if form.errors else 200)


@require_GET
@staff_page
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run: of a file that was checked, what it holds and what cannot be read."""
    actor = user_of(request)
    found = selectors.run_for(actor, run_id)
    return render(
        request,
        "funding/reconciliation/run.html",
        {"may_compare": found.status == "checked" and permissions.can_do(actor, runs.RUN)}
        | _run(found)
        | SECTION,
    )


@require_GET
@staff_page
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The part of the page that moves, for htmx; when the run has ended, the whole page is loaded again."""
    found = selectors.run_for(user_of(request), run_id)
    response = render(request, "funding/reconciliation/_progress.html", _run(found))
    if found.status != "running":
        response["HX-Refresh"] = "true"
    return response


def _run(found: MoneyRun) -> dict[str, Any]:
    return {
        "run": found,
        "tone": RUN_TONES[found.status],
        "items_url": f"{reverse('money_reconciliation:items')}?run={found.pk}",
    }


@require_POST
@staff_page
def compare(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Compare a file that was checked."""
    actor = user_of(request)
    permissions.require(actor, runs.RUN)
    return _done(
        request,
        lambda: runs.compare(actor=actor, run_id=run_id, source="page"),
        "The file is being compared.",
        ("money_reconciliation:run", run_id),
    )


@require_POST
@staff_page
def drop(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Give up a file that was checked."""
    actor = user_of(request)
    permissions.require(actor, runs.RUN)
    return _done(
        request,
        lambda: runs.drop(actor=actor, run_id=run_id, source="page"),
        "The file was dropped; nothing was compared.",
        ("money_reconciliation:home",),
    )


@require_GET
@staff_page
def items(request: HttpRequest) -> HttpResponse:
    """The differences: filters in the address, paged by key."""
    actor, form = user_of(request), ItemFilterForm(request.GET)
    page = selectors.items_page(actor, form.chosen(), **cursors(request))
    query = [(name, value) for name, value in request.GET.items() if value and name not in CURSORS]
    return render(
        request,
        "funding/reconciliation/items.html",
        {"form": form, "rows": [_row(row) for row in page.rows], "filtered": bool(query)}
        | {"query": urlencode(query)}
        | SECTION
        | pager(request, page),
    )


@require_GET
@staff_page
def export(request: HttpRequest) -> StreamingHttpResponse:
    """What matches as CSV, sent as it is read. That it was taken is recorded."""
    actor, form = user_of(request), ItemFilterForm(request.GET)
    permissions.require(actor, mine.VIEW)
    found = selectors.each(actor, form.chosen())
    given = {name: form.data.get(name) for name in ("kind", "status", "run") if form.data.get(name)}
    audit.record(
        "money_reconciliation.exported", subject=None, actor=actor, source="page", after={"filters": given}
    )
    response = StreamingHttpResponse(_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="differences-{clock.now():%Y-%m-%d-%H%M}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_GET
@staff_page
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Both sides beside each other, and what can be done."""
    actor = user_of(request)
    context = _item(actor, selectors.item_for(actor, item_id), NoteForm())
    return render(request, "funding/reconciliation/item.html", context)


#: What the address calls a step: the service, whether it takes a note, and what is said afterwards.
STEPS: dict[str, tuple[Callable[..., Any], bool, str]] = {
    "apply": (resolving.item_apply, False, "Our record is what theirs is now."),
    "send-again": (resolving.item_send_again, False, "It is being sent under a new key."),
    "theirs": (resolving.item_theirs, True, "It is theirs to mend; it closes when it is right."),
    "write-off": (resolving.write_off_propose, True, "A second person can write it off now."),
    "write-off-approve": (resolving.write_off_approve, False, "The adjustment is booked."),
    "write-off-refuse": (resolving.write_off_refuse, False, "It is not written off."),
}


@require_POST
@staff_page
def resolve(request: HttpRequest, item_id: UUID, step: str) -> HttpResponse:
    """Do one of the steps."""
    actor = user_of(request)
    permissions.require(actor, mine.APPROVE)
    if step not in STEPS:
        raise Http404
    service, takes_note, said = STEPS[step]
    more = {}
    if takes_note:
        form = NoteForm(request.POST)
        if not form.is_valid():
            context = _item(actor, selectors.item_for(actor, item_id), form, open_step=step)
            return render(request, "funding/reconciliation/item.html", context, status=422)
        more["note"] = form.cleaned_data["note"]
    return _done(
        request,
        lambda: service(actor=actor, item_id=item_id, source="page", **more),
        said,
        ("money_reconciliation:item", item_id),
    )


def _done(request: HttpRequest, act: Callable[[], Any], said: str, then: tuple[Any, ...]) -> HttpResponse:
    try:
        act()
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect(*then)


def _row(row: ReconciliationItem) -> dict[str, Any]:
    return {
        "item": row,
        "tone": ITEM_TONES[row.status],
        "ours": _amount(row, row.our_minor),
        "theirs": _amount(row, row.their_minor),
    }


def _item(actor: User, found: ReconciliationItem, form: NoteForm, *, open_step: str = "") -> dict[str, Any]:
    may = found.active and permissions.can_do(actor, mine.APPROVE)
    proposed = found.status == ReconciliationItem.Status.PROPOSED
    return {
        "item": found,
        "tone": ITEM_TONES[found.status],
        "lines": [
            (label, ours or "–", theirs or "–", (ours or "") != (theirs or "") and compared)
            for label, ours, theirs, compared in _sides(found)
        ],
        "gap": found.gap.format() if found.gap.minor else "",
        "may_resolve": may,
        "form": form,
        "open_step": open_step,
        "not_apply": resolving.why_not_apply(found) if may else "",
        "not_again": resolving.why_not_again(found) if may else "",
        "not_write_off": resolving.why_not_write_off(found) if may else "",
        "proposed": proposed,
        "is_second": proposed and found.proposed_by_id != actor.pk,
        "is_open": found.status == ReconciliationItem.Status.OPEN,
    } | SECTION


def _sides(found: ReconciliationItem) -> list[tuple[str, str, str, bool]]:
    """(what, ours, theirs, whether the two are compared)."""
    if found.kind == ReconciliationItem.Kind.BALANCE:
        return [("Settled", _amount(found, found.our_minor), _amount(found, found.their_minor), True)]
    ours, theirs = _status(found.our_status), _status(found.their_status)
    both = found.kind not in {ReconciliationItem.Kind.MISSING_HERE, ReconciliationItem.Kind.MISSING_THERE}
    at = found.transfer.created_at if found.transfer else None
    here = found.key if found.our_status else ""
    return [
        ("State", ours, theirs or found.word, both),
        ("Amount", _amount(found, found.our_minor), _amount(found, found.their_minor), both),
        ("Direction", found.our_direction.capitalize(), found.their_direction.capitalize(), both),
        ("Reference", here, found.own or ("" if found.kind == "missing_there" else found.key), False),
        ("Their words", "", f"{found.instrument} {found.word} {found.reason_code}".strip(), False),
        ("Begun", _day(at), _day(found.their_at), False),
    ]


def _status(word: str) -> str:
    return str(Transfer.Status(word).label) if word else ""


def _day(moment: Any) -> str:
    return f"{moment:%b} {moment.day}, {moment:%Y}" if moment else ""


def _amount(found: ReconciliationItem, minor: int | None) -> str:
    return Money(minor, found.currency).format() if minor is not None else ""


class _Line:
    """What csv writes a line to: it hands it on."""

    def write(self, text: str) -> str:
        return text


def _lines(found: Iterator[ReconciliationItem]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in found:
        yield writer.writerow([defused(str("" if value is None else value)) for value in _cells(row)])


def _cells(row: ReconciliationItem) -> tuple[Any, ...]:
    def plain(minor: int | None) -> str | None:
        return None if minor is None else Money(minor, row.currency).as_decimal_string()

    return (
        row.pk, row.opened_at.isoformat(), row.kind, row.status, row.party_ref, row.key, row.own, row.our_status,
        plain(row.our_minor), row.their_status, row.word, plain(row.their_minor), row.currency, row.reason_code,
        row.note, row.resolution,
    )  # fmt: skip
