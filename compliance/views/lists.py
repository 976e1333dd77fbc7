"""The list of cases: queues with their counts, filters, order, columns, views, and one thing done to many."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import desk, list_columns, list_filters, list_rows, live, selectors, services
from compliance.list_forms import BulkForm, ColumnsForm, ViewForm, ids_of
from compliance.models import Case, Queue
from portal.composed import ahead
from portal.errors import Forbidden, Invalid
from portal.models import User
from portal.permissions import can_do
from portal.staff import staff_page, user_of
from portal.templatetags.ui_forms import form_fields
from portal.ui.drawing import remembered
from providers.views.paging import cursors


@require_GET
@staff_page
def cases(request: HttpRequest) -> HttpResponse:
    """One page of the list: everything that is chosen stands in the address, paged by key, never counted."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **bound: forms.Form) -> HttpResponse:
    """The list, with these forms as they were sent in place of empty ones."""
    actor = user_of(request)
    may_work, may_share = can_do(actor, "case.work"), can_do(actor, "case.manage")
    with ahead(selectors.queues_question(actor), desk.question(actor)):
        queues = selectors.queues_of(actor)
        options, own = desk.options(actor, queues), desk.of(actor)
    filters = list_filters.read(request.GET, options)
    page = selectors.cases_for_staff(actor, filters.chosen, **cursors(request))
    looking = live.lookers(actor, [row.pk for row in page.rows])
    held, list_url = list(filters.held), reverse("cases:list")
    query = urlencode(held)
    context = {
        "filter_panel": list_filters.panel(given=filters.given, options=options, url=list_url),
        "columns": tuple((column.key, column.label) for column in own.columns),
        # A heading that stays above takes a table that does not scroll sideways.
        "fits": len(own.columns) <= len(list_columns.USUAL) - 1,
        "rows": list_rows.drawn(
            page.rows, columns=own.columns, looking=looking, query=query, may_choose=may_work
        ),
        "cases": page.rows,
        "filtered": bool(held),
        "query": query,
        "subtitle": "Search by reference, by whom it is about, by their e-mail or account id."
        if can_do(actor, "case.view")
        else "Those you opened or were given.",
        "tabs": _tabs(queues, held) if options.queues else (),
        "views": own.views,
        "bound_forms": list(bound.values()),
        "view_has_errors": "view_form" in bound,
        "view_fields": form_fields(bound["view_form"])
        if "view_form" in bound
        else _view_fields(may_share=may_share),
        "bulk_fields": form_fields(bound["bulk_form"])
        if "bulk_form" in bound
        else _bulk_fields(offered=desk.people(), may_give=may_share),
        "may_export": can_do(actor, "case.export"),
        "may_work": may_work,
        "live_url": _live_url(page.rows, selectors.cases_to_take(actor) if may_work else 0),
        "own": own,
        "sees_queues": can_do(actor, "queue.view"),
        "may_share": may_share,
        "list_url": list_url,
        "nav_section": "cases",
        "back": ("Previous", f"?{urlencode([*held, ('before', page.newer)])}" if page.newer else ""),
        "onward": ("Next", f"?{urlencode([*held, ('after', page.older)])}" if page.older else ""),
    }
    return render(request, "compliance/cases.html", context, status=status)


def _live_url(rows: Sequence[Case], to_take: int) -> str:
    """Where an open list asks what became of its rows."""
    cases = "".join(f"case={row.pk}&" for row in rows)
    return f"{reverse('cases:live')}?{cases}to_take={to_take}"


def filters_of(actor: User, given: QueryDict) -> list_filters.Filters:
    """The filters of an address, as this person may set them."""
    return list_filters.read(given, desk.options(actor, list(selectors.queues_visible_to(actor))))


class Tab(NamedTuple):
    """A queue above the list, with what is undecided in it."""

    label: str
    url: str
    current: bool
    count: str | None = None  # type: ignore[assignment]  # No tab is asked how often it holds something.


