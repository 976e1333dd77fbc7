"""The codes an authenticator app would show for the demo's staff: no phone is needed to try the product."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from portal.auth.demo import demo_codes
from portal.models import Role


def codes(request: HttpRequest, role: str) -> HttpResponse:
    """The current codes of the seeded accounts in the role. 404 unless DEBUG and ENVIRONMENT=development."""
    if not settings.DEBUG or settings.ENVIRONMENT != "development" or role not in Role.values:
        raise Http404
    shown = demo_codes(role)
    response = render(request, "dev/totp.html", {"shown": shown, "role": Role(role).label})
    if shown:
        # The page asks again when the codes change.
        response["Refresh"] = str(shown[0][2])
    response["Cache-Control"] = "no-store"
    return response
