"""The calls of fiat funding, `/partner/v1`: links, transfers, balance, wire instructions, reads. Wire contract, 5."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.urls import path

from sandbox import deliveries, faults
from sandbox.bakkt import ledger, linking, transfers
from sandbox.bakkt.partner import FAMILY, PARTY, bad_field, error, problem
from sandbox.bakkt.schema import FORMS, RULE, Amount, Failures, Object, Text
from sandbox.endpoint import Answer, Request, endpoint
from sandbox.state import Account, Json, Movement, Webhook
from sandbox.world import World

KEY_MEMORY_SECONDS = 10 * 86400.0
LEAST_WITHDRAWAL_CENTS = 1000
NOT_OURS = "00000000-0000-0000-0000-000000000000"
SUCCESS = {"success": True}

NUMBER = Text(form="an account number of 4 to 17 digits")
ROUTING = Text(form="a routing number of nine digits that add up")
TYPE = Text(choices=frozenset({"CHECKING", "SAVINGS"}))
REF = Text()
PLAID = Object(required={"processorToken": REF, "partnerTransactionRef": REF})
BANK = Object(
    required={
        "accountNumber": NUMBER,
        "routingNumber": ROUTING,
        "accountType": TYPE,
        "partnerTransactionRef": REF,
    }
)
TEST_BANK = Object(
    required={"accountNumber": NUMBER, "routingNumber": ROUTING, "accountType": TYPE},
    optional={"accountDisplayName": REF, "accountStatus": REF, "bankName": REF},
)
UNLINK = Object(
    required={
        "instrumentType": Text(choices=frozenset({"ACH", "DEBIT", "TPJ", "WIRE"})),
        "partnerTransactionRef": REF,
    }
)
UNLINK_LEGACY = Object(required={"instrumentType": Text(choices=frozenset({"ACH", "DEBIT"}))})


def _wire_rule(body: Json, path: str, failures: Failures) -> None:
    """A wire withdrawal says where it goes: an account, and a bank by routing number or SWIFT code (ours)."""
    if body.get("fiatTransactType") != "WITHDRAW" or body.get("instrumentType") != "WIRE":
        return
    details = body.get("wireWithdrawDetails")
    if not isinstance(details, dict):
        failures.add(RULE, "wireWithdrawDetails", "is required for a wire withdrawal")
        return
    if not details.get("wireAccountNumber"):
        failures.add(RULE, "wireWithdrawDetails.wireAccountNumber", "is required")
    if not (details.get("wireRoutingNumber") or details.get("wireSwiftCode")):
        failures.add(
            RULE, "wireWithdrawDetails.wireRoutingNumber", "is required, unless there is a SWIFT code"
        )


TRANSFER = Object(
    required={
        "amount": Amount(),
        "currency": Text(choices=frozenset({"USD"})),
        "fiatTransactType": Text(choices=frozenset({"DEPOSIT", "WITHDRAW"})),
        "instrumentType": Text(choices=frozenset({"ACH", "DEBIT", "WIRE"})),
        "idempotencyKey": REF,
        "partnerTransactionRef": REF,
    },
    optional={
        "wireWithdrawDetails": Object(
            required={},
            optional={
                "wireRoutingNumber": ROUTING,
                "wireAccountNumber": REF,
                "wireBankName": REF,
                "wireBankAddress": REF,
                "wireSwiftCode": REF,
            },
        )
    },
    rule=_wire_rule,
)


def _refusal(kind: str, text: str) -> Answer:
    return Answer(400, problem(kind, kind.lower().replace("_", " "), text))


def _check(kind: Object, body: Any) -> None:
    """Raises Answer 400 with everything that is wrong."""
    failures = Failures()
    kind.check(body, "", failures)
    if failures:
        details = [
            {
                "type": "VALIDATION_ERROR",
                "field": failure["field"],
                "description": failure["message"],
                "rejectedValue": failure.get("rejectedValue"),
            }
            for failure in failures
        ]
        raise Answer(400, problem("INVALID_FIELD_VALUE", "validation error", failures[0]["message"], details))


def _party(world: World, partner: str, ref: str) -> Account:
    """The customer. Raises Answer 400 for a partner or a customer nobody knows."""
    if not FORMS["a UUID"](partner):
        raise Answer(400, bad_field("partnerId", "Not a UUID", partner))
    if partner == NOT_OURS:
        raise _refusal("INVALID_PARTNER_ID", "These credentials are not the partner's")
    account = world.state.accounts.get(ref)
    if account is None:
        raise _refusal("PARTY_ACCOUNT_NOT_FOUND", "Unknown party")
    return account


def _usable(world: World, partner: str, ref: str) -> Account:
    """The customer, who may use the service. Raises Answer 400."""
    account = _party(world, partner, ref)
    if not world.state.settings.funding_enabled:
        raise _refusal("PARTNER_INVALID_OPERATION", "The partner has no service FUND_TRANSFER")
    if account.status == "SUSPENDED":
        raise _refusal("PARTY_SUSPENDED", "Customer account is suspended")
    if account.status not in ("ACTIVE", "LIQUIDATED"):
        raise _refusal("PARTY_INVALID_OPERATION", "Customer account is not active")
    return account


def _early(world: World, event: str, fire: Callable[[], list[Webhook]]) -> list[Webhook]:
    """With the fault "early" the first event of what was just begun, to be sent before the answer."""
    hooks = fire() if faults.take(world, "webhook_early", event) else []
    deliveries.keep_for_caller(hooks)
    return hooks


def _unused(world: World, reference: str) -> None:
    """A reference of a link or an unlink names one request. Raises Answer 409, as for a transfer's key."""
    if reference and any(reference in (bank.reference, bank.unlink_reference) for bank in world.state.banks):
        known = problem("IDEMPOTENCY_KEY_IN_USE", "reference in use", "The reference was used before")
        raise Answer(409, known | {"originalResponse": {"status": 200, "body": SUCCESS}})


