"""The orders of the list, each paged by key on an index: the hundredth page costs what the first does."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from compliance.models import Case
from compliance.models.cases import NEVER
from portal.composed import listed
from portal.pages import Page, Row

SEPARATOR = "~"


@dataclass(frozen=True)
class Order:
    """One order: a key before the id, if any, and which of them go down."""

    label: str
    key: Combinable | None = None
    key_down: bool = False
    id_down: bool = False

    def write(self, row: Any) -> str:
        """The cursor of a row."""
        if self.key is None:
            return str(row.pk)
        value = row.key.astimezone(UTC).isoformat() if isinstance(row.key, datetime) else row.key
        return f"{value}{SEPARATOR}{row.pk}"

    def read(self, cursor: str) -> tuple[Any, UUID] | None:
        """What a cursor says; None for one of another order, or none at all."""
        value, separator, key = cursor.rpartition(SEPARATOR)
        try:
            if self.key is None:
                return None if separator else (None, UUID(cursor))
            return self._key(value), UUID(key)
        except ValueError:
            return None

    def _key(self, text: str) -> Any:
        if self.key_down:
            return Case.Priority(int(text)).value
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("a moment has a time zone")
        return at

    def beyond(self, place: tuple[Any, UUID], *, back: bool) -> Q:
        """The rows after a place, or before it."""
        value, pk = place
        by_id = Q(**{f"pk__{'lt' if self.id_down != back else 'gt'}": pk})
        if self.key is None:
            return by_id
        way = "lt" if self.key_down != back else "gt"
        # The first half is what the index is entered by; the second leaves out what lies before within equal keys.
        return Q(**{f"key__{way}e": value}) & (Q(**{f"key__{way}": value}) | by_id)

    def words(self, *, back: bool) -> list[str]:
        """What to order by."""
        by_id = "-pk" if self.id_down != back else "pk"
        if self.key is None:
            return [by_id]
        return ["-key" if self.key_down != back else "key", by_id]


ORDERS = {
    "oldest": Order("Oldest first"),
    "newest": Order("Newest first", id_down=True),
    "due": Order("Due soonest first", key=Coalesce("due_at", NEVER)),
    "pressing": Order("Most pressing first", key=F("priority"), key_down=True),
}
USUAL = "oldest"


def beside(rows: QuerySet[Case], order: Order, pk: UUID, *, back: bool) -> UUID | None:
    """The row after that of the key, or before it, in the order; the row itself may have left `rows` meanwhile."""
    place: tuple[Any, UUID] = (None, pk)
    if order.key is not None:
        rows = rows.annotate(key=order.key)
        place = (Case.objects.annotate(key=order.key).values_list("key", flat=True).get(pk=pk), pk)
    found = rows.filter(order.beyond(place, back=back)).order_by(*order.words(back=back))
    return found.values_list("pk", flat=True).first()


def ordered(
    rows: QuerySet[Row] | Callable[[], QuerySet[Row]],
    order: Order,
    *,
    after: str,
    before: str,
    size: int,
    key: Hashable = None,
) -> Page[Row]:
    """One page in the order. `newer` is the cursor of the page before, `older` of the one after it, as they are read.

    A cursor that this order did not write is read as none, so that an old bookmark shows the first page. With a `key`
    of all that the rows depend on, the query is composed once for it, by a function that gives the rows.
    """
    follows, precedes = order.read(after), order.read(before)

    def compose() -> QuerySet[Row]:
        found = rows() if callable(rows) else rows
        if order.key is not None:
            found = cast(QuerySet[Row], found.annotate(key=order.key))
        if precedes is not None:
            return found.filter(order.beyond(precedes, back=True)).order_by(*order.words(back=True))[
                : size + 1
            ]
        if follows is not None:
            found = found.filter(order.beyond(follows, back=False))
        return found.order_by(*order.words(back=False))[: size + 1]

    found = listed(None if key is None else (key, follows, precedes, size), compose)
    is_more, found = len(found) > size, found[:size]
    if precedes is not None:
        found = found[::-1]
        return Page(
            found,
            newer=order.write(found[0]) if is_more else "",
            older=order.write(found[-1]) if found else "",
        )
    return Page(
        found,
        newer=order.write(found[0]) if follows is not None and found else "",
        older=order.write(found[-1]) if is_more else "",
    )
