"""Keyset pages: the same cost at any depth, on the primary key's index. UUIDv7 keys sort by time."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from portal.composed import listed

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of a page. `older` and `newer` are the cursors of the neighbouring pages, empty where there is none."""

    rows: list[Row]
    older: str = ""
    newer: str = ""


def keyset(
    rows: QuerySet[Row] | Callable[[], QuerySet[Row]],
    *,
    after: str = "",
    before: str = "",
    size: int = 25,
    oldest_first: bool = False,
    key: Hashable = None,
) -> Page[Row]:
    """One page of `rows` by primary key, newest first: those that come after `after`, or before `before`.

    What comes after is older, with `oldest_first` newer. A cursor that is no id is read as none, so an old
    bookmark shows the first page. With a `key` of all that the rows depend on, the query is composed once for it, by a
    function that gives the rows (portal/composed.py).
    """
    onward, back = ("pk__gt", "pk__lt") if oldest_first else ("pk__lt", "pk__gt")
    order, reverse = ("pk", "-pk") if oldest_first else ("-pk", "pk")
    follows, precedes = _id(after), _id(before)

    def compose() -> QuerySet[Row]:
        found = rows() if callable(rows) else rows
        if precedes is not None:
            return found.filter(**{back: precedes}).order_by(reverse)[: size + 1]
        if follows is not None:
            found = found.filter(**{onward: follows})
        return found.order_by(order)[: size + 1]

    found = listed(None if key is None else (key, follows, precedes, size, oldest_first), compose)
    is_more, found = len(found) > size, found[:size]
    if precedes is not None:
        found = found[::-1]
        onward_key = str(found[-1].pk) if found else ""
        back_key = str(found[0].pk) if is_more else ""
    else:
        onward_key = str(found[-1].pk) if is_more else ""
        back_key = str(found[0].pk) if follows is not None and found else ""
    if oldest_first:
        return Page(found, older=back_key, newer=onward_key)
    return Page(found, older=onward_key, newer=back_key)


def _id(cursor: str) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError:
        return None
