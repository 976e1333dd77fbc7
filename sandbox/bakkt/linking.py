"""Bank accounts linked to customers: with a Plaid token or by their numbers. Wire contract, sections 5.1 and 7.3."""

import uuid

from sandbox import deliveries
from sandbox.bakkt import events
from sandbox.clock import iso
from sandbox.state import Account, Bank, Item, Json, Webhook
from sandbox.world import World

# What a word in the processor token, or the end of an account number, brings. Ours: the provider publishes no test
# values. The second is the refusal that transfers meet later.
UNSUPPORTED = "UNSUPPORTED_FINANCIAL_INSTITUTION"
TEST_BANKS: dict[str, tuple[str, str]] = {
    "unsupported": (UNSUPPORTED, ""),
    "expired": ("", "STORED_AUTH_INVALID"),
    "blocked": ("", "BANK_ACCOUNT_BLOCKED"),
}
TEST_ENDINGS = {"9901": "unsupported", "9902": "expired", "9903": "blocked"}
TROUBLES = (
    "STORED_AUTH_INVALID",
    "BANK_LINK_ITEM_NOT_FOUND",
    "BANK_INSTITUTION_NOT_FOUND",
    "BANK_ACCOUNT_BLOCKED",
)


def linked(world: World, ref: str, instrument: str = "ACH") -> Bank | None:
    """The customer's active link of the instrument; there is one of each (contract, question 30)."""
    return next((bank for bank in _of(world, ref, instrument) if bank.status == "LINKED"), None)


def _of(world: World, ref: str, instrument: str) -> list[Bank]:
    return [bank for bank in world.state.banks if bank.account == ref and bank.instrument == instrument]


def issuer(world: World, token: str) -> Item | None:
    """The Item of Plaid's stand-in that gave this processor token; None for a made-up one."""
    return next((item for item in world.state.items.values() if token in item.processors), None)


def trouble_of(world: World, bank: Bank) -> str:
    """The refusal that transfers over the bank meet, "" for none: as a tester set it, or as its login at Plaid is."""
    item = world.state.items.get(bank.item)
    if bank.trouble or item is None:
        return bank.trouble
    if item.removed:
        return "BANK_LINK_ITEM_NOT_FOUND"
    return "STORED_AUTH_INVALID" if item.error else ""


def start(world: World, account: Account, *, reference: str, tail: str, test: str, item: str = "") -> Bank:
    """Begin a link; its event follows after the webhook delay. `test` is a name of TEST_BANKS, or anything else."""
    reason, trouble = TEST_BANKS.get(test, ("", ""))
    now = world.clock.now()
    bank = Bank(
        id=str(uuid.uuid4()),
        account=account.ref,
        instrument="ACH",
        reference=reference,
        tail=tail,
        created=now,
        outcome="FAILED" if reason else "LINKED",
        reason=reason,
        trouble=trouble,
        item=item,
        due=now + world.state.settings.webhook_delay,
    )
    world.state.banks.append(bank)
    return bank


def attach(world: World, account: Account, *, tail: str) -> None:
    """The test environment's own call: linked at once, and nobody is told."""
    bank = start(world, account, reference="", tail=tail, test="")
    bank.due = None
    _replace(world, bank)


def fire(world: World, bank: Bank) -> list[Webhook]:
    """A pending link ends as it was going to, and an event says so."""
    bank.due = None
    if bank.outcome == "LINKED":
        _replace(world, bank)
    else:
        bank.status = bank.outcome
    return _tell(world, bank, bank.reference)


def _replace(world: World, bank: Bank) -> None:
    """A new link takes the place of the old one."""
    for other in _of(world, bank.account, bank.instrument):
        if other.status == "LINKED":
            other.status = "UNLINKED"
    bank.status = "LINKED"


def any_live(world: World, account: Account, instrument: str) -> list[Bank]:
    """The customer's links of the instrument that are pending or active."""
    return [bank for bank in _of(world, account.ref, instrument) if bank.status in ("PENDING", "LINKED")]


def unlink(world: World, account: Account, *, instrument: str, reference: str) -> bool:
    """Remove the customer's link, pending or active; an event says so. Whether there was one."""
    found = any_live(world, account, instrument)
    for bank in found:
        bank.status, bank.due, bank.unlink_reference = "UNLINKED", None, reference
    if found:
        _tell(world, found[-1], reference)
    return bool(found)


def told(world: World, bank: Bank, reference: str) -> Json:
    """What an event or the record says of the link."""
    fields: Json = {"status": bank.status, "timestamp": iso(world.clock.real_moment(world.clock.now()))}
    if reference:
        fields["partnerTransactionRef"] = reference
    if bank.status == "FAILED":
        fields["reasonCode"] = bank.reason
    return fields


def _tell(world: World, bank: Bank, reference: str) -> list[Webhook]:
    fields = told(world, bank, reference)
    account = world.state.accounts[bank.account]
    return deliveries.queue(world, events.message(account, "BANK_ACCOUNT_LINK", **fields))
