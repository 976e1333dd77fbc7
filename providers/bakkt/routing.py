"""Whose webhook it is: Bakkt sends several kinds to one address, and different apps own them.

    routing.register(events.FIAT_EVENT, handler)     # in the owning app's ready()

A handler is that of providers/inbox.py and sees only events of its kind. Kinds nobody registered, and bodies nobody
can read, wait in quarantine.
"""

from typing import TYPE_CHECKING

from providers.bakkt.events import kind_of, parse_event
from providers.errors import Unreadable
from providers.inbox import Handler, Plan, Verdict
from providers.models import InboundEvent

if TYPE_CHECKING:
    from portal.models import User

_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Name the owner of a kind (`partnerWebhookType`)."""
    _handlers[kind] = handler


class ByKind:
    """The inbox's handler of Bakkt's events: hands each to the owner of its kind."""

    def plan(self, event: InboundEvent) -> Plan:
        """The owner's plan; quarantine where there is no owner."""
        try:
            parsed = parse_event(event.body.reveal().encode())
        except Unreadable as error:
            return Plan(Verdict.QUARANTINE, [f"The body cannot be read: {error}."])
        kind = kind_of(parsed)
        handler = _handlers.get(kind)
        if handler is not None:
            return handler.plan(event)
        return Plan(
            Verdict.QUARANTINE,
            [f"Nothing handles events of the kind {kind!r}."],
            kind=kind,
            provider_request_id=parsed.request_id,
            party_ref=parsed.party_ref,
        )

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """As the owner does."""
        _owner(event).apply(event, plan)

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: "User", reason: str) -> None:
        """As the owner does."""
        _owner(event).apply_held(event, plan, actor=actor, reason=reason)


def _owner(event: InboundEvent) -> Handler:
    return _handlers[kind_of(parse_event(event.body.reveal().encode()))]
