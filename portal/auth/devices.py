"""Which device somebody signs in from: a random key that a browser keeps as a cookie and an app sends in a header.

Only a keyed hash of it is kept, in the trail's entry of the sign-in. It proves nothing and opens nothing: who signs in
from a device that others signed in from is shown to staff as a link between them, no more.
"""

import re
import secrets
from collections.abc import Callable

from allauth.core.internal.httpkit import is_headless_request
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from portal.sealed import blind_index

COOKIE = "device"
HEADER = "X-Device-Key"
#: As long as browsers keep a cookie at most.
KEPT_SECONDS = 400 * 24 * 3600
_KEY = re.compile(r"[\w.:-]{16,128}", re.ASCII)


def device_of(request: HttpRequest | None) -> str:
    """The device's hash, 32 hex digits; "" where an app sends no key. A browser without a key is given one."""
    if request is None or not request.META:
        return ""
    app = is_headless_request(request)
    key = request.headers.get(HEADER, "") if app else request.COOKIES.get(COOKIE, "")
    if not _KEY.fullmatch(key):
        if app:
            return ""
        key = secrets.token_urlsafe(24)
        request.new_device_key = key  # type: ignore[attr-defined]
    return blind_index("portal.device", key, "exact")[:32]


class DeviceMiddleware:
    """Have a browser keep the key that it was given while it signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        key = getattr(request, "new_device_key", "")
        if key:
            response.set_cookie(
                COOKIE,
                key,
                max_age=KEPT_SECONDS,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
