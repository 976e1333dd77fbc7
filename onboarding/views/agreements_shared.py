"""What the pages of agreements share."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django_countries import countries

from onboarding.models import Agreement
from onboarding.words import AccountType, OwnerRole
from portal.pages import Page


def pager_urls(page: Page[Any], kept: dict[str, str]) -> dict[str, Any]:
    """The addresses of the neighbouring pages, with the filters in `kept`."""
    query = [(name, value) for name, value in kept.items() if value]
    return {
        "older": f"?{urlencode([*query, ('after', page.older)])}" if page.older else "",
        "newer": f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else "",
    }


def in_file_order(page: Page[Any], kept: dict[str, str]) -> dict[str, Any]:
    """The same for a list that begins with the oldest: what comes after is the newer."""
    query = [(name, value) for name, value in kept.items() if value]
    return {
        "newer": f"?{urlencode([*query, ('after', page.newer)])}" if page.newer else "",
        "older": f"?{urlencode([*query, ('before', page.older)])}" if page.older else "",
    }


def scope_rows(agreement: Agreement) -> list[dict[str, str]]:
    """Whom a version binds, as people read it."""
    types, roles = dict(AccountType.choices), dict(OwnerRole.choices)
    return [
        {
            "label": "Types of account",
            "value": ", ".join(str(types.get(word, word)) for word in agreement.account_types) or "All",
        },
        {
            "label": "Roles",
            "value": ", ".join(str(roles.get(word, word)) for word in agreement.roles) or "All",
        },
        {
            "label": "Countries of residence",
            "value": ", ".join(str(countries.name(code)) for code in agreement.countries) or "All",
        },
    ]


def download(content: bytes, name: str) -> HttpResponse:
    """A PDF to keep; no cache holds it."""
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


def shown_inline(content: bytes, name: str) -> HttpResponse:
    """A PDF to read in the browser.."""
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{name}"',
            "Cache-Control": "private, max-age=300",
            "X-Content-Type-Options": "nosniff",
        },
    )
