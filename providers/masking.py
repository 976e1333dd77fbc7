"""Webhook bodies as staff may see them: personal data and links hidden by the names of their keys.

What is hidden is hidden with everything below it, and what stands in a text anywhere, a link, an e-mail or a
tax number, is cut out of it. A person who may reveal personal data sees the rest, for a reason, audited.
"""

import json
import re
from typing import Any

from portal.logs import SENSITIVE_KEYS, redact_text

HIDDEN = "••••"
#: Besides what logs leave out. `partnerPartyRef`, `requestId` and the words of a status stay readable.
PERSONAL_KEYS = re.compile(
    r"ur[il]\b|url|name|address|street|city|postal|zip|dob|account(?!type|status)|bic\b|bank|owner",
    re.IGNORECASE,
)
LINKS = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://\S+", re.IGNORECASE)
#: No provider nests deeper; what does is not shown, so that nothing can exhaust the page.
DEEPEST = 20


def readable(text: str) -> Any:
    """The body as data, or None when it is not JSON."""
    try:
        return _clean(json.loads(text))
    except (ValueError, RecursionError):
        return None


def masked(text: str) -> Any:
    """The body as data with what is personal hidden; None when it is not JSON: nothing of it can be shown."""
    data = readable(text)
    return None if data is None else _mask(data, "")


def _clean(value: Any, depth: int = 0) -> Any:
    """Without what no page can be sent with: a lone surrogate is valid JSON and no text."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        return {_clean(key): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _mask(value: Any, key: str) -> Any:
    if value in (None, "") or isinstance(value, bool):
        return value
    if _is_hidden(key):
        return HIDDEN
    if isinstance(value, dict):
        return {redact_text(name): _mask(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_mask(item, key) for item in value]
    return redact_text(LINKS.sub(HIDDEN, value)) if isinstance(value, str) else value


def _is_hidden(key: str) -> bool:
    if key.lower().endswith("expiry"):
        return False
    return bool(SENSITIVE_KEYS.search(key) or PERSONAL_KEYS.search(key))
