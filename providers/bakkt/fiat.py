"""Bakkt's fiat funding (`/partner/v1`): bank links, transfers, balance, wire instructions, transactions.

Contract bakkt-partner.md, sections 5.1 to 5.6. Calls that change something are never repeated here: the outbox
repeats those whose outcome is unknown, with the same key.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from portal.money import Money
from providers.bakkt import assumptions
from providers.bakkt.fiat_events import BankLink, Direction, Movement, bank_link_fields, movement_fields
from providers.bakkt.partner import PartnerApi
from providers.bakkt.reading import CURRENCY, money
from providers.errors import Conflict, Misconfigured, NotFound, Rejected, Unreadable
from providers.http import Call
from providers.wire import Wire

T = TypeVar("T")


class Rail(StrEnum):
    """The instruments the guide describes; the schema's DEBIT it does not."""

    ACH = "ACH"
    WIRE = "WIRE"


@dataclass(frozen=True, repr=False)
class WireDetails(Wire):
    """Where a wire withdrawal goes. Never printed."""

    NAMES = {
        "routing_number": "wireRoutingNumber",
        "account_number": "wireAccountNumber",
        "bank_name": "wireBankName",
        "bank_address": "wireBankAddress",
        "swift_code": "wireSwiftCode",
    }

    routing_number: str
    account_number: str
    bank_name: str
    bank_address: str
    swift_code: str | None = None


@dataclass(frozen=True, repr=False)
class WireInstructions(Wire):
    """Where a customer sends a wire; `reference` must stand in it. Never printed, never kept: it may change."""

    NAMES = {
        "reference": "wireReferenceNumber",
        "routing_number": "wireRoutingNumber",
        "account_number": "wireAccountNumber",
        "swift_code": "wireSwiftCode",
        "bank_name": "wireBankName",
        "bank_address": "wireBankAddress",
        "beneficiary_name": "wireBeneficiaryName",
        "beneficiary_address": "wireBeneficiaryAddress",
    }

    reference: str
    routing_number: str
    account_number: str
    swift_code: str
    bank_name: str
    bank_address: str
    beneficiary_name: str
    beneficiary_address: str


@dataclass(frozen=True)
class TransferOrder:
    """One transfer to ask for. `reference` is ours and unique; `idempotency_key` new for each new order.

    Raises ValueError for what the contract's schema would refuse: an amount that is not positive or not in USD, a
    wire withdrawal without `wire`, anything else with it.
    """

    direction: Direction
    rail: Rail
    amount: Money = field(repr=False)
    idempotency_key: str
    reference: str
    wire: WireDetails | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        Direction(self.direction), Rail(self.rail)
        if self.amount.minor <= 0 or self.amount.currency != CURRENCY:
            raise ValueError("an order needs a positive amount in USD")
        if not self.idempotency_key or not self.reference:
            raise ValueError("an order needs its key and its reference")
        outward = self.direction == Direction.WITHDRAW and self.rail == Rail.WIRE
        if outward is (self.wire is None):
            raise ValueError("a wire withdrawal, and nothing else, needs the details of the wire")

    def to_wire(self) -> dict[str, Any]:
        """The body of the call; the amount as an exact decimal."""
        body: dict[str, Any] = {
            "amount": self.amount.as_decimal(),
            "currency": self.amount.currency,
            "fiatTransactType": str(self.direction),
            "instrumentType": str(self.rail),
            "idempotencyKey": self.idempotency_key,
            "partnerTransactionRef": self.reference,
        }
        return body | ({"wireWithdrawDetails": self.wire.to_wire()} if self.wire else {})


@dataclass(frozen=True)
class TransferAccepted:
    """The order is with the provider. `replayed`: it had been before, this answer only says so again."""

    replayed: bool = False


@dataclass(frozen=True)
class PartyBalance:
    """What a customer holds in one currency: `settled` is usable, `unsettled` still on its way at Bakkt's bank."""

    currency: str
    settled: Money = field(repr=False)
    unsettled: Money = field(repr=False)


