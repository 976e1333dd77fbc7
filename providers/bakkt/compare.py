"""Two data sets of one account, field by field: what we hold, what we sent, what Bakkt holds.

Paths read like the wire (owners[clientOwnerId].identity.givenName). Owners are matched by their clientOwnerId, since
a list's order says nothing; the copy's order helps only where it echoes no key. What only the answer carries (ownerId)
and moments of signing are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from providers.bakkt.types import AccountRequest

#: The last part of paths whose values callers show masked.
SENSITIVE = frozenset({"taxId", "dateOfBirth", "entityTaxId"})
#: Not ours to send, or not a fact about the account.
_LEFT_OUT = frozenset({"ownerId", "eSignedDate", "text", "shareToken", "id"})
#: Changed by hand through Bakkt's operations alone (seed 000, "Updating Customer Accounts").
RESTRICTED = frozenset(
    {
        "dateOfBirth",
        "citizenshipCountry",
        "taxId",
        "taxIdType",
        "taxIdCountry",
        "entityTaxId",
        "accountType",
        "enrollments",
        "clientAccountId",
    }
)


@dataclass(frozen=True)
class Difference:
    """A path and its two values; None where a side has none."""

    path: str
    ours: Any
    theirs: Any

    @property
    def leaf(self) -> str:
        """The last part of the path: the field's wire name."""
        return self.path.rsplit(".", 1)[-1].partition("[")[0]

    @property
    def sensitive(self) -> bool:
        """Whether its values are shown masked."""
        return self.leaf in SENSITIVE

    @property
    def restricted(self) -> bool:
        """Whether an update may not change it."""
        return self.leaf in RESTRICTED

    @property
    def blanks(self) -> bool:
        """Whether sending ours would leave theirs without a value it has."""
        return self.ours is None and self.theirs is not None

    def __repr__(self) -> str:
        return f"Difference({self.path})"


def differences(ours: AccountRequest, theirs: AccountRequest) -> list[Difference]:
    """Every path whose values differ, in the order of the path."""
    mine, copy = ours.to_wire(), theirs.to_wire()
    _name_owners(mine["owners"], copy["owners"])
    left, right = dict(_flat(mine, "")), dict(_flat(copy, ""))
    return [
        Difference(path, left.get(path), right.get(path))
        for path in sorted({*left, *right})
        if left.get(path) != right.get(path)
    ]


def _name_owners(mine: list[dict[str, Any]], copies: list[dict[str, Any]]) -> None:
    """Where a copy does not echo our key of its only nameless owner, it is the one of ours that is left."""
    keys = {owner.get("clientOwnerId") for owner in copies}
    left = [owner.get("clientOwnerId") for owner in mine if owner.get("clientOwnerId") not in keys]
    nameless = [owner for owner in copies if not owner.get("clientOwnerId")]
    if len(left) == len(nameless):
        for key, owner in zip(left, nameless, strict=True):
            owner["clientOwnerId"] = key


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in _LEFT_OUT:
                yield from _flat(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield from _flat_list(value, path)
    elif value not in (None, ""):
        yield path, value


def _flat_list(values: list[Any], path: str) -> Iterator[tuple[str, Any]]:
    name = path.rsplit(".", 1)[-1]
    if name == "owners":
        for at, owner in enumerate(values):
            yield from _flat(owner, f"{path}[{owner.get('clientOwnerId') or owner.get('ownerId') or at}]")
    elif name == "agreements":
        for agreement in values:
            yield f"{path}[{agreement.get('name')} {agreement.get('version')}]", True
    elif name == "streetAddress":
        yield path, ", ".join(str(line) for line in values if line)
    elif name == "operatingCountries":
        if values:
            yield path, ", ".join(sorted(str(value) for value in values))
    else:
        for at, item in enumerate(values):
            yield from _flat(item, f"{path}[{at}]")
