"""What open pages ask every few seconds. An answer that says nothing new is a 304 with no body.

Plain requests with an ETag, since they work with every server and worker, end by themselves and cost a query or two by
key; an open stream would hold one of few sync workers per page.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from compliance import desk, list_rows, live, selectors, services
from compliance.list_forms import ids_of
from compliance.services.lists import MOST_AT_ONCE
from portal import clock
from portal.permissions import can_do
from portal.staff import staff_page, user_of


@require_GET
@staff_page
def rows(request: HttpRequest) -> HttpResponse:
    """The rows that a list shows, as they are now, and how many wait to be taken."""
    actor = user_of(request)
    found = live.seen_now(actor, ids_of(request.GET.getlist("case"))[:MOST_AT_ONCE])
    looking = live.lookers(actor, [row.pk for row in found])
    to_take = selectors.cases_to_take(actor) if can_do(actor, "case.work") else 0
    before = request.GET.get("to_take", "")
    more = to_take - int(before) if before.isdecimal() and len(before) < 7 else 0
    etag = live.stamp(found, looking, to_take)

    def context() -> dict[str, Any]:
        return {
            "rows": list_rows.drawn(found, columns=desk.of(actor).columns, looking=looking),
            "to_take": to_take,
            "more": more,
        }

    return _answer(request, etag, "compliance/_live_rows.html", context)


@require_GET
@staff_page
def one(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Who else looks at the case, and what happened to it since the page was made. Says that the actor looks at it."""
    actor = user_of(request)
    found = selectors.case_for_staff(actor, case_id)
    services.presence_show(actor=actor, case_id=found.pk)
    looking = live.lookers(actor, [found.pk])
    is_newer = str(found.version) != request.GET.get("version", "")
    etag = live.stamp([found], looking, is_newer)

    def context() -> dict[str, Any]:
        news = live.news(actor, found, _moment(request.GET.get("at", ""))) if is_newer else []
        return {"case": found, "looking": looking.get(found.pk, ""), "is_newer": is_newer, "news": news}

    return _answer(request, etag, "compliance/_live_case.html", context)


@require_POST
@staff_page
def leave(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The page of the case was closed."""
    actor = user_of(request)
    services.presence_end(actor=actor, case_id=selectors.case_for_staff(actor, case_id).pk)
    return HttpResponse(status=204)


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    return found if found is not None and found.tzinfo is not None else clock.now()


def _answer(request: HttpRequest, etag: str, template: str, context: Any) -> HttpResponse:
    if request.headers.get("If-None-Match") == etag:
        response = HttpResponse(status=304)
    else:
        response = render(request, template, context())
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response
