"""What the page shells need on every page."""

from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest

from portal.models import User
from portal.permissions import can_do
from portal.ui import nav


class Reader(NamedTuple):
    """Who reads the page, as its menu says it."""

    name: str
    email: str
    initials: str
    is_staff: bool


def _reader(user: User) -> Reader:
    # Two letters for the avatar: of the name, else of the e-mail address.
    words = (user.name or user.email or "?").split()
    letters = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
    return Reader(user.name, user.email, letters, user.is_staff_member)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Names the base templates expect (docs/design-system.md)."""
    user = getattr(request, "user", None)
    return {
        "reader": _reader(user) if isinstance(user, User) else None,
        "partner_name": settings.PARTNER_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "sandbox_url": settings.SANDBOX_URL,
        "may_find": can_do(user if isinstance(user, User) else None, "person.search"),
        "development": settings.ENVIRONMENT == "development",
        # Asked by the staff menu alone, which stands twice on a page.
        "nav_counts": cache(lambda: nav.waiting(user if isinstance(user, User) else None)),
    }
