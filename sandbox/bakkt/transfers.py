"""Transfers at the stand-in, from the order to whatever becomes of it. Wire contract, sections 7.4, 7.5 and 8."""

import uuid

from sandbox import deliveries
from sandbox.bakkt import events, ledger
from sandbox.clock import iso
from sandbox.state import Account, Json, Movement, Webhook
from sandbox.world import World

ENDS = ("COMPLETED", "DECLINED", "FAILED", "CANCELLED", "RETURNED")
# A completed movement can still come back; the other ends are final.
MOVES = {"": ("PENDING", *ENDS), "PENDING": ENDS, "COMPLETED": ("RETURNED",)}
# Movements nobody asked for (contract, section 7.4).
UNREQUESTED = (
    "PARTNER_WRITE_OFF",
    "BAKKT_WRITE_OFF",
    "DECEASED_PARTY",
    "OTHER_ADJUSTMENT",
    "TPJ",
    "ACH_RETURN_FEE",
)
# Codes that customers cause weeks later come after completion; the others instead of it.
LATE = ("R05", "R07", "R10", "R11", "R29", "R51")
LAST_CODE = 44
ODD_WORD = "IN_LIMBO"


class Refused(ValueError):
    """The movement cannot come to that; the text says why."""


def order(world: World, account: Account, body: Json, cents: int) -> Movement:
    """Take an order that was found good: its money is booked at once and its first step is planned."""
    movement = _new(
        world, account, body["fiatTransactType"], body["instrumentType"], cents, body["partnerTransactionRef"]
    )
    _enter(world, movement, "PENDING")
    movement.steps = plan(world, movement)
    if _story_ends(world, account):
        movement.steps = [step for step in movement.steps if step["status"] == "PENDING"]
    _set_due(world, movement, world.clock.now())
    return movement


def _new(
    world: World, account: Account, direction: str, instrument: str, cents: int, reference: str = ""
) -> Movement:
    movement = Movement(
        id=str(uuid.uuid4()),
        account=account.ref,
        reference=reference,
        direction=direction,
        instrument=instrument,
        cents=cents,
        created=world.clock.real_moment(world.clock.now()),
    )
    world.state.movements.append(movement)
    return movement


def plan(world: World, movement: Movement) -> list[Json]:
    """What is to come of an order: by its cents, unless the setting `outcomes_by_cents` is off."""
    wire, out = movement.instrument == "WIRE", movement.direction == "WITHDRAW"
    processed = "wire_seconds" if wire else "ach_withdraw_seconds" if out else "ach_deposit_seconds"
    first = [] if wire else [{"status": "PENDING", "wait": "webhook_delay"}]
    done = {"status": "COMPLETED", "wait": processed}
    cents = movement.cents % 100 if world.state.settings.outcomes_by_cents else 0
    if (ends := ENDS_BY_CENTS.get(cents)) is not None:
        return first + [{**done, **end} for end in ends]
    code = "" if wire else code_of(cents)
    if not code:
        return [*first, done]
    if cents > LAST_CODE or code in LATE:
        return [*first, done, {"status": "RETURNED", "reason": code, "wait": "ach_return_seconds"}]
    return [*first, {"status": "RETURNED", "reason": code, "wait": processed}]


ENDS_BY_CENTS: dict[int, list[Json]] = {
    90: [{"status": "DECLINED", "reason": "TRANSFER_DECLINED"}],
    91: [{"status": "FAILED", "reason": "PROCESSING_ERROR"}],
    92: [{"status": "CANCELLED", "reason": "CANCELLED_BY_BANK"}],
    93: [],
    94: [{"status": "COMPLETED", "announce": False}],
    95: [{"status": ODD_WORD}],
}


def code_of(cents: int) -> str:
    """The return code that these cents bring, "" for none: 01 to 44 and 51 as they stand, 61 to 69 R01 to R09."""
    if 1 <= cents <= LAST_CODE or cents == 51:
        return f"R{cents:02}"
    return f"R{cents - 60:02}" if 61 <= cents <= 69 else ""


def _story_ends(world: World, account: Account) -> bool:
    """Whether the story that plays on the account still says what becomes of a transfer."""
    run = world.run_of(account)
    return run is not None and any(step["do"] == "transfer" for step in run.steps[run.step :])


