"""Bakkt's webhooks, read into types. Contract bakkt-partner.md, section 7; questions 7 to 9, 13 and 14.

Reading is tolerant: statuses and reasons are kept verbatim, extra fields ignored, a field of another form
is empty. Which words are known, and what they mean, is for the apps that act on them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.bakkt.links import expiry, usable_url
from providers.errors import Unreadable

LONGEST_WORD = 255


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
class BankAccountLinkEvent:
    """A bank link changed. Fields beyond the reference are assumed (contract, question 14)."""

    request_id: str
    party_ref: str
    transaction_ref: str
    status: str
    reason: str


@dataclass(frozen=True)
class FiatEvent:
    """Money moved, or a movement changed. Fees and adjustments come without a `transaction_ref` of ours."""

    request_id: str
    party_ref: str
    transaction_ref: str
    transaction_type: str
    status: str
    instrument: str
    reason: str
    amount: Decimal | None = field(repr=False, default=None)
    currency: str = ""


@dataclass(frozen=True)
class UnknownEvent:
    """A kind nobody knows; `kind` is its `partnerWebhookType`, empty when it has none."""

    request_id: str
    party_ref: str
    kind: str


Event = PartyEvent | BankAccountLinkEvent | FiatEvent | UnknownEvent


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
    kind = _word(body, "partnerWebhookType")
    if kind == "PARTY_EVENT":
        return _party(body, local_origin)
    read = _READERS.get(kind)
    if read is None:
        return UnknownEvent(_word(body, "requestId"), _word(body, "partnerPartyRef"), kind)
    return read(body)


def _party(body: dict[str, Any], local_origin: str) -> PartyEvent:
    return PartyEvent(
        request_id=_word(body, "requestId"),
        party_ref=_word(body, "partnerPartyRef"),
        status=_word(body, "partyStatus"),
        reason=_word(body, "reasonCode"),
        verification_url=usable_url(body.get("verificationURL"), local_origin=local_origin),
        verification_url_expiry=expiry(body),
    )


def _bank_account_link(body: dict[str, Any]) -> BankAccountLinkEvent:
    return BankAccountLinkEvent(
        request_id=_word(body, "requestId"),
        party_ref=_word(body, "partnerPartyRef"),
        transaction_ref=_word(body, "partnerTransactionRef"),
        status=_word(body, "status"),
        reason=_word(body, "reasonCode"),
    )


def _fiat(body: dict[str, Any]) -> FiatEvent:
    return FiatEvent(
        request_id=_word(body, "requestId"),
        party_ref=_word(body, "partnerPartyRef"),
        transaction_ref=_word(body, "partnerTransactionRef"),
        transaction_type=_word(body, "fiatTransactionType"),
        status=_word(body, "transactionStatus"),
        instrument=_word(body, "instrumentType"),
        reason=_word(body, "reasonCode"),
        amount=_amount(body.get("amount")),
        currency=_word(body, "currency"),
    )


def _word(body: dict[str, Any], name: str) -> str:
    """A short text as it came, without the NUL bytes and lone surrogates a database column cannot hold; empty
    for anything else."""
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:LONGEST_WORD]


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() else None


_READERS: dict[str, Callable[[dict[str, Any]], Event]] = {
    "BANK_ACCOUNT_LINK": _bank_account_link,
    "FIAT_EVENT": _fiat,
}
