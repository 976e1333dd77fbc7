"""What the page shells need on every page."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from portal.models import User
from portal.ui import nav


def shell(request: HttpRequest) -> dict[str, Any]:
    """Names the base templates expect (docs/design-system.md)."""
    user = getattr(request, "user", None)
    return {
        "partner_name": settings.PARTNER_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "sandbox_url": settings.SANDBOX_URL,
        "development": settings.ENVIRONMENT == "development",
        # Asked by the staff menu alone, which stands twice on a page.
        "nav_counts": cache(lambda: nav.waiting(user if isinstance(user, User) else None)),
    }
