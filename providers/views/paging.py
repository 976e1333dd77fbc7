"""Keyset paging in the address, for the lists of this app."""

from typing import TypedDict
from urllib.parse import urlencode

from django.http import HttpRequest

from portal.pages import Page, Row

CURSORS = frozenset({"after", "before"})


class Cursors(TypedDict):
    """The keywords of `keyset` that come from the address."""

    after: str
    before: str


def asked(request: HttpRequest, name: str) -> str:
    """A value from the address; PostgreSQL takes no NUL, and nobody means one."""
    return request.GET.get(name, "").replace("\x00", "").strip()


def cursors(request: HttpRequest) -> Cursors:
    """The cursors in the address, as the selectors take them."""
    return {"after": asked(request, "after"), "before": asked(request, "before")}


def pager(request: HttpRequest, page: Page[Row]) -> dict[str, str]:
    """The addresses of the neighbouring pages for the template, filters kept."""
    query = [(name, value) for name, value in request.GET.items() if name not in CURSORS and value]
    return {
        "older": f"?{urlencode([*query, ('after', page.older)])}" if page.older else "",
        "newer": f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else "",
    }
