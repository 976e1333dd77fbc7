"""What every answer carries, and who may press the buttons."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def guard(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuses writes that another web site makes through the tester's browser; adds the security headers."""

    def handle(request: HttpRequest) -> HttpResponse:
        request.get_host()  # raises for a host that is not ours: no name may be bent to this address
        foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
        if foreign and request.method not in ("GET", "HEAD"):
            return HttpResponseForbidden("Another web site may not change the sandbox.")
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        # Named on every answer, so that no log can be mistaken for the real provider's.
        response.headers["X-Stand-In"] = "sandbox; not Bakkt, not Plaid"
        return response

    return handle
