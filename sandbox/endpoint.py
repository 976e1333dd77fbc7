"""What every provider call goes through: method, faults, token, body, log."""

import contextlib
import json
import time
from collections.abc import Callable
from decimal import Decimal
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from sandbox import faults, journal
from sandbox.state import Fault
from sandbox.world import World, world

OPERATIONS: list[str] = []


class Answer(Exception):
    """An error answer with its status, raised from anywhere inside a call."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class Request:
    """A call as an endpoint sees it: the parsed body (None when there is none) and the plain request."""

    def __init__(self, plain: HttpRequest, body: Any) -> None:
        self.plain = plain
        self.body = body

    @property
    def exact(self) -> Any:
        """The body with its fractions as Decimal."""
        return json.loads(self.plain.body, parse_float=Decimal) if self.plain.body else None

    @property
    def origin(self) -> str:
        """The address by which the caller knows us."""
        return f"{self.plain.scheme}://{self.plain.get_host()}"


View = Callable[..., Any]
# Makes an error body of a family out of a status and a message.
ErrorBody = Callable[[int, str], Any]


def endpoint(
    operation: str, *, method: str, family: str, error: ErrorBody, token: bool = True, form: bool = False
) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """Wraps `view(world, request, **path)`, which returns the JSON to answer 200 with, or a
    whole response, or raises Answer.

    `family` is whose token it takes (none with `token=False`); `form` says that the body is a form.
    """
    OPERATIONS.append(operation)

    def wrap(view: View) -> Callable[..., HttpResponseBase]:
        @csrf_exempt
        @wraps(view)
        def handle(plain: HttpRequest, **path: str) -> HttpResponseBase:
            here = world()
            began = time.monotonic()
            body, readable = (None, True) if form else _parse(plain)
            seen: dict[str, Any] = {}

            def effect() -> HttpResponseBase:
                try:
                    if plain.method != method:
                        raise Answer(405, error(405, "Method not allowed"))
                    if token and not _holds(here, plain, family):
                        raise Answer(401, error(401, "Unauthorized"))
                    if not readable:
                        raise Answer(400, error(400, "The body is not JSON"))
                    answer = view(here, Request(plain, body), **path)
                    if isinstance(answer, HttpResponseBase):
                        return answer
                    seen["answer"], status = answer, 200
                except Answer as refusal:
                    seen["answer"], status = refusal.body, refusal.status
                return JsonResponse(seen["answer"], status=status, safe=False)

            hits = faults.take_for_call(here, operation)
            response = _under(here, plain, hits, effect, error)
            if form:
                _read_on(plain)
            journal.write(
                here,
                plain,
                response,
                operation=operation,
                body=body,
                answer=seen.get("answer"),
                faults=[fault.kind for fault in hits],
                milliseconds=round((time.monotonic() - began) * 1000),
            )
            return response

        return handle

    return wrap


def _under(
    here: World,
    plain: HttpRequest,
    hits: list[Fault],
    effect: Callable[[], HttpResponseBase],
    error: ErrorBody,
) -> HttpResponseBase:
    """The effect under all its faults, the first outermost."""
    if not hits:
        return effect()
    return faults.suffer(here, plain, hits[0], lambda: _under(here, plain, hits[1:], effect, error), error)


def _parse(plain: HttpRequest) -> tuple[Any, bool]:
    if not plain.body:
        return None, True
    try:
        return json.loads(plain.body), True
    except (ValueError, RecursionError):
        return None, False


def _read_on(plain: HttpRequest) -> None:
    """Read what is left of a body that nobody wanted: the server cuts a connection on which it lies unread,
    and the next call of that client would look dropped."""
    with contextlib.suppress(OSError):  # a fault cut the connection already
        while plain.read(64 * 1024):
            pass


def _holds(here: World, plain: HttpRequest, family: str) -> bool:
    scheme, _, token = plain.headers.get("Authorization", "").partition(" ")
    return scheme == "Bearer" and here.token_holds(family, token.strip())
