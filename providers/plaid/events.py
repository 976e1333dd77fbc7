"""Plaid's webhooks in the inbox: which app handles which, by webhook_type and webhook_code.

An app registers in its `ready()`: `events.register("ITEM", "ERROR", handler)`. What nobody handles waits in
quarantine for a person, but for what asks nothing of us.
"""

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from django.conf import settings

from portal.errors import Conflict
from providers.inbox import Plan, Verdict
from providers.models.inbound import InboundEvent
from providers.plaid.problems import PlaidProblem, problem_of_code

if TYPE_CHECKING:
    from portal.models import User

#: Registered as the code, for every code of a type that has no handler of its own.
ANY = "*"
#: Nothing follows from these (contract plaid.md, section 7).
INFORMATION = frozenset({("ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED"), ("LINK", "EVENTS")})


@dataclass(frozen=True, repr=False)
class Notice:
    """A webhook as Plaid writes it. `item_id` is "" for LINK notices, which name a `link_token` instead."""

    type: str
    code: str
    item_id: str
    account_id: str
    body: dict[str, Any]

    @property
    def link_token(self) -> str:
        return _text(self.body.get("link_token"))

    @property
    def public_tokens(self) -> list[str]:
        """Of SESSION_FINISHED and ITEM_ADD_RESULT; both may bring the same one."""
        several = self.body.get("public_tokens")
        found = several if isinstance(several, list) else []
        return list(
            dict.fromkeys(_text(one) for one in [*found, self.body.get("public_token")] if _text(one))
        )

    @property
    def finished_well(self) -> bool:
        """Of SESSION_FINISHED: the customer went through to the end."""
        return _text(self.body.get("status")).lower() == "success"

    @property
    def error_code(self) -> str:
        """Plaid's word for what is wrong with the Item, "" where nothing is said."""
        error = self.body.get("error")
        return _text(error.get("error_code")) if isinstance(error, dict) else ""

    @property
    def problem(self) -> PlaidProblem | None:
        return problem_of_code(self.error_code) if self.error_code else None

    def __repr__(self) -> str:
        return f"Notice({self.type}.{self.code})"


class Handler(Protocol):
    """The owner of a kind of notice; see providers.inbox.Handler. Plan and apply share a transaction."""

    def plan(self, event: InboundEvent, notice: Notice) -> Plan:
        """What the notice would change now. Changes nothing; locks what `apply` will write."""

    def apply(self, event: InboundEvent, notice: Notice, plan: Plan) -> None:
        """Make the change of an APPLY plan. Calls no provider: what has to be asked or told is an outbox row."""


_handlers: dict[tuple[str, str], Handler] = {}


def register(webhook_type: str, webhook_code: str, handler: Handler) -> None:
    """Name who handles a kind of notice; ANY as the code takes the rest of a type."""
    _handlers[webhook_type, webhook_code] = handler


def read_notice(text: str) -> Notice | None:
    """The notice in a stored body; None when it is none."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(body, dict)
        or not _text(body.get("webhook_type"))
        or not _text(body.get("webhook_code"))
    ):
        return None
    return Notice(
        type=_text(body["webhook_type"]).upper(),
        code=_text(body["webhook_code"]).upper(),
        item_id=_text(body.get("item_id")),
        account_id=_text(body.get("account_id")),
        body=body,
    )


class PlaidEvents:
    """The inbox's handler for Plaid: hands each notice to the app that registered for it."""

    def plan(self, event: InboundEvent) -> Plan:
        """The plan of the notice's owner, with its kind and Item filled in."""
        notice = read_notice(event.body.reveal())
        if notice is None:
            return Plan(Verdict.QUARANTINE, ["This is no notice of Plaid's."])
        plan = _plan(event, notice)
        return replace(
            plan,
            kind=plan.kind or f"{notice.type}.{notice.code}"[:64],
            party_ref=plan.party_ref or notice.item_id,
        )

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """Have the owner make its change."""
        notice = read_notice(event.body.reveal())
        handler = _handler(notice) if notice else None
        if notice is None or handler is None:
            raise LookupError("no handler for a planned notice")
        handler.apply(event, notice, plan)

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: "User", reason: str) -> None:
        """None of Plaid's notices is held for a person to apply."""
        raise Conflict("This webhook holds nothing that can be applied by hand.")


def _plan(event: InboundEvent, notice: Notice) -> Plan:
    said = _text(notice.body.get("environment"))
    if said and said != settings.PLAID_ENVIRONMENT:
        return Plan(Verdict.QUARANTINE, ["It comes from another environment of Plaid's than ours."])
    handler = _handler(notice)
    if handler is not None:
        return handler.plan(event, notice)
    if (notice.type, notice.code) in INFORMATION:
        return Plan(Verdict.NO_EFFECT, ["Information; nothing follows from it."])
    return Plan(Verdict.QUARANTINE, ["Nothing handles this kind of notice."])


def _handler(notice: Notice) -> Handler | None:
    return _handlers.get((notice.type, notice.code)) or _handlers.get((notice.type, ANY))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
