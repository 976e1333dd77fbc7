"""The page of the staff's search for people and what is theirs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from portal import finding
from portal.errors import Conflict, Invalid
from portal.permissions import require
from portal.staff import staff_page, user_of


@require_http_methods(["GET", "POST"])
@staff_page
def find(request: HttpRequest) -> HttpResponse:
    """By POST the results, or the page that a reference names; by GET how to search. Nothing of it is in an address."""
    actor = user_of(request)
    require(actor, "person.search")
    context: dict[str, Any] = {"groups": [], "nav_section": "", "find_text": ""}
    status = 200
    if request.method == "POST":
        text = request.POST.get("find", "")
        context["find_text"] = text
        try:
            term, groups = finding.person_search(actor=actor, text=text)
        except (Invalid, Conflict) as error:
            context["problem"], status = error.message, error.status
        else:
            if url := finding.landing(groups):
                return redirect(url)
            context |= {"term": term, "groups": groups, "most": finding.MOST}
    response = render(request, "portal/find.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
