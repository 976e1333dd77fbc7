"""Errors of the REST API: application/problem+json (RFC 9457) with a stable `type` and JSON pointers to fields."""

import sys
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import server_error as server_error_page
from rest_framework import exceptions
from rest_framework.response import Response

from portal.api.problems import PROBLEM_TYPES, TYPE_BASE
from portal.errors import DomainError, ProviderAway, Unavailable

MEDIA_TYPE = "application/problem+json"
API = "/api/v1/"
#: When to come back while the database or the storage is away, in seconds.
RETRY_AFTER = "10"


class TooLarge(exceptions.APIException):
    """The body is longer than anything this API takes."""

    status_code = 413
    default_code = "too-large"
    default_detail = "The body is larger than any request of this API needs."


def problem(
    *, code: str, detail: str, title: str = "", status: int = 0, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """The body of a problem answer; title and status come from the list of problem types unless they are given.

    `errors` are {"pointer": "/field", "detail": "..."}.
    """
    body: dict[str, Any] = {
        "type": f"{TYPE_BASE}{code}",
        "title": title or PROBLEM_TYPES[code].title,
        "status": status or PROBLEM_TYPES[code].status,
        "detail": _visible(detail),
    }
    if errors:
        body["errors"] = errors
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    if request_id:
        body["request_id"] = str(request_id)
    return body


def pointers(fields: dict[str, list[str]]) -> list[dict[str, str]]:
    """{"residential.city": ["..."]} as a list of JSON pointers with their sentences."""
    return [
        {"pointer": "/" + _escaped(path).replace(".", "/"), "detail": _visible(sentence)}
        for path, found in fields.items()
        for sentence in found
    ]


def _visible(text: str) -> str:
    """The text as UTF-8 can carry it: JSON can name half of a surrogate pair, which an answer could not repeat."""
    return text.encode("utf-8", "backslashreplace").decode()


def _escaped(part: str) -> str:
    """A name as a JSON pointer writes it (RFC 6901)."""
    return _visible(part).replace("~", "~0").replace("/", "~1")


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. An unknown exception is left to Django, which logs it and answers 500."""
    headers: dict[str, str] = {}
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    if isinstance(error, DomainError):
        body = problem(
            code=error.code,
            title=error.title,
            status=error.status,
            detail=error.message,
            errors=pointers(error.fields),
        )
        if error.reasons:
            body["reasons"] = list(error.reasons)
        if isinstance(error, ProviderAway):
            headers["Retry-After"] = str(error.retry_after)
        if isinstance(error, Unavailable):
            headers["Retry-After"] = RETRY_AFTER
    elif isinstance(error, Http404):
        body = problem(code="not-found", detail="There is nothing here, or nothing you may see.")
    elif isinstance(error, PermissionDenied):
        body = problem(code="forbidden", detail="You may not do this.")
    elif isinstance(error, exceptions.ValidationError):
        body = problem(
            code="invalid",
            detail="Correct the named fields and send the request again.",
            errors=_flatten(error.detail),
        )
    elif isinstance(error, exceptions.APIException):
        body = problem(code=_code(error), status=error.status_code, detail=str(error.detail))
        if isinstance(error, exceptions.Throttled) and getattr(error, "wait", None):
            headers["Retry-After"] = str(int(error.wait) + 1)  # type: ignore[attr-defined]
        challenge = getattr(error, "auth_header", None)
        if challenge:
            headers["WWW-Authenticate"] = challenge
    else:
        return None
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _code(error: exceptions.APIException) -> str:
    """The problem type of one of the framework's errors; those it may grow one day have no name of their own."""
    code = str(error.default_code).replace("_", "-")
    return code if code in PROBLEM_TYPES else "error" if error.status_code >= 500 else "refused"


def _flatten(detail: Any, path: str = "") -> list[dict[str, str]]:
    """A serializer's complaints as pointers; those about the body as a whole point to all of it ("")."""
    if isinstance(detail, dict):
        return [
            row
            for key, value in detail.items()
            for row in _flatten(value, path if key == "non_field_errors" else f"{path}/{_escaped(str(key))}")
        ]
    if isinstance(detail, list):
        if all(isinstance(item, dict) for item in detail):
            return [row for index, item in enumerate(detail) for row in _flatten(item, f"{path}/{index}")]
        return [{"pointer": path, "detail": _visible(str(item))} for item in detail]
    return [{"pointer": path, "detail": _visible(str(detail))}]


@csrf_exempt
def not_found(request: HttpRequest, *_: Any, **__: Any) -> JsonResponse:
    """The answer for an unknown path below /api/v1/: a problem, not a page."""
    body = problem(code="not-found", detail="There is no such endpoint.")
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """What a fault of ours answers: a problem to an app, a page to a person.

    A database that is away is no fault of the request: 503, and when to try again.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    response: HttpResponse
    if not request.path.startswith(API):
        response = server_error_page(request, "503.html") if away else server_error_page(request)
    elif away:
        detail = "We cannot reach our database just now. Try again in some seconds."
        response = JsonResponse(problem(code="unavailable", detail=detail), content_type=MEDIA_TYPE)
    else:
        body = problem(code="error", detail="This is our fault, not yours. Try again later.")
        response = JsonResponse(body, status=500, content_type=MEDIA_TYPE)
    if away:
        response.status_code = 503
        response["Retry-After"] = RETRY_AFTER
    return response