def _set_due(world: World, movement: Movement, since: float) -> None:
    if not movement.steps:
        movement.due = None
        return
    movement.due = since + getattr(world.state.settings, movement.steps[0]["wait"])


def fire(world: World, movement: Movement) -> list[Webhook]:
    """The movement's next step happens."""
    step = movement.steps.pop(0)
    now = world.clock.now()
    # From when it was due: one advance of the clock by days brings all that lies in them. A flush comes before that.
    _set_due(world, movement, now if movement.due is None else min(movement.due, now))
    status, reason = step["status"], step.get("reason", "")
    if status in ("PENDING", ODD_WORD):
        return tell(world, movement, status)
    return end(world, movement, status, reason, announce=step.get("announce", True))


def end(
    world: World, movement: Movement, status: str, reason: str = "", *, announce: bool = True
) -> list[Webhook]:
    """The movement comes to this now, with what follows from a return: a fee, and too many of them a suspension.

    Steps that cannot follow any more are dropped. Raises Refused for an end that cannot follow.
    """
    if status not in MOVES.get(movement.status, ()):
        raise Refused(f"a movement that is {movement.status} cannot become {status}")
    movement.reason = reason
    _enter(world, movement, status)
    if not (status == "COMPLETED" and any(step["status"] == "RETURNED" for step in movement.steps)):
        movement.steps, movement.due = [], None
    hooks = tell(world, movement, status, announce=announce)
    if status == "RETURNED" and movement.instrument == "ACH":
        hooks += _after_return(world, movement)
    return hooks


def _enter(world: World, movement: Movement, status: str) -> None:
    ledger.book(world, movement, status)
    movement.status, movement.changed = status, world.clock.real_moment(world.clock.now())
    movement.history.append({"at": iso(world.clock.now()), "status": status, "reasonCode": movement.reason})


def _after_return(world: World, movement: Movement) -> list[Webhook]:
    state, account = world.state, world.state.accounts[movement.account]
    hooks: list[Webhook] = []
    if movement.direction == "DEPOSIT" and state.settings.return_fee_cents:
        _, told = unrequested(world, account, "ACH_RETURN_FEE", "WITHDRAW", state.settings.return_fee_cents)
        hooks += told
    returns = sum(
        m.account == account.ref and m.instrument == "ACH" and m.status == "RETURNED" for m in state.movements
    )
    if 0 < state.settings.max_ach_returns <= returns and account.status == "ACTIVE":
        hooks += events.party_event(world, account, "SUSPENDED", "MAX_ACH_RETURNS")
    return hooks


def unrequested(
    world: World, account: Account, instrument: str, direction: str, cents: int
) -> tuple[Movement, list[Webhook]]:
    """A fee, a write-off, an adjustment or the cash leg of a trade: done at once, and told."""
    movement = _new(world, account, direction, instrument, cents)
    return movement, end(world, movement, "COMPLETED")


def wire_in(world: World, account: Account, cents: int, *, with_reference: bool) -> Movement:
    """A wire arrives that nobody asked for. Without the customer's reference it is booked late, or by a tester."""
    movement = _new(world, account, "DEPOSIT", "WIRE", cents)
    _enter(world, movement, "PENDING")
    wait = "wire_seconds" if with_reference else "wire_unmatched_seconds"
    movement.reason = "" if with_reference else "NO_REFERENCE"
    movement.steps = [{"status": "COMPLETED", "wait": wait}]
    _set_due(world, movement, world.clock.now())
    return movement


def tell(world: World, movement: Movement, word: str, *, announce: bool = True) -> list[Webhook]:
    """A FIAT_EVENT about the movement."""
    account = world.state.accounts[movement.account]
    body = events.message(account, "FIAT_EVENT", **shown(world, movement) | {"transactionStatus": word})
    return deliveries.queue(world, body, announce=announce)


def shown(world: World, movement: Movement) -> Json:
    """The movement as events and reads show it. Names beyond the contract's are ours."""
    fields: Json = {
        "partnerPartyRef": movement.account,
        "fiatTransactionType": movement.direction,
        "transactionStatus": movement.status,
        "instrumentType": movement.instrument,
        "amount": ledger.number(movement.cents),
        "currency": "USD",
        "transactionId": movement.id,
        "timestamp": iso(movement.changed),
    }
    if movement.reference:
        fields["partnerTransactionRef"] = movement.reference
    if movement.reason:
        fields["reasonCode"] = movement.reason
    return fields
