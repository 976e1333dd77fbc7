"""Queries that are composed once, and asked together. Django builds the SQL of a query anew each time it is asked,
which for one small row takes longer than asking; where a page asks the same with other keys, its SQL is kept:

    _PEOPLE = Composed(lambda key: Owner.objects.filter(application=key).select_related("user"))
    people = _PEOPLE(application_id)

What comes is what the query itself gives: rows of the model, with what it selects and prefetches. A list of keys
stands in for the one key of `pk__in=[key]`. SQL that is written out is `Written`; it gives tuples.

A page that knows what it will ask sends it in one go, and whoever asks one of these questions finds it answered:

    with ahead(_PEOPLE.of(application_id), _PAPERS.of(application_id)):
        people, papers = _PEOPLE(application_id), _PAPERS(application_id)
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from inspect import signature
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet

#: A model, or the tuples of `values_list`.
Row = TypeVar("Row")
#: No row has these.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    UUID: lambda at: UUID(int=at),
    datetime: lambda at: datetime(1, 1, 1, at, tzinfo=UTC),
    date: lambda at: date(1, 1, at),
    str: lambda at: f"key {at}\N{REPLACEMENT CHARACTER}",
}


@dataclass(frozen=True)
class Question:
    """SQL with what it is asked with, as PostgreSQL gets it."""

    sql: str
    given: tuple[Any, ...]


#: What was asked ahead, each answer for whoever asks first.
_answers: ContextVar[dict[str, list[Any]] | None] = ContextVar("answers", default=None)


@contextmanager
def ahead(*questions: Question) -> Iterator[None]:
    """Ask all of these at once; within the block the first to ask one of them gets its answer, the next asks anew.

    So nothing is read that is older than the block, and nothing is read twice from one answer.
    """
    token = _answers.set(_sent(questions) if questions else None)
    try:
        yield
    finally:
        _answers.reset(token)


def _sent(questions: tuple[Question, ...]) -> dict[str, list[Any]]:
    """PostgreSQL takes several statements in one message, as Django's cursor puts the values in by itself."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            ";\n".join(question.sql for question in questions),
            [value for question in questions for value in question.given],
        )
        for question in questions:
            found[repr(question)] = cursor.fetchall()
            cursor.nextset()
    return found


def prefetched(rows: Iterable[Model], name: str, others: Iterable[Model], key: str) -> None:
    """Give each row those of the others that are its own, by their `key`, as `prefetch_related(name)` does."""
    theirs: dict[Any, list[Model]] = {}
    for other in others:
        theirs.setdefault(getattr(other, key), []).append(other)
    for row in rows:
        found = getattr(row, name).all()
        found._result_cache, found._prefetch_done = theirs.get(row.pk, []), True
        row.__dict__.setdefault("_prefetched_objects_cache", {})[name] = found


def asked(question: Question) -> list[Any]:
    """The rows as tuples: of what was asked ahead, or asked now."""
    answers = _answers.get()
    if answers and (found := answers.pop(repr(question), None)) is not None:
        return found
    with connection.cursor() as cursor:
        cursor.execute(question.sql, question.given)
        rows: list[Any] = cursor.fetchall()
        return rows


class Written:
    """A query that is written out, with `%s` for what it is asked with."""

    def __init__(self, sql: str) -> None:
        self._sql = sql

    def of(self, *given: Any) -> Question:
        """The question with these values, for `ahead`."""
        return Question(self._sql, given)

    def __call__(self, *given: Any) -> list[Any]:
        """The rows as tuples."""
        return asked(self.of(*given))


class Composed(Generic[Row]):
    """A query by keys, or by what `takes` names the types of. `compose` gets stand-ins for them, which it hands to
    filters as they are; nothing else in it may depend on the moment or on who asks."""

    def __init__(self, compose: Callable[..., QuerySet[Any, Row]], *takes: type) -> None:
        self._compose = compose
        kinds = takes or [UUID] * len(signature(compose).parameters)
        self._places = [_STAND_INS[each](at) for at, each in enumerate(kinds, 1)]
        self._kept: _Kept | None = None

    def of(self, *keys: Any) -> Question:
        """The question with these keys, for `ahead`."""
        kept = self._known()
        values = dict(zip(self._places, keys, strict=True))
        given = (values.get(each, each) if type(each) in _STAND_INS else each for each in kept.given)
        return Question(kept.sql, tuple(given))

    def __call__(self, *keys: Any) -> list[Row]:
        """The rows of these keys."""
        kept, found = self._known(), asked(self.of(*keys))
        if not found:
            return []
        compiler = copy(kept.compiler)
        # Each thread has its own.
        compiler.connection = connection
        # What is selected for the order alone stands last.
        result = [row[: compiler.col_count] for row in found] if compiler.has_extra_select else found
        compiler.execute_sql = lambda *_, **__: [result]
        compiler.get_converters = lambda _: kept.converters
        query = kept.rows.all()
        query.query.get_compiler = lambda *_, **__: compiler  # type: ignore[method-assign]
        return list(query)

    def first(self, *keys: Any) -> Row | None:
        """The first of them."""
        return next(iter(self(*keys)), None)

    def _known(self) -> "_Kept":
        if self._kept is None:
            rows = self._compose(*self._places)
            compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
            sql, given = compiler.as_sql()
            converters = compiler.get_converters([selected for selected, _, _ in compiler.select])
            self._kept = _Kept(rows, compiler, sql.replace(" IN (%s)", " = ANY(%s)"), given, converters)
        return self._kept


@dataclass(frozen=True)
class _Kept:
    """A query with what Django composed of it."""

    rows: QuerySet[Any]
    compiler: Any
    sql: str
    given: tuple[Any, ...]
    converters: dict[int, Any]