def _tabs(queues: list[Queue], held: list[tuple[str, str]]) -> tuple[Tab, ...]:
    """All and each queue with what is undecided in it, other filters kept."""
    others = [(name, value) for name, value in held if name != "queue"]
    chosen = dict(held).get("queue", "")
    found = [Tab("All queues", f"?{urlencode(others)}", not chosen)]
    for queue, count in selectors.undone_in(queues):
        url = f"?{urlencode([*others, ('queue', str(queue.pk))])}"
        found.append(Tab(queue.name, url, chosen == str(queue.pk), count))
    return tuple(found) if len(found) > 2 else ()


@remembered(2)
def _view_fields(*, may_share: bool) -> SafeString:
    return form_fields(ViewForm(may_share=may_share, prefix="view"))


@remembered(8)
def _bulk_fields(*, offered: tuple[desk.Option, ...], may_give: bool) -> SafeString:
    people = selectors.people_for_cases()
    return form_fields(BulkForm(people=people, offered=offered, may_give=may_give, prefix="bulk"))


@require_http_methods(["GET", "POST"])
@staff_page
def columns(request: HttpRequest) -> HttpResponse:
    """Choose the columns one sees."""
    actor = user_of(request)
    selectors.cases_visible_to(actor)
    initial = {"columns": [column.key for column in desk.of(actor).columns]}
    form = ColumnsForm(request.POST or None, initial=initial)
    if request.method == "POST":
        form = ColumnsForm(request.POST)
        if form.is_valid():
            services.columns_save(actor=actor, columns=form.cleaned_data["columns"])
            messages.success(request, "Your columns are saved.")
            return redirect("cases:list")
    context = {"form": form, "nav_section": "cases"}
    return render(request, "compliance/columns.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep the filters of the address under a name."""
    actor = user_of(request)
    selectors.cases_visible_to(actor)
    form = ViewForm(request.POST, may_share=can_do(actor, "case.manage"), prefix="view")
    query = urlencode(filters_of(actor, request.GET).held)
    if form.is_valid():
        try:
            services.view_save(actor=actor, query=query, **{"is_shared": False, **form.cleaned_data})
        except Invalid as error:
            form.add_error("name", error.fields["name"][0])
        else:
            messages.success(request, "The view is saved.")
            return redirect(f"{reverse('cases:list')}?{query}")
    return _page(request, 422, view_form=form)


@require_POST
@staff_page
def remove_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Forget a view."""
    services.view_remove(actor=user_of(request), view_id=view_id)
    messages.success(request, "The view is gone.")
    return redirect("cases:list")


@require_POST
@staff_page
def bulk(request: HttpRequest) -> HttpResponse:
    """Assign or note many, with an answer for each."""
    actor = user_of(request)
    if not can_do(actor, "case.work"):
        raise Forbidden("Your role does not work on cases.")
    form = BulkForm(
        request.POST,
        people=selectors.people_for_cases(),
        offered=desk.people(),
        may_give=can_do(actor, "case.manage"),
        prefix="bulk",
    )
    chosen = ids_of(request.POST.getlist("case"))
    do = request.POST.get("do")
    try:
        if not form.is_valid():
            return _page(request, 422, bulk_form=form)
        if do == "note":
            outcomes = services.cases_note(actor=actor, case_ids=chosen, text=form.cleaned_data["text"])
        elif do == "give" and not form.cleaned_data.get("to"):
            form.add_error("to" if "to" in form.fields else None, "Choose someone.")
            return _page(request, 422, bulk_form=form)
        else:
            to = {"give": form.cleaned_data.get("to"), "put_back": None}.get(str(do), actor)
            outcomes = services.cases_assign(actor=actor, case_ids=chosen, to=to)
    except Invalid as error:
        for name, sentences in error.fields.items():
            form.add_error(name if name in form.fields else None, sentences[0])
        return _page(request, 422, bulk_form=form)
    context = {
        "outcomes": outcomes,
        "done": sum(outcome.done for outcome in outcomes),
        "back_url": f"{reverse('cases:list')}?{urlencode(filters_of(actor, request.GET).held)}",
        "nav_section": "cases",
    }
    return render(request, "compliance/bulk.html", context)
