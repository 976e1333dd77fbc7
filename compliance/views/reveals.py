"""Reveals of personal data by week: what is unusual, and what stands behind each line."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from compliance import unusual
from portal import clock, revealing
from portal.errors import NotFound
from portal.models import RevealDigest, User
from portal.staff import staff_page, user_of

#: Nothing was revealed before.
EARLIEST = date(2020, 1, 6)


def _week(request: HttpRequest) -> date:
    """The Monday of the week in the address; this week's where it is none, or one to come."""
    this = unusual.monday(clock.today())
    try:
        wanted = date.fromisoformat(request.GET.get("week", ""))
    except ValueError:
        return this
    return min(unusual.monday(max(wanted, EARLIEST)), this)


@require_GET
@staff_page
def reveals(request: HttpRequest) -> HttpResponse:
    """The week's unusual reveals by person and kind."""
    week = _week(request)
    total, lines = unusual.week_for(user_of(request), week)
    this = unusual.monday(clock.today())
    context = {
        "week": week,
        "total": total,
        "lines": lines,
        "kinds": unusual.BY_CODE.values(),
        "digest": RevealDigest.objects.filter(week=week).first(),
        "earlier_url": f"?week={week - unusual.WEEK}",
        "later_url": f"?week={week + unusual.WEEK}" if week < this else "",
        "nav_section": "reveals",
    }
    return render(request, "compliance/reveals.html", context)


@require_GET
@staff_page
def behind(request: HttpRequest, user_id: UUID, code: str) -> HttpResponse:
    """The reveals behind one line, with their reasons."""
    viewer, week = user_of(request), _week(request)
    kind, person = unusual.BY_CODE.get(code), User.objects.filter(pk=user_id).first()
    if kind is None or person is None:
        raise NotFound("There is no such line.")
    cursors = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = unusual.behind(viewer, week, user_id, kind, **cursors)
    query = {"week": week.isoformat()}
    context = {
        "kind": kind,
        "person": person,
        "week": week,
        "rows": [
            {"reveal": row, "title": field.title if (field := revealing.known(row.field)) else row.field}
            for row in page.rows
        ],
        "refusals": unusual.refusals_behind(viewer, week, user_id) if kind is unusual.LIMIT else [],
        "older": f"?{urlencode(query | {'after': page.older})}" if page.older else "",
        "newer": f"?{urlencode(query | {'before': page.newer})}" if page.newer else "",
        "nav_section": "reveals",
    }
    return render(request, "compliance/reveals_behind.html", context)
