"""The list a case was opened from: kept for the person's session, so that the case's page leads on in it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from compliance import selectors
from compliance.views.lists import filters_of
from portal.models import User

KEY = "case_lists"
#: Of so many cases, the last opened; whoever comes back to an older one starts from the whole list.
MOST = 50
LONGEST = 1000


def remember(request: HttpRequest, case_id: UUID) -> None:
    """Keep the filters that the page's address carries, if any: in the session, not in every form's address."""
    given = request.GET.get("list")
    if given is None:
        return
    kept: dict[str, str] = request.session.get(KEY, {})
    if kept.get(str(case_id)) != given[:LONGEST]:
        kept.pop(str(case_id), None)
        kept[str(case_id)] = given[:LONGEST].replace("\x00", "")
        request.session[KEY] = dict(list(kept.items())[-MOST:])


def way_on(request: HttpRequest, actor: User, case_id: UUID) -> dict[str, Any]:
    """For the case's page: the list's address, and the cases before and after this one in it, if there are any."""
    kept = request.session.get(KEY, {}).get(str(case_id))
    if kept is None:
        return {"list_url": reverse("cases:list"), "before_url": "", "after_url": ""}
    chosen = filters_of(actor, QueryDict(kept)).chosen
    before, after = selectors.neighbours(actor, chosen, case_id)
    return {
        "list_url": row_url(kept, case_id),
        "before_url": _page(before, kept),
        "after_url": _page(after, kept),
    }


def row_url(kept: str, case_id: UUID) -> str:
    """The row of the case in the list with these filters. What is no filter is dropped by the list itself."""
    return f"{reverse('cases:list')}?{QueryDict(kept).urlencode()}#row-{case_id}"


def _page(case_id: UUID | None, kept: str) -> str:
    return f"{reverse('cases:detail', args=[case_id])}?{urlencode({'list': kept})}" if case_id else ""