@dataclass(frozen=True)
class FiatTransaction(Movement):
    """A movement as the provider's own record shows it."""


@dataclass(frozen=True)
class TransactionPage:
    """Movements, newest first. `next_cursor` asks for the next page; empty at the end."""

    transactions: tuple[FiatTransaction, ...]
    next_cursor: str = ""


class FiatClient(PartnerApi):
    """Verbs of fiat funding; `party_ref` is our account key. Every method raises the errors of providers.errors.

    `reads_transactions` allows the two calls whose form no source publishes (contract, question 15), `reads_links`
    the one that reads a link by our reference.
    """

    def __init__(self, *, reads_transactions: bool = False, reads_links: bool = False, **common: Any) -> None:
        super().__init__(**common)
        self.reads_transactions = reads_transactions
        self.reads_links = reads_links

    def link_plaid(self, party_ref: str, *, processor_token: str, reference: str) -> None:
        """Hand over a Plaid processor token. Taken is not linked: BANK_ACCOUNT_LINK tells (question 29)."""
        body = {"processorToken": processor_token, "partnerTransactionRef": reference}
        self._change("bakkt.link_plaid", "/plaidAccount/link", party_ref, body)

    def link_bank(
        self, party_ref: str, *, account_number: str, routing_number: str, account_type: str, reference: str
    ) -> None:
        """Link a bank account by its numbers; see link_plaid. `account_type` is CHECKING or SAVINGS.

        Raises ValueError for another type.
        """
        if account_type not in assumptions.BANK_ACCOUNT_TYPES:
            raise ValueError("a bank account is CHECKING or SAVINGS")
        body = {
            "accountNumber": account_number,
            "routingNumber": routing_number,
            "accountType": assumptions.BANK_ACCOUNT_TYPES[account_type],
            "partnerTransactionRef": reference,
        }
        self._change("bakkt.link_bank", "/bankAccountLinking/ach", party_ref, body)

    def unlink(self, party_ref: str, *, instrument: str, reference: str) -> None:
        """Remove the customer's linked account of the instrument (ACH, DEBIT, TPJ, WIRE): there is one of each
        (question 30)."""
        body = {"instrumentType": instrument, "partnerTransactionRef": reference}
        self._change("bakkt.unlink_bank", "/bankAccountLinking/unlink", party_ref, body, tracked=True)

    def transfer(self, party_ref: str, *, order: TransferOrder) -> TransferAccepted:
        """Ask for a transfer. Accepted is not done: FIAT_EVENT tells what becomes of it.

        Every 2xx counts, whatever body it has (question 16). A 409 that answers our own key means that an earlier
        attempt arrived (question 17); any other 409 is raised as Conflict, a Rejected. After OutcomeUnknown the same
        order may be sent again for as long as the provider remembers its key (10 days); after Rejected never.
        """
        call = self._party_call(
            "bakkt.transfer",
            "POST",
            "/transfer",
            party_ref,
            json=order.to_wire(),
            status_alone=True,
            once=True,
        )
        try:
            return self._transport.call(call, lambda _: TransferAccepted())
        except Conflict as answer:
            if answer.code not in {"", assumptions.KEY_IN_USE}:
                raise
            return TransferAccepted(replayed=True)

    def balance(self, party_ref: str) -> list[PartyBalance]:
        """What the customer holds, one entry per currency."""
        call = self._party_call("bakkt.balance", "GET", "/fiatAccount/balance", party_ref)
        return self._transport.call(call, _balances(party_ref))

    def wire_instructions(self, party_ref: str) -> WireInstructions:
        """Where the customer sends a wire, as of now: call it each time they are shown."""
        call = self._party_call("bakkt.wire_instructions", "GET", "/wire-instructions", party_ref)
        return self._transport.call(call, WireInstructions.from_wire)

    def transaction(self, party_ref: str, reference: str) -> FiatTransaction | None:
        """The provider's record of our reference; None when it knows none. Raises Misconfigured when such reads
        are off."""
        self._require_reads()
        call = self._party_call(
            "bakkt.read_transaction",
            "GET",
            assumptions.TRANSACTION_PATH,
            party_ref,
            path={"partnerTransactionRef": reference},
        )
        return self._read(call, _transaction, missing=assumptions.TRANSACTION_NOT_FOUND)

    def bank_link(self, party_ref: str, reference: str) -> BankLink | None:
        """The provider's record of the link that was asked for under our reference; None when it knows none. Raises
        Misconfigured when such reads are off."""
        if not self.reads_links:
            raise Misconfigured("Reading links is off until Bakkt confirms its form", code="link_reads_off")
        call = self._party_call(
            "bakkt.read_link",
            "GET",
            assumptions.LINK_PATH,
            party_ref,
            path={"partnerTransactionRef": reference},
        )
        return self._read(call, _link, missing=assumptions.LINK_NOT_FOUND)

    def _read(self, call: Call, read: Callable[[Any], T], *, missing: str) -> T | None:
        """The record; None where the provider has none, which it says with a 404 or this code."""
        try:
            return self._transport.call(call, read)
        except NotFound:
            return None
        except Rejected as answer:
            if answer.code != missing:
                raise
            return None

    def transactions(
        self, party_ref: str, *, since: datetime, until: datetime, cursor: str = ""
    ) -> TransactionPage:
        """A page of the customer's movements between two moments; `cursor` is the page's before. Raises
        Misconfigured when such reads are off."""
        self._require_reads()
        query = {assumptions.TRANSACTIONS_SINCE: _iso(since), assumptions.TRANSACTIONS_UNTIL: _iso(until)}
        if cursor:
            query[assumptions.TRANSACTIONS_CURSOR] = cursor
        call = self._party_call(
            "bakkt.list_transactions", "GET", assumptions.TRANSACTIONS_PATH, party_ref, query=query
        )
        return self._transport.call(call, _page)

    def _change(self, operation: str, tail: str, party_ref: str, body: dict[str, str], **more: Any) -> None:
        """A call that answers `{success}`. A `success` of false is a refusal without words."""
        call = self._party_call(operation, "POST", tail, party_ref, json=body, **more)
        if not self._transport.call(call, _success):
            raise Rejected("The provider answered that it did not do it", status=200, code="SUCCESS_FALSE")

    def _require_reads(self) -> None:
        if not self.reads_transactions:
            raise Misconfigured(
                "Reading transactions is off until Bakkt confirms its form", code="transaction_reads_off"
            )


