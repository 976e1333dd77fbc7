"""Queries that are composed once. Django builds the SQL of a query anew each time it is asked, which for one small row
takes longer than asking; where a page asks the same with other keys, its SQL is kept:

    _PEOPLE = Composed(lambda key: Owner.objects.filter(application=key).select_related("user"))
    people = _PEOPLE(application_id)

What comes is what the query itself gives: rows of the model, with what it selects and prefetches. A list of keys
stands in for the one key of `pk__in=[key]`.
"""

from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)
#: No row has these.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    UUID: lambda at: UUID(int=at),
    datetime: lambda at: datetime(1, 1, 1, at, tzinfo=UTC),
}


class Composed(Generic[Row]):
    """A query by keys and moments, as `takes` names their types. `compose` gets stand-ins for them, which it hands to
    filters as they are; nothing else in it may depend on the moment or on who asks."""

    def __init__(self, compose: Callable[..., QuerySet[Row]], *takes: type) -> None:
        self._compose = compose
        self._places = [_STAND_INS[each](at) for at, each in enumerate(takes or (UUID,), 1)]
        self._kept: tuple[QuerySet[Row], Any, str, tuple[Any, ...]] | None = None

    def __call__(self, *keys: Any) -> list[Row]:
        """The rows of these keys."""
        if self._kept is None:
            rows = self._compose(*self._places)
            compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
            sql, params = compiler.as_sql()
            self._kept = rows, compiler, sql.replace(" IN (%s)", " = ANY(%s)"), params
        rows, composed, sql, given = self._kept
        values = dict(zip(self._places, keys, strict=True))
        params = tuple(values.get(each, each) if type(each) in _STAND_INS else each for each in given)
        compiler = copy(composed)
        # Each thread has its own.
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (sql, params)
        asked = rows.all()
        asked.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(asked)

    def first(self, *keys: Any) -> Row | None:
        """The first of them."""
        return next(iter(self(*keys)), None)