def _link(
    world: World, account: Account, body: Json, *, tail: str, test: str, item: str = ""
) -> list[Webhook]:
    _unused(world, body["partnerTransactionRef"])
    bank = linking.start(
        world, account, reference=body["partnerTransactionRef"], tail=tail, test=test, item=item
    )
    return _early(world, "BANK_ACCOUNT_LINK", lambda: linking.fire(world, bank))


@endpoint("link_plaid", method="POST", family=FAMILY, error=error)
def link_plaid(world: World, request: Request, partner: str, ref: str) -> Json:
    """Any token is taken. One that Plaid's stand-in gave brings its account; in another a word decides what becomes of
    the link (docs/sandbox.md)."""
    _check(PLAID, request.body)
    token = request.body["processorToken"]
    with world.change():
        account = _usable(world, partner, ref)
        item = linking.issuer(world, token)
        if item:
            chosen = item.processors[token]
            tail = next((str(one["mask"]) for one in item.accounts if one["account_id"] == chosen), "")
            early = _link(world, account, request.body, tail=tail, test="", item=item.id)
        else:
            if "wrong" in token.lower():
                raise _refusal("PLAID_ACCOUNT_NOT_FOUND", "Plaid knows no such processor token")
            test = next((word for word in linking.TEST_BANKS if word in token.lower()), "")
            early = _link(world, account, request.body, tail="", test=test)
    deliveries.send_early(world, early)
    return SUCCESS


@endpoint("link_bank", method="POST", family=FAMILY, error=error)
def link_bank(world: World, request: Request, partner: str, ref: str) -> Json:
    _check(BANK, request.body)
    tail = request.body["accountNumber"][-4:]
    with world.change():
        account = _usable(world, partner, ref)
        early = _link(world, account, request.body, tail=tail, test=linking.TEST_ENDINGS.get(tail, ""))
    deliveries.send_early(world, early)
    return SUCCESS


