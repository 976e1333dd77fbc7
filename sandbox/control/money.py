"""What testers do to money: end or return a transfer, let a wire arrive, book what nobody asked for, spoil a link."""

import re
from typing import Any

from sandbox.bakkt import linking, transfers
from sandbox.control.actions import Refused, account_of, known
from sandbox.state import Json, Movement
from sandbox.world import World

MOST_CENTS = 10**14


def end(world: World, key: str, data: Json) -> None:
    """The movement comes to `status` now, with `reasonCode`. `key` is its id or the partner's reference."""
    known(data, {"status", "reasonCode"})
    if data.get("status") not in transfers.ENDS:
        raise Refused(f"status must be one of: {', '.join(transfers.ENDS)}")
    with world.change():
        movement = _movement(world, key)
        try:
            transfers.end(world, movement, data["status"], str(data.get("reasonCode") or ""))
        except transfers.Refused as problem:
            raise Refused(str(problem), 409) from None


def give_back(world: World, key: str, data: Json) -> None:
    """The bank returns the movement, with `reasonCode` R01 to R99."""
    known(data, {"reasonCode"})
    if not re.fullmatch(r"R[0-9]{2}", str(data.get("reasonCode", "")), re.ASCII):
        raise Refused("reasonCode must be R and two digits")
    end(world, key, {"status": "RETURNED", **data})


def wire_in(world: World, ref: str, data: Json) -> None:
    """A wire of `amount` arrives that nobody ordered; `reference` says whether it names the customer (true)."""
    known(data, {"amount", "reference"})
    named = data.get("reference", True)
    if not isinstance(named, bool):
        raise Refused("reference must be true or false")
    with world.change():
        transfers.wire_in(world, account_of(world, ref), _cents(data.get("amount")), with_reference=named)


def adjust(world: World, ref: str, data: Json) -> None:
    """Something nobody ordered is booked now: `amount`, `direction` (DEPOSIT), `instrumentType` (OTHER_ADJUSTMENT)."""
    known(data, {"amount", "direction", "instrumentType"})
    direction = data.get("direction", "DEPOSIT")
    instrument = data.get("instrumentType", "OTHER_ADJUSTMENT")
    if direction not in ("DEPOSIT", "WITHDRAW"):
        raise Refused("direction must be DEPOSIT or WITHDRAW")
    if instrument not in transfers.UNREQUESTED:
        raise Refused(f"instrumentType must be one of: {', '.join(transfers.UNREQUESTED)}")
    with world.change():
        transfers.unrequested(
            world, account_of(world, ref), instrument, direction, _cents(data.get("amount"))
        )


def bank_trouble(world: World, ref: str, data: Json) -> None:
    """From now on transfers over the linked bank are refused with `trouble`; empty: it works again."""
    known(data, {"trouble"})
    trouble = data.get("trouble", "")
    if trouble and trouble not in linking.TROUBLES:
        raise Refused(f"trouble must be empty or one of: {', '.join(linking.TROUBLES)}")
    with world.change():
        bank = linking.linked(world, account_of(world, ref).ref)
        if bank is None:
            raise Refused("The account has no linked bank.", 409)
        bank.trouble = trouble


def _movement(world: World, key: str) -> Movement:
    for movement in reversed(world.state.movements):
        if key in (movement.id, movement.reference):
            return movement
    raise Refused("There is no such movement.", 404)


def _cents(amount: Any) -> int:
    """Dollars and cents in a text such as "100.50"."""
    match = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{2}))?", str(amount or ""), re.ASCII)
    cents = int(match[1]) * 100 + int(match[2] or 0) if match and isinstance(amount, str) else 0
    if not 0 < cents < MOST_CENTS:
        raise Refused('amount must be a text such as "100.50"')
    return cents
