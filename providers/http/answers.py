"""What an HTTP status or a failure of the connection comes to."""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ssl import SSLCertVerificationError
from typing import Any

import requests
import urllib3.exceptions

from providers.errors import (
    Busy,
    Conflict,
    FieldProblem,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Unreadable,
)
from providers.http.calls import Call, Problem, parsed

LONGEST_RETRY_AFTER_SECONDS = 3600.0
# Names under which providers and gateways usually return the id of a request; none is published by Bakkt.
REQUEST_ID_HEADERS = ("x-request-id", "x-tracking-id", "x-correlation-id")


def retry_after(value: str | None) -> float | None:
    """Seconds asked for by a Retry-After header (number or HTTP date), capped; None when absent or
    senseless."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - datetime.now(UTC)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def request_id(headers: "requests.structures.CaseInsensitiveDict[str]") -> str:
    """The provider's id of the request, if a usual header holds a printable one."""
    return _printable(next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), ""))


def request_id_in(raw: bytes, key: str) -> str:
    """The provider's id of the request in a JSON body, "" where there is none."""
    try:
        body = parsed(raw)
    except Unreadable:
        return ""
    found = body.get(key) if isinstance(body, dict) else None
    return _printable(found) if isinstance(found, str) else ""


def _printable(text: str) -> str:
    return text[:100] if text.isascii() and text.isprintable() else ""


def error_of(
    call: Call, status: int, headers: "requests.structures.CaseInsensitiveDict[str]", raw: bytes
) -> ProviderError:
    """The error an answer other than 2xx comes to."""
    facts: dict[str, Any] = {"status": status, "request_id": request_id(headers)}
    wait = retry_after(headers.get("Retry-After"))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return OutcomeUnknown("The provider failed", retry_after=wait, code="server_error", **facts)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Busy("The provider asks us to slow down", retry_after=wait, code="too_many_requests", **facts)
    if status < HTTPStatus.BAD_REQUEST:
        return Misconfigured("The provider answered with a redirect", code="redirect", **facts)
    body, problem = _problem(call, status, raw)
    if problem.comes_to is not None:
        error = problem.comes_to("The provider refused the request", code=problem.code, **facts)
        if isinstance(error, Rejected):
            error.fields = problem.fields
        return error
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}:
        return Misconfigured("The provider does not let us in", code=problem.code or str(status), **facts)
    facts |= {"code": problem.code, "fields": problem.fields}
    if status == HTTPStatus.NOT_FOUND and call.missing_rejects and not problem.fields and problem.message:
        # Its one sentence is all that says what is wrong with the input.
        facts["fields"] = (FieldProblem(problem.code, "", problem.message),)
    if status == HTTPStatus.NOT_FOUND and not call.missing_rejects:
        return NotFound("The provider knows no such thing", **facts)
    if status == HTTPStatus.CONFLICT:
        return Conflict("The provider has had this request before", body=body, **facts)
    return Rejected("The provider refused the request", **facts)


def _problem(call: Call, status: int, raw: bytes) -> tuple[Any, Problem]:
    try:
        body = parsed(raw)
        return body, call.read_problem(status, body)
    except Unreadable:
        # A gateway's HTML page: the status still counts.
        return None, Problem()


def failure_of(error: Exception) -> ProviderError:
    """The error a failed connection comes to. Its own text names the filled address and is dropped."""
    kind = type(error).__name__
    if isinstance(error, requests.ConnectTimeout):
        return NotSent("No connection in time", code="connect_timeout")
    if isinstance(error, requests.exceptions.SSLError):
        if _caused_by(error, SSLCertVerificationError):
            return NotSent("The provider's certificate does not hold", code="certificate")
        return OutcomeUnknown("The secure connection broke", code="tls")
    if isinstance(error, requests.ConnectionError):
        if _caused_by(error, urllib3.exceptions.NewConnectionError):
            return NotSent("No connection", code="no_connection")
        if not isinstance(error, requests.Timeout):
            return OutcomeUnknown("The connection broke", code="connection_lost")
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return OutcomeUnknown("No answer in time", code="timeout")
    if isinstance(error, ValueError) and isinstance(error, requests.RequestException):
        return Misconfigured("The address or a header is not valid", code=kind)
    return OutcomeUnknown("The answer broke off", code="connection_lost")


def _caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether `kind` is among what urllib3 wrapped: it keeps causes in `reason` and in arguments."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, kind):
            return True
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            waiting += [getattr(one, "reason", None), one.__cause__, one.__context__, *one.args]
    return False
