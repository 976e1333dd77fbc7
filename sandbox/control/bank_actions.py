"""What testers do to the banks behind Plaid's stand-in. See actions.py."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.control.actions import Refused, known
from sandbox.plaid import banks
from sandbox.state import Item, Json
from sandbox.world import World

VERIFICATION = {
    "automatically_verified": "AUTOMATICALLY_VERIFIED",
    "verification_expired": "VERIFICATION_EXPIRED",
}


def owner_set(world: World, item_id: str, data: Json) -> None:
    """How the bank's owner compares from now on: `owner`, one of banks.OWNERS."""
    if data.get("owner") not in banks.OWNERS:
        raise Refused(f"owner must be one of: {', '.join(banks.OWNERS)}")
    with world.change():
        bank_of(world, item_id).owner = data["owner"]


def login_reset(world: World, item_id: str) -> None:
    """The login stops working; an ITEM ERROR webhook says so."""
    with world.change():
        banks.reset_login(world, bank_of(world, item_id))


def webhook_fire(world: World, item_id: str, data: Json) -> None:
    """Send `code`, one of banks.FIRED, about the Item."""
    if data.get("code") not in banks.FIRED:
        raise Refused(f"code must be one of: {', '.join(banks.FIRED)}")
    with world.change():
        if not banks.fire(world, bank_of(world, item_id), data["code"]):
            raise Refused("The Item has no webhook address.", 409)


def balance_set(world: World, item_id: str, data: Json) -> None:
    """What the account ending in `mask` holds: `available` and `current` in dollars; null: the bank does not tell."""
    known(data, {"mask", "available", "current"})
    with world.change():
        bank = bank_of(world, item_id)
        account = next((one for one in bank.accounts if one["mask"] == data.get("mask")), None)
        if account is None:
            raise Refused("The Item has no account with that mask.", 404)
        amounts: Json = {name: _cents(name, data[name]) for name in ("available", "current") if name in data}
        if all({**account, **amounts}[name] is None for name in ("available", "current")):
            raise Refused("available and current are never both null")
        account.update(amounts)


def verification_set(world: World, item_id: str, data: Json) -> None:
    """How the small deposits on the account ending in `mask` came out: `status`; an AUTH webhook says so."""
    status = data.get("status")
    if status not in VERIFICATION:
        raise Refused(f"status must be one of: {', '.join(VERIFICATION)}")
    with world.change():
        bank = bank_of(world, item_id)
        account = next((one for one in bank.accounts if one["mask"] == data.get("mask")), None)
        if account is None:
            raise Refused("The Item has no account with that mask.", 404)
        account["verification_status"] = status
        banks.tell(world, bank, "AUTH", VERIFICATION[status], {"account_id": account["account_id"]})


def institution_down(world: World, institution: str, *, down: bool) -> None:
    """The bank cannot be reached, or can again."""
    if institution not in banks.INSTITUTIONS:
        raise Refused(f"institution must be one of: {', '.join(banks.INSTITUTIONS)}", 404)
    with world.change() as state:
        state.banks_down[:] = [one for one in state.banks_down if one != institution]
        if down:
            state.banks_down.append(institution)


def bank_of(world: World, item_id: str) -> Item:
    """The Item. Raises Refused 404."""
    bank = world.state.items.get(item_id)
    if bank is None:
        raise Refused("There is no such Item.", 404)
    return bank


def _cents(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        amount = Decimal(str(value)).scaleb(2)
    except InvalidOperation:
        raise Refused(f"{name} must be an amount such as 100.50") from None
    if not amount.is_finite() or amount != amount.to_integral_value() or not abs(amount) < 10**12:
        raise Refused(f"{name} must be an amount such as 100.50")
    return int(amount)
