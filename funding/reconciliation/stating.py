"""What the provider's record states, written down for a run: from its reads or from a file, in pieces of any size."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from funding.models import MoneyRun, StatedMovement
from onboarding.models import ProviderAccount
from portal.copying import copy_rows
from portal.money import Money
from providers.bakkt.fiat_events import Direction, Kind, Movement

AT_ONCE = 5000
#: Before the reference of an account, the key of its balance.
BALANCE = "balance:"
_DIRECTIONS = {Direction.DEPOSIT: "deposit", Direction.WITHDRAW: "withdrawal", None: ""}


class Stated(NamedTuple):
    """A row of StatedMovement before it is written; its fields are the columns. Keys and the moment of reading, which
    many rows share, are text already: to turn them into it again for each row would be a third of the work."""

    run_id: str
    account_id: str | None
    party_ref: str
    key: str
    own: str
    amount_minor: int | None
    currency: str
    as_of: str
    at: datetime | None = None
    direction: str = ""
    status: str = ""
    instrument: str = ""
    type_word: str = ""
    word: str = ""
    reason_code: str = ""


def state(
    run: MoneyRun, movements: Iterable[Movement], *, as_of: datetime, account: ProviderAccount | None = None
) -> int:
    """Write the movements down; how many there were. The same one again changes nothing: of two words the first
    stays, which in the provider's lists is the newest.

    `account` is whose they are, where that is known; otherwise it is found by the party reference.
    """
    run_id, moment = str(run.pk), as_of.isoformat()
    owner = None if account is None else str(account.pk)
    rows = (_row(run_id, owner, movement, moment) for movement in movements)
    count = 0
    while waiting := list(islice(rows, AT_ONCE)):
        write(waiting)
        count += len(waiting)
    return count


def state_balance(run: MoneyRun, party_ref: str, settled: Money, *, as_of: datetime) -> Stated:
    """The row of a balance, to be written with others."""
    return Stated(
        run_id=str(run.pk),
        account_id=None,
        party_ref=party_ref,
        key=f"{BALANCE}{party_ref}"[:255],
        own="",
        amount_minor=settled.minor,
        currency=settled.currency,
        as_of=as_of.isoformat(),
    )


def row_of(run: MoneyRun, movement: Movement, *, as_of: datetime) -> Stated:
    """The row of a movement, to be written with others."""
    return _row(str(run.pk), None, movement, as_of.isoformat())


def write(rows: list[Stated]) -> None:
    """Write rows, with the accounts that are still to be found."""
    unknown = {row.party_ref for row in rows if row.account_id is None}
    if unknown:
        known = ProviderAccount.objects.filter(client_account_id__in=unknown)
        found = {ref: str(pk) for ref, pk in known.values_list("client_account_id", "pk")}
        rows = [
            row._replace(account_id=found.get(row.party_ref)) if row.account_id is None else row
            for row in rows
        ]
    copy_rows(StatedMovement, Stated._fields, rows)


def _row(run_id: str, account_id: str | None, movement: Movement, as_of: str) -> Stated:
    own = f"bakkt:{movement.provider_id}"[:255] if movement.provider_id else ""
    amount = movement.amount
    # A return may be told with the direction in which the money goes back.
    returned = movement.kind == Kind.TRANSFER and movement.status == "returned"
    return Stated(
        run_id,
        account_id,
        movement.party_ref,
        movement.reference or own,
        own,
        amount.minor if amount else None,
        amount.currency if amount else "USD",
        as_of,
        movement.at,
        "" if returned else _DIRECTIONS[movement.direction],
        str(movement.status or ""),
        movement.instrument[:64],
        movement.type_word[:64],
        movement.word[:64],
        movement.reason_code[:64],
    )