@endpoint("add_test_bank", method="POST", family=FAMILY, error=error)
def add_test_bank(world: World, request: Request, partner: str, ref: str) -> Json:
    _check(TEST_BANK, request.body)
    with world.change():
        linking.attach(world, _usable(world, partner, ref), tail=request.body["accountNumber"][-4:])
    return SUCCESS


def _unlink(world: World, partner: str, ref: str, body: Json) -> Json:
    with world.change():
        account = _party(world, partner, ref)
        reference = body.get("partnerTransactionRef", "")
        if linking.any_live(world, account, body["instrumentType"]):
            _unused(world, reference)
        if not linking.unlink(world, account, instrument=body["instrumentType"], reference=reference):
            raise _refusal("LINKED_BANK_ACCOUNT_NOT_FOUND", "No account of this instrument is linked")
    return SUCCESS


@endpoint("unlink_bank", method="POST", family=FAMILY, error=error)
def unlink_bank(world: World, request: Request, partner: str, ref: str) -> Json:
    _check(UNLINK, request.body)
    return _unlink(world, partner, ref, request.body)


@endpoint("unlink_bank_legacy", method="POST", family=FAMILY, error=error)
def unlink_bank_legacy(world: World, request: Request, partner: str, ref: str) -> JsonResponse:
    """Deprecated, and answers 201."""
    _check(UNLINK_LEGACY, request.body)
    return JsonResponse(_unlink(world, partner, ref, request.body), status=201)


@endpoint("transfer", method="POST", family=FAMILY, error=error)
def transfer(world: World, request: Request, partner: str, ref: str) -> HttpResponse:
    """200 without a body. A key that was used answers 409 before anything else is looked at but the form."""
    body = request.exact
    _check(TRANSFER, body)
    with world.change() as state:
        _forget_keys(world)
        if used := state.keys.get(body["idempotencyKey"]):
            text = "The idempotency key is in use"
            known = problem("IDEMPOTENCY_KEY_IN_USE", "idempotency key in use", text)
            raise Answer(409, known | {"originalResponse": {"status": 200, "body": None}} | used["told"])
        account = _usable(world, partner, ref)
        cents = int(Decimal(body["amount"]) * 100)
        _allow(world, account, body, cents)
        state.keys[body["idempotencyKey"]] = {
            "at": world.clock.now(),
            "told": {"partnerTransactionRef": body["partnerTransactionRef"]},
        }
        movement = transfers.order(world, account, body, cents)
        early = _early(world, "FIAT_EVENT", lambda: _first(world, movement))
    deliveries.send_early(world, early)
    return HttpResponse(content_type="application/json")


def _first(world: World, movement: Movement) -> list[Webhook]:
    return transfers.fire(world, movement) if movement.steps else []


def _forget_keys(world: World) -> None:
    """Keys are remembered for ten days (seed 001); then they are as new."""
    until = world.clock.now() - KEY_MEMORY_SECONDS
    world.state.keys = {key: kept for key, kept in world.state.keys.items() if kept["at"] > until}


def _allow(world: World, account: Account, body: Json, cents: int) -> None:
    """What the business refuses. Raises Answer 400."""
    ref, out = account.ref, body["fiatTransactType"] == "WITHDRAW"
    if any(m.account == ref and m.reference == body["partnerTransactionRef"] for m in world.state.movements):
        text = "The reference was used before"
        raise Answer(400, bad_field("partnerTransactionRef", text, body["partnerTransactionRef"]))
    if account.status == "LIQUIDATED" and not out:
        raise _refusal("OPERATION_NOT_ALLOWED", "The customer may only sell and withdraw")
    if body["instrumentType"] == "DEBIT":
        raise _refusal("OPERATION_NOT_ALLOWED", "Debit cards are not enabled")
    if body["instrumentType"] == "ACH":
        bank = linking.linked(world, ref)
        if bank is None:
            raise _refusal("LINKED_BANK_ACCOUNT_NOT_FOUND", "The customer has no active linked bank account")
        if trouble := linking.trouble_of(world, bank):
            raise _refusal(trouble, "The linked bank account cannot be used")
    if out and cents < LEAST_WITHDRAWAL_CENTS:
        raise Answer(
            400, bad_field("amount", "Amount is under the withdrawal minimum of USD 10", str(body["amount"]))
        )
    if out and cents > ledger.balance(world, ref)["settled"]:
        raise _refusal("INSUFFICIENT_BALANCE", "Not enough settled money")


