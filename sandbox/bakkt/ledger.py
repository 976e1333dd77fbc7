"""The stand-in's own books: every cent a customer has came from somewhere, and the books of one customer sum to zero.

Money of a customer is `outside`, `unsettled` (a deposit on its way), `settled` (usable) or `leaving` (a withdrawal on
its way). The balance the provider shows is the middle two.
"""

from sandbox.clock import iso
from sandbox.state import Account, Entry, Json, Movement
from sandbox.world import World

BOOKS = ("settled", "unsettled", "leaving", "outside")


def place(movement: Movement, status: str) -> str:
    """The book that holds a movement's money in this status. A wire is seen only once it is processed."""
    if movement.direction == "DEPOSIT":
        under_way = "outside" if movement.instrument == "WIRE" else "unsettled"
        return {"PENDING": under_way, "COMPLETED": "settled"}.get(status, "outside")
    return {"PENDING": "leaving", "COMPLETED": "outside"}.get(status, "settled")


def book(world: World, movement: Movement, status: str) -> None:
    """Move the money to where the new status has it. The caller holds the lock and sets the status."""
    source, target = place(movement, movement.status), place(movement, status)
    if source == target:
        return
    about = f"{movement.instrument} {movement.direction}: {movement.status or 'new'} to {status}"
    entry = Entry(iso(world.clock.now()), movement.id, about, source, target, movement.cents)
    world.state.entries.setdefault(movement.account, []).append(entry)


def balance(world: World, ref: str) -> dict[str, int]:
    """What each of the customer's books holds, in cents."""
    held = dict.fromkeys(BOOKS, 0)
    for entry in world.state.entries.get(ref, []):
        held[entry.source] -= entry.cents
        held[entry.target] += entry.cents
    return held


def text(cents: int) -> str:
    """Cents as dollars: "-100.50"."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def number(cents: int) -> float:
    """Cents as the JSON number of dollars. Exact: below a million millions a float writes itself with these two
    decimals."""
    return cents / 100


def shown(world: World, ref: str) -> Json:
    """The customer's books, exactly."""
    return {name: text(cents) for name, cents in balance(world, ref).items()}


def forget(world: World, account: Account) -> None:
    """The customer's banks, movements and books are gone."""
    state = world.state
    state.banks[:] = [bank for bank in state.banks if bank.account != account.ref]
    state.movements[:] = [movement for movement in state.movements if movement.account != account.ref]
    state.entries.pop(account.ref, None)
