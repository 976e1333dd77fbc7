"""FIAT_EVENT and BANK_ACCOUNT_LINK, read into types. Contract bakkt-partner.md, sections 7.3 and 7.4; questions 13
and 14.

Only `fiatTransactionType`, `transactionStatus`, the instrument type and `reasonCode` are names known for certain, and
no literal of a status is published: words are kept verbatim, and what they mean stands in the tables below alone. A
word that is in no table has no meaning here; a person decides.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.money import Money
from providers.bakkt import assumptions
from providers.bakkt.reading import moment, money_or_none, word


class FiatStatus(StrEnum):
    """What became of a movement of money. A completed ACH movement may still be returned."""

    PENDING = "pending"
    COMPLETED = "completed"
    DECLINED = "declined"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class LinkStatus(StrEnum):
    """What became of a linked bank account."""

    PENDING = "pending"
    LINKED = "linked"
    FAILED = "failed"
    UNLINKED = "unlinked"


class Direction(StrEnum):
    """Into the customer's account at Bakkt, or out of it. The values are the wire's own words."""

    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"


class Kind(StrEnum):
    """Why money moved: asked for, the cash leg of a trade, a fee, or a correction nobody asked for."""

    TRANSFER = "transfer"
    TRADE = "trade"
    FEE = "fee"
    ADJUSTMENT = "adjustment"


#: Their status words, compared in upper case (question 13).
STATUSES = {
    "PENDING": FiatStatus.PENDING,
    "COMPLETE": FiatStatus.COMPLETED,
    "COMPLETED": FiatStatus.COMPLETED,
    "SUCCESS": FiatStatus.COMPLETED,
    "DECLINED": FiatStatus.DECLINED,
    "FAILED": FiatStatus.FAILED,
    "ERROR": FiatStatus.FAILED,
    "RETURNED": FiatStatus.RETURNED,
    "CANCELLED": FiatStatus.CANCELLED,
    "CANCELED": FiatStatus.CANCELLED,
}
#: The allocation calls of the same provider write WITHDRAWAL where the transfer call writes WITHDRAW.
DIRECTIONS = {
    "DEPOSIT": Direction.DEPOSIT,
    "WITHDRAW": Direction.WITHDRAW,
    "WITHDRAWAL": Direction.WITHDRAW,
}
#: The published instrument types. All but the first three come without any request of ours.
INSTRUMENTS = {
    "ACH": Kind.TRANSFER,
    "DEBIT": Kind.TRANSFER,
    "WIRE": Kind.TRANSFER,
    "TPJ": Kind.TRADE,
    "ACH_RETURN_FEE": Kind.FEE,
    "PARTNER_WRITE_OFF": Kind.ADJUSTMENT,
    "BAKKT_WRITE_OFF": Kind.ADJUSTMENT,
    "DECEASED_PARTY": Kind.ADJUSTMENT,
    "OTHER_ADJUSTMENT": Kind.ADJUSTMENT,
}
#: Words of a bank link (question 14). An unknown one leaves the link as it is.
LINK_STATUSES = {
    "PENDING": LinkStatus.PENDING,
    "LINKED": LinkStatus.LINKED,
    "ACTIVE": LinkStatus.LINKED,
    "COMPLETE": LinkStatus.LINKED,
    "COMPLETED": LinkStatus.LINKED,
    "SUCCESS": LinkStatus.LINKED,
    "FAILED": LinkStatus.FAILED,
    "ERROR": LinkStatus.FAILED,
    "DECLINED": LinkStatus.FAILED,
    "UNLINKED": LinkStatus.UNLINKED,
}


@dataclass(frozen=True)
class Movement:
    """One movement of money as the provider tells of it.

    `reference` is our `partnerTransactionRef`, empty for what we did not ask for. `word` and `type_word` are the
    provider's own words of the status and of the direction; `status`, `direction` and `kind` what they mean, None
    for a word or an instrument nobody knows. `reason_code` may be an ACH return code. `provider_id` and `at` are
    empty where the provider names none.
    """

    party_ref: str
    reference: str
    kind: Kind | None
    direction: Direction | None
    type_word: str
    instrument: str
    word: str
    status: FiatStatus | None
    amount: Money | None = field(repr=False)
    reason_code: str
    provider_id: str
    at: datetime | None


@dataclass(frozen=True)
class FiatEvent(Movement):
    """A FIAT_EVENT. `request_id` may repeat across the events of one request."""

    request_id: str


@dataclass(frozen=True)
class BankLink:
    """A linked bank account as the provider tells of it. `word` is its own, `status` None for one nobody knows."""

    party_ref: str
    reference: str
    word: str
    status: LinkStatus | None
    reason_code: str
    at: datetime | None


@dataclass(frozen=True)
class BankLinkEvent(BankLink):
    """A BANK_ACCOUNT_LINK."""

    request_id: str


def movement_fields(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Movement in an event or in a reply about a transaction."""
    type_word, status, instrument = (
        word(body, name) for name in ("fiatTransactionType", "transactionStatus", "instrumentType")
    )
    return {
        "party_ref": word(body, "partnerPartyRef"),
        "reference": word(body, "partnerTransactionRef"),
        "kind": INSTRUMENTS.get(instrument.upper()),
        "direction": DIRECTIONS.get(type_word.upper()),
        "type_word": type_word,
        "instrument": instrument,
        "word": status,
        "status": STATUSES.get(status.upper()),
        "amount": money_or_none(body),
        "reason_code": word(body, "reasonCode"),
        "provider_id": word(body, *assumptions.FIAT_PROVIDER_IDS),
        "at": moment(body, assumptions.FIAT_MOMENTS),
    }


def fiat_event(body: dict[str, Any]) -> FiatEvent:
    """The FIAT_EVENT in a parsed webhook body."""
    return FiatEvent(**movement_fields(body), request_id=word(body, "requestId"))


def bank_link_fields(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a BankLink in an event or in a reply about a link."""
    status = word(body, "status")
    return {
        "party_ref": word(body, "partnerPartyRef"),
        "reference": word(body, "partnerTransactionRef"),
        "word": status,
        "status": LINK_STATUSES.get(status.upper()),
        "reason_code": word(body, "reasonCode"),
        "at": moment(body, assumptions.FIAT_MOMENTS),
    }


def bank_link_event(body: dict[str, Any]) -> BankLinkEvent:
    """The BANK_ACCOUNT_LINK in a parsed webhook body."""
    return BankLinkEvent(**bank_link_fields(body), request_id=word(body, "requestId"))
