"""What every request passes: who acts and from where, refusals as pages."""

from collections.abc import Callable
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation.trans_real import parse_accept_lang_header

from portal.context import acting
from portal.errors import DomainError, NotFound

Next = Callable[[HttpRequest], HttpResponse]


def client_ip(request: HttpRequest) -> str:
    """The caller's address: REMOTE_ADDR, or the entry our own outermost proxy wrote into X-Forwarded-For.

    Empty when that is no address: it is stored with evidence and audit entries, which a broken header must not fail.
    """
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        found = hops[-settings.TRUSTED_PROXIES]
    else:
        found = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(found))
    except ValueError:
        return ""


def language_of(request: HttpRequest) -> str:
    """The language the caller asks for before all others, such as "es"; empty where they do not say."""
    asked = parse_accept_lang_header(request.headers.get("Accept-Language", "")[:200])
    first = asked[0][0].partition("-")[0] if asked else ""
    return first if first.isalpha() and len(first) <= 3 else ""


class ContextMiddleware:
    """Set portal.context for the request, so that audit entries and status changes know who and where."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        bound = structlog.contextvars.get_contextvars()
        user_id = request.user.pk if request.user.is_authenticated else None
        ip = client_ip(request)
        structlog.contextvars.bind_contextvars(user_id=str(user_id or ""), ip=ip)
        with acting(
            actor_id=user_id,
            ip=ip,
            user_agent=request.headers.get("User-Agent", "")[:400],
            request_id=str(bound.get("request_id", "")),
            language=language_of(request),
        ):
            return self.get_response(request)


class RevealedMiddleware:
    """A page that shows what is masked otherwise is kept nowhere: not by the browser, not on the way."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "shows_revealed", False):
            response["Cache-Control"] = "no-store"
        return response


class DomainErrorMiddleware:
    """Turn a DomainError raised by a page into a page that says what happened and what to do next.

    Views catch Invalid themselves to show it beside the fields; what arrives here concerns the whole page.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DomainError):
            return None
        template = "404.html" if isinstance(exception, NotFound) else "errors/refused.html"
        return render(request, template, {"error": exception}, status=exception.status)
