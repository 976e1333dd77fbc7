"""The customer's document-verification link, as events and the details call bring it.

Contract bakkt-partner.md, sections 6 and 7.6: only https is kept, the vendor's host is never checked
against a name, and both published spellings and forms of the expiry are read. The stand-in of development
serves its own page over plain http; the caller may name its origin.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from providers.errors import Unreadable
from providers.wire import instant

LONGEST_URL = 2048
EXPIRY_SPELLINGS = ("verificationURLExpiry", "verificationUrlExpiry")


def usable_url(value: Any, *, local_origin: str = "") -> str | None:
    """The address if it is a plain https one, or one of `local_origin` (http://host:port); else None."""
    if not isinstance(value, str) or len(value) > LONGEST_URL or not value.isprintable() or " " in value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if not parts.hostname or parts.username or parts.password:
        return None
    # Compared as a whole: a host may begin with the words of another.
    local = bool(local_origin) and f"{parts.scheme}://{parts.netloc}" == local_origin.rstrip("/")
    return value if parts.scheme == "https" or local else None


def expiry(body: dict[str, Any]) -> datetime | None:
    """When the link stops working; None when absent or in a form nobody knows."""
    found = next((body[name] for name in EXPIRY_SPELLINGS if body.get(name) is not None), None)
    if found is None:
        return None
    try:
        return instant(found)
    except Unreadable:
        return None
