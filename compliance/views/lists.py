"""The list of cases: queues with their counts, filters, order, columns, views, and one thing done to many."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import kinds, list_columns, selectors, services, standing
from compliance.forms import CaseFilterForm
from compliance.list_forms import BulkForm, ColumnsForm, ViewForm, ids_of
from compliance.models import Case, Queue, Worker
from portal.errors import Forbidden, Invalid
from portal.models import User
from portal.money import Money
from portal.permissions import can_do
from portal.staff import staff_page, user_of
from providers.views.paging import cursors


@require_GET
@staff_page
def cases(request: HttpRequest) -> HttpResponse:
    """One page of the list: everything that is chosen stands in the address, paged by key, never counted."""
    return _page(request)


def _page(request: HttpRequest, status: int = 200, **bound: Any) -> HttpResponse:
    actor = user_of(request)
    sees_all = can_do(actor, "case.view")
    form = _filter_form(actor, request.GET)
    page = selectors.cases_for_staff(actor, form.chosen(), **cursors(request))
    query, columns = _held(form), list_columns.chosen_by(actor)
    context = {
        "form": form,
        "columns": columns,
        # A heading that stays above takes a table that does not scroll sideways.
        "fits": len(columns) <= len(list_columns.USUAL) - 1,
        "rows": [_row(row) for row in page.rows],
        "filtered": bool(query),
        "query": urlencode(query),
        "subtitle": "Search by reference, by whom it is about, by their e-mail or account id."
        if sees_all
        else "Those you opened or were given.",
        "tabs": _tabs(actor, query) if sees_all else [],
        "views": selectors.views_for(actor),
        "view_form": ViewForm(may_share=can_do(actor, "case.manage"), prefix="view"),
        "bulk_form": _bulk_form(actor),
        "may_work": can_do(actor, "case.work"),
        "is_away": Worker.objects.filter(pk=actor.pk, is_away=True).exists(),
        "sees_queues": can_do(actor, "queue.view"),
        "may_share": can_do(actor, "case.manage"),
        "list_url": reverse("cases:list"),
        "nav_section": "cases",
        "back": ("Previous", f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else ""),
        "onward": ("Next", f"?{urlencode([*query, ('after', page.older)])}" if page.older else ""),
    }
    return render(request, "compliance/cases.html", context | bound, status=status)


def _filter_form(actor: User, given: QueryDict) -> CaseFilterForm:
    sees_all = can_do(actor, "case.view")
    people = selectors.people_for_cases() if sees_all else User.objects.none()
    queues = selectors.queues_visible_to(actor) if sees_all else Queue.objects.none()
    return CaseFilterForm(given, people=people, queues=queues)


def _held(form: CaseFilterForm) -> list[tuple[str, str]]:
    """The filters that hold, as the address has them."""
    form.is_valid()
    return [(name, str(form.cleaned_data[name])) for name in form.fields if form.cleaned_data.get(name)]


def _row(row: Case) -> dict[str, Any]:
    return {
        "case": row,
        "kind": kinds.get(row.kind).title,
        "ball": standing.ball(row),
        "due": standing.due(row),
        "tone": standing.TONES[row.status],
        "pressing": row.priority > Case.Priority.NORMAL,
        "priority_tone": standing.PRIORITY_TONES[row.priority],
        "amount": Money.from_columns(row.amount_minor, row.currency),
    }


def _tabs(actor: User, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """All and each queue with what is undecided in it, other filters kept."""
    others = [(name, value) for name, value in query if name != "queue"]
    chosen = dict(query).get("queue", "")
    found: list[dict[str, Any]] = [
        {"label": "All queues", "url": f"?{urlencode(others)}", "current": not chosen, "count": None}
    ]
    for queue, count in selectors.queues_with_counts(actor):
        url = f"?{urlencode([*others, ('queue', str(queue.pk))])}"
        found.append({"label": queue.name, "url": url, "current": chosen == str(queue.pk), "count": count})
    return found if len(found) > 2 else []


def _bulk_form(actor: User, data: QueryDict | None = None) -> BulkForm:
    return BulkForm(
        data, people=selectors.people_for_cases(), may_give=can_do(actor, "case.manage"), prefix="bulk"
    )


@require_http_methods(["GET", "POST"])
@staff_page
def columns(request: HttpRequest) -> HttpResponse:
    """Choose the columns one sees."""
    actor = user_of(request)
    selectors.cases_visible_to(actor)
    initial = {"columns": [column.key for column in list_columns.chosen_by(actor)]}
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
    query = urlencode(_held(_filter_form(actor, request.GET)))
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
    form, chosen = _bulk_form(actor, request.POST), ids_of(request.POST.getlist("case"))
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
        "back_url": f"{reverse('cases:list')}?{urlencode(_held(_filter_form(actor, request.GET)))}",
        "nav_section": "cases",
    }
    return render(request, "compliance/bulk.html", context)
