"""Bakkt's webhooks, read into types. Contract bakkt-partner.md, section 7; questions 7 to 9. What money and bank links
send is read in fiat_events.py.

Reading is tolerant: statuses and reasons are kept verbatim, extra fields ignored, a field of another form
is empty. Which words are known, and what they mean, is for the apps that act on them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.bakkt.fiat_events import BankLinkEvent, FiatEvent, bank_link_event, fiat_event
from providers.bakkt.links import expiry, usable_url
from providers.bakkt.reading import word
from providers.errors import Unreadable

#: The kinds of webhooks, by which apps register for them (providers/bakkt/routing.py).
PARTY_EVENT = "PARTY_EVENT"
BANK_ACCOUNT_LINK = "BANK_ACCOUNT_LINK"
FIAT_EVENT = "FIAT_EVENT"


@dataclass(frozen=True)
class PartyEvent:
    """A customer's standing changed. `status` and `reason` are the provider's words; the link may start the
    check."""

    request_id: str
    party_ref: str
    status: str
    reason: str
    verification_url: str | None = field(repr=False, default=None)
    verification_url_expiry: datetime | None = None


@dataclass(frozen=True)
class UnknownEvent:
    """A kind nobody knows; `kind` is its `partnerWebhookType`, empty when it has none."""

    request_id: str
    party_ref: str
    kind: str


Event = PartyEvent | BankLinkEvent | FiatEvent | UnknownEvent


def kind_of(event: Event) -> str:
    """The event's `partnerWebhookType`."""
    return event.kind if isinstance(event, UnknownEvent) else _KINDS[type(event)]


def parse_event(raw: bytes, *, local_origin: str = "") -> Event:
    """The event in a webhook's body. Raises Unreadable when the body is not a JSON object.

    `local_origin` is that of the stand-in, whose links are plain http.
    """
    try:
        body = json.loads(raw, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Unreadable("the body is not JSON") from None
    if not isinstance(body, dict):
        raise Unreadable("the body is not an object")
    kind = word(body, "partnerWebhookType")
    if kind == PARTY_EVENT:
        return _party(body, local_origin)
    read = _READERS.get(kind)
    if read is None:
        return UnknownEvent(word(body, "requestId"), word(body, "partnerPartyRef"), kind)
    return read(body)


def _party(body: dict[str, Any], local_origin: str) -> PartyEvent:
    return PartyEvent(
        request_id=word(body, "requestId"),
        party_ref=word(body, "partnerPartyRef"),
        status=word(body, "partyStatus"),
        reason=word(body, "reasonCode"),
        verification_url=usable_url(body.get("verificationURL"), local_origin=local_origin),
        verification_url_expiry=expiry(body),
    )


_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    BANK_ACCOUNT_LINK: bank_link_event,
    FIAT_EVENT: fiat_event,
}
_KINDS: dict[type, str] = {
    PartyEvent: PARTY_EVENT,
    BankLinkEvent: BANK_ACCOUNT_LINK,
    FiatEvent: FIAT_EVENT,
}
