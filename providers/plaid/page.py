"""The one page of a site on which Link opens: what its template needs, and what its answer must allow
(contract plaid.md, section 4)."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE
from django.conf import settings
from django.http import HttpResponse

SCRIPT = "https://cdn.plaid.com/link/v2/stable/link-initialize.js"


@dataclass(frozen=True)
class BankLink:
    """For templates/components/bank_link.html. `stand_in` is the address of Plaid's stand-in, "" where Plaid's own
    script is used."""

    link_token: str = field(repr=False)
    stand_in: str
    script: str = SCRIPT


def bank_link(link_token: str) -> BankLink:
    """What opens Link with this token."""
    return BankLink(link_token, "" if settings.PLAID_URL == settings.PLAID_HOST else settings.PLAID_URL)


def allow_bank_link(response: HttpResponse) -> HttpResponse:
    """Let Link run on this answer: its script, its frame, and the way to the hosted page for who has no script.

    Give it to the linking page alone, and to the answer of its form. Without the nonce, which the template asks for,
    the script is not allowed.
    """
    hosted = settings.PLAID_URL == settings.PLAID_HOST
    response._csp_update = _plaid() if hosted else _stand_in()  # type: ignore[attr-defined]
    # The bank's window keeps its way back.
    response["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    # The page holds a link token.
    response["Cache-Control"] = "no-store"
    return response


def _plaid() -> dict[str, list[Any]]:
    return {
        "default-src": ["https://cdn.plaid.com/"],
        "script-src": [SCRIPT, NONCE],
        "style-src": [NONCE],
        # Plaid's frame is placed by style attributes.
        "style-src-attr": ["'unsafe-inline'"],
        "frame-src": ["https://cdn.plaid.com/"],
        "connect-src": [f"{settings.PLAID_HOST}/"],
        "form-action": ["https://*.plaid.com"],
    }


def _stand_in() -> dict[str, list[str]]:
    parts = urlsplit(settings.PLAID_URL)
    origin = f"{parts.scheme}://{parts.netloc}"
    return {"frame-src": [origin], "form-action": [origin]} if parts.netloc else {}