@endpoint("read_balance", method="GET", family=FAMILY, error=error)
def read_balance(world: World, request: Request, partner: str, ref: str) -> list[Json]:
    with world.look():
        held = ledger.balance(world, _party(world, partner, ref).ref)
    return [
        {
            "partnerPartyRef": ref,
            "currency": "USD",
            "settledAmount": ledger.number(held["settled"]),
            "unsettledAmount": ledger.number(held["unsettled"]),
        }
    ]


def wire_reference(account: Account) -> str:
    """The customer's own reference on wires."""
    return f"SB{account.id[:8].upper()}"


@endpoint("wire_instructions", method="GET", family=FAMILY, error=error)
def wire_instructions(world: World, request: Request, partner: str, ref: str) -> Json:
    with world.look():
        account = _usable(world, partner, ref)
    return {
        "wireReferenceNumber": wire_reference(account),
        "wireRoutingNumber": "110000000",
        "wireAccountNumber": "000000000000",
        "wireSwiftCode": "XXXXXX00",
        "wireBankName": "Stand-in Bank (not real)",
        "wireBankAddress": "1 Sandbox Street, Nowhere",
        "wireBeneficiaryName": "Stand-in, not Bakkt",
        "wireBeneficiaryAddress": "1 Sandbox Street, Nowhere",
    }


@endpoint("list_transactions", method="GET", family=FAMILY, error=error)
def list_transactions(world: World, request: Request, partner: str, ref: str) -> list[Json]:
    """Newest first; `from` and `to` are compared with when a movement began, in real time. Assumed as a whole."""
    since, until = _moment(request, "from", 0.0), _moment(request, "to", float("inf"))
    with world.look() as state:
        account = _party(world, partner, ref)
        found = [m for m in state.movements if m.account == account.ref and since <= m.created <= until]
        return [transfers.shown(world, movement) for movement in reversed(found)]


def _moment(request: Request, name: str, otherwise: float) -> float:
    text = request.plain.GET.get(name)
    if not text:
        return otherwise
    if not FORMS["a date and time with its zone, ISO 8601"](text):
        raise Answer(400, bad_field(name, "must be a date and time with its zone, ISO 8601", text))
    return datetime.fromisoformat(text).timestamp()


@endpoint("read_transaction", method="GET", family=FAMILY, error=error)
def read_transaction(world: World, request: Request, partner: str, ref: str, reference: str) -> Json:
    """A movement, or a link, by the reference under which it was asked for. Assumed as a whole."""
    with world.look() as state:
        account = _party(world, partner, ref)
        for movement in state.movements:
            if movement.account == account.ref and movement.reference == reference:
                return transfers.shown(world, movement)
        for bank in state.banks:
            if bank.account == account.ref and bank.reference == reference:
                return {"partnerPartyRef": ref, **linking.told(world, bank, reference)}
    raise _refusal("TRANSACTION_NOT_FOUND", "Unknown reference")


urlpatterns = [
    path(f"{PARTY}/plaidAccount/link", link_plaid),
    path(f"{PARTY}/bankAccountLinking/ach", link_bank),
    path(f"{PARTY}/bankAccountLinking/unlink", unlink_bank),
    path(f"{PARTY}/bankAccount", add_test_bank),
    path(f"{PARTY}/fiatAccount/unlink", unlink_bank_legacy),
    path(f"{PARTY}/fiatAccount/balance", read_balance),
    path(f"{PARTY}/transfer", transfer),
    path(f"{PARTY}/wire-instructions", wire_instructions),
    path(f"{PARTY}/transactions", list_transactions),
    path(f"{PARTY}/transactions/<str:reference>", read_transaction),
]
