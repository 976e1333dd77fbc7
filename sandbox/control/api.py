"""The control API under `/sandbox/api/`: JSON in, JSON out."""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from sandbox.control import actions, bank_actions, copies, money
from sandbox.state import Json
from sandbox.world import World, world

View = Callable[..., Any]


def control(**views: View) -> Callable[..., JsonResponse]:
    """One address: for each HTTP method `view(world, data, **path)` returning the JSON to answer with."""

    @csrf_exempt  # no cookie gives anyone rights here; other web sites are refused by the middleware
    def handle(request: HttpRequest, **path: str) -> JsonResponse:
        view = views.get(request.method or "")
        if view is None:
            return JsonResponse({"error": f"use {' or '.join(views)}"}, status=405)
        try:
            return JsonResponse(view(world(), _data(request), **path) or {"done": True})
        except actions.Refused as refusal:
            return JsonResponse({"error": str(refusal)}, status=refusal.status)

    return handle


def _data(request: HttpRequest) -> Json:
    try:
        data = json.loads(request.body) if request.body else {}
    except ValueError:
        raise actions.Refused("the body is not JSON") from None
    if not isinstance(data, dict):
        raise actions.Refused("the body is not an object")
    return data


def _bare(action: Callable[..., None]) -> View:
    """For actions that take nothing from the body."""

    @wraps(action)
    def view(here: World, data: Json, **path: str) -> None:
        action(here, **path)

    return view


def _fault(here: World, data: Json) -> Json:
    return asdict(actions.fault_add(here, data))


def _clear(here: World, data: Json, fault_id: str | None = None) -> None:
    actions.faults_clear(here, fault_id)


def _advance(here: World, data: Json) -> Json:
    return {"now": actions.clock_advance(here, data.get("seconds"))}


def _event(here: World, data: Json, ref: str) -> None:
    actions.event_send(here, ref, data)


def _open(here: World, data: Json) -> Json:
    return copies.shown(here, copies.open_unknown(here, data))


def _drift(here: World, data: Json, ref: str) -> None:
    copies.drift(here, ref, data)


def _end_update(here: World, data: Json, ref: str) -> None:
    copies.update_end(here, ref, data)


def _with_data(action: Callable[..., None]) -> View:
    """For actions that take the body, and answer nothing."""

    @wraps(action)
    def view(here: World, data: Json, **path: str) -> None:
        action(here, *path.values(), data)

    return view


def _settings(here: World, data: Json) -> Json:
    changed = asdict(actions.settings_change(here, data))
    return {name: value for name, value in changed.items() if name != "webhook_url"}


def _run(here: World, data: Json, name: str) -> Json:
    return asdict(actions.story_run(here, name, data))


def _down(here: World, data: Json, institution: str) -> None:
    bank_actions.institution_down(here, institution, down=True)


def _up(here: World, data: Json, institution: str) -> None:
    bank_actions.institution_down(here, institution, down=False)


urlpatterns = [
    path("state", control(GET=lambda here, _: actions.snapshot(here))),
    path("faults", control(POST=_fault, DELETE=_clear)),
    path("faults/<str:fault_id>", control(DELETE=_clear)),
    path("clock/advance", control(POST=_advance)),
    path("accounts", control(POST=_open)),
    path("accounts/<str:ref>", control(DELETE=_bare(copies.delete))),
    path("accounts/<str:ref>/drift", control(POST=_drift)),
    path("accounts/<str:ref>/end-update", control(POST=_end_update)),
    path("accounts/<str:ref>/event", control(POST=_event)),
    path("accounts/<str:ref>/expire-link", control(POST=_bare(actions.link_expire))),
    path("accounts/<str:ref>/adjust", control(POST=_with_data(money.adjust))),
    path("accounts/<str:ref>/bank-trouble", control(POST=_with_data(money.bank_trouble))),
    path("accounts/<str:ref>/wire", control(POST=_with_data(money.wire_in))),
    path("transfers/<str:key>/end", control(POST=_with_data(money.end))),
    path("transfers/<str:key>/return", control(POST=_with_data(money.give_back))),
    path("items/<str:item_id>/owner", control(POST=_with_data(bank_actions.owner_set))),
    path("items/<str:item_id>/reset-login", control(POST=_bare(bank_actions.login_reset))),
    path("items/<str:item_id>/fire", control(POST=_with_data(bank_actions.webhook_fire))),
    path("items/<str:item_id>/balance", control(POST=_with_data(bank_actions.balance_set))),
    path("items/<str:item_id>/verification", control(POST=_with_data(bank_actions.verification_set))),
    path("institutions/<str:institution>/down", control(POST=_down, DELETE=_up)),
    path("tokens/revoke", control(POST=lambda here, _: {"revoked": actions.tokens_revoke(here)})),
    path("webhooks/flush", control(POST=lambda here, _: {"unsent": actions.webhooks_flush(here)})),
    path("webhooks/<str:webhook_id>/resend", control(POST=_bare(actions.webhook_resend))),
    path("settings", control(POST=_settings)),
    path("stories", control(GET=lambda *_: actions.stories_listed())),
    path("stories/<str:name>/run", control(POST=_run)),
    path("runs/<str:run_id>/stop", control(POST=_bare(actions.run_stop))),
    path("reset", control(POST=lambda here, _: here.reset())),
]
