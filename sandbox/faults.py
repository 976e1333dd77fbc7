"""Faults that testers switch on, and how an answer suffers them."""

import contextlib
import socket
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from sandbox.state import Fault
from sandbox.world import World

CALLS = (
    "delay",
    "500_before",
    "500_after",
    "drop_before",
    "drop_after",
    "502_html",
    "nonsense",
    "401",
    "403",
    "409",
    "429",
    "hang",
)
WEBHOOKS = (
    "webhook_duplicate",
    "webhook_late",
    "webhook_out_of_order",
    "webhook_unsigned",
    "webhook_early",
    "webhook_lost",
)
KINDS = CALLS + WEBHOOKS
# What webhook faults are aimed at; the others are aimed at calls.
EVENTS = ("PARTY_EVENT", "BANK_ACCOUNT_LINK", "FIAT_EVENT", "ITEM", "AUTH", "LINK")
REFUSALS = {
    "500_before": (500, "Internal error"),
    "500_after": (500, "Internal error"),
    "401": (401, "Unauthorized"),
    "403": (403, "Forbidden"),
    "409": (409, "Conflict"),
    "429": (429, "Too many requests"),
}
AFTER_EFFECT = ("500_after", "drop_after", "nonsense")
HANG_SECONDS = 60.0
HTML = "<!doctype html><html><title>502 Bad Gateway</title><body><h1>502 Bad Gateway</h1></body></html>"


def new_id() -> str:
    return uuid.uuid4().hex[:12]


def take(world: World, kind: str, operation: str) -> Fault | None:
    """The fault of this kind that hits the operation, counted down; None when none is on."""
    with world.look() as state:
        hit = next((f for f in state.faults if f.kind == kind and f.operation in ("*", operation)), None)
        return _count(world, hit) if hit else None


def take_for_call(world: World, operation: str) -> list[Fault]:
    """What befalls this call: any delay, and the first of the other faults."""
    with world.look() as state:
        aimed = [f for f in state.faults if f.kind in CALLS and f.operation in ("*", operation)]
        delay = next((f for f in aimed if f.kind == "delay"), None)
        other = next((f for f in aimed if f.kind != "delay"), None)
        return [_count(world, fault) for fault in (delay, other) if fault]


def _count(world: World, fault: Fault) -> Fault:
    if fault.left is not None:
        with world.change() as state:
            fault.left -= 1
            if fault.left <= 0:
                state.faults.remove(fault)
    return fault


def suffer(
    world: World,
    request: HttpRequest,
    fault: Fault,
    effect: Callable[[], HttpResponseBase],
    error: Callable[[int, str], Any],
) -> HttpResponseBase:
    """The answer under the fault; `effect` does what was asked, and is called only by faults that come after
    it. `error` makes the error body of the family that was called."""
    if fault.kind == "delay":
        world.released.wait(fault.seconds or 1.0)
        return effect()
    if fault.after_effect:
        effect()
    if fault.kind == "hang":
        world.released.wait(fault.seconds or HANG_SECONDS)
    if fault.kind in ("hang", "drop_before", "drop_after"):
        return _drop(request)
    if fault.kind == "502_html":
        return HttpResponse(HTML, status=502, content_type="text/html")
    if fault.kind == "nonsense":
        return HttpResponse("<<<%%% not json", content_type="application/json")
    status, message = REFUSALS[fault.kind]
    answer = JsonResponse(error(status, message), status=status)
    if status == 429:
        answer.headers["Retry-After"] = str(round(fault.seconds or 1))
    return answer


def _drop(request: HttpRequest) -> HttpResponse:
    """Cut the connection under the client; what is returned can no longer be sent."""
    environ: dict[str, Any] = getattr(request, "environ", {})
    connection: socket.socket = environ["gunicorn.socket"]
    with contextlib.suppress(OSError):  # the client hung up first
        connection.shutdown(socket.SHUT_RDWR)
    return HttpResponse(status=500)
