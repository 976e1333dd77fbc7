"""A handler of webhooks that renames people, so that the inbox is tested without any app that owns events."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpResponse
from django.test import Client

from portal.models import User
from providers import inbox, intake
from providers.models import InboundEvent


class Renamer:
    """Handles {"ref": e-mail, "name": new name}; `on_apply` runs between the change and the end."""

    def __init__(self) -> None:
        self.applied = 0
        self.on_apply: Callable[[], None] = lambda: None

    def plan(self, event: InboundEvent) -> inbox.Plan:
        body = json.loads(event.body.reveal())
        person = User.objects.filter(email=body["ref"]).first()
        facts: dict[str, Any] = {
            "kind": "RENAME",
            "party_ref": body["ref"],
            "provider_request_id": body.get("requestId", ""),
            "subject": person,
        }
        if person is None:
            return inbox.Plan(inbox.Verdict.QUARANTINE, ["Nobody has this reference."], **facts)
        if person.name == body["name"]:
            return inbox.Plan(inbox.Verdict.NO_EFFECT, ["Stale, no effect."], **facts)
        return inbox.Plan(inbox.Verdict.APPLY, [f"Name: {person.name} → {body['name']}."], **facts)

    def apply(self, event: InboundEvent, plan: inbox.Plan) -> None:
        assert isinstance(plan.subject, User)
        plan.subject.name = json.loads(event.body.reveal())["name"]
        plan.subject.save(update_fields=["name"])
        self.on_apply()
        self.applied += 1


@contextmanager
def handling(handler: inbox.Handler) -> Iterator[None]:
    """Let `handler` have Bakkt's events for a while."""
    before = inbox._handlers["bakkt"]
    inbox.register("bakkt", handler)
    try:
        yield
    finally:
        inbox.register("bakkt", before)


def path(settings: Any) -> str:
    """Where Bakkt posts."""
    return f"/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/"


def post(settings: Any, body: bytes, **extra: Any) -> HttpResponse:
    """Post a body as the provider does."""
    return Client().post(path(settings), body, content_type="application/json", **extra)


def stored(body: dict[str, Any] | bytes, **changes: Any) -> InboundEvent:
    """A webhook in the inbox, as intake leaves it, then changed by `changes`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    event_id = intake.store(provider="bakkt", body=raw, headers={}, source_ip="192.0.2.7")
    if changes:
        InboundEvent.objects.filter(pk=event_id).update(**changes)
    return InboundEvent.objects.get(pk=event_id)


def fresh(event: InboundEvent) -> InboundEvent:
    """The row as it is now."""
    return InboundEvent.objects.get(pk=event.pk)