def _success(body: Any) -> bool:
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        raise Unreadable("the reply does not say whether it succeeded")
    return bool(body["success"])


def _balances(party_ref: str) -> Callable[[Any], list[PartyBalance]]:
    def read(body: Any) -> list[PartyBalance]:
        if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
            raise Unreadable("the balance is not a list of objects")
        if any(entry.get("partnerPartyRef") != party_ref for entry in body):
            raise Unreadable("the balance is another customer's")
        return [
            PartyBalance(
                str(entry.get("currency")),
                money(entry.get("settledAmount"), entry.get("currency")),
                money(entry.get("unsettledAmount"), entry.get("currency")),
            )
            for entry in body
        ]

    return read


def _transaction(body: Any) -> FiatTransaction:
    if not isinstance(body, dict):
        raise Unreadable("the transaction is not an object")
    return FiatTransaction(**movement_fields(body))


def _link(body: Any) -> BankLink:
    if not isinstance(body, dict):
        raise Unreadable("the link is not an object")
    return BankLink(**bank_link_fields(body))


def _page(body: Any) -> TransactionPage:
    cursor = ""
    if isinstance(body, dict):
        cursor = body.get(assumptions.TRANSACTIONS_NEXT_CURSOR) or ""
        body = body.get(assumptions.TRANSACTIONS_LIST)
    if not isinstance(body, list) or not isinstance(cursor, str):
        raise Unreadable("the transactions are not a list")
    return TransactionPage(tuple(_transaction(entry) for entry in body), cursor)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
