"""Queries that are composed once, and asked together. Django builds the SQL of a query anew each time it is asked,
which for one small row takes longer than asking; where a page asks the same with other keys, its SQL is kept:

    _PEOPLE = Composed(lambda key: Owner.objects.filter(application=key).select_related("user"))
    people = _PEOPLE(application_id)

What comes is what the query itself gives: rows of the model, with what it selects and prefetches. A list of keys
stands in for the one key of `pk__in=[key]`. SQL that is written out is `Written`; it gives tuples.

A page that knows what it will ask sends it in one go, and whoever asks one of these questions finds it answered:

    with ahead(_PEOPLE.of(application_id), _PAPERS.of(application_id)):
        people, papers = _PEOPLE(application_id), _PAPERS(application_id)

PostgreSQL keeps such a query as well: each connection prepares it with its first use, and plans it once for any keys
(`plan_cache_mode` in the settings). So nothing may be asked this way whose best plan depends on what it is asked with.
"""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from inspect import signature
from itertools import count
from typing import Any, Generic, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
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


@dataclass(frozen=True, eq=False)
class Statement:
    """A query as PostgreSQL prepares it, with $1 and so on for so many values."""

    sql: str
    values: int


@dataclass(frozen=True)
class Question:
    """A statement with what it is asked with."""

    statement: Statement
    given: tuple[Any, ...]

    @property
    def key(self) -> tuple[int, str]:
        """The same for the same question."""
        return id(self.statement), repr(self.given)


#: What was asked ahead, each answer for whoever asks first.
_answers: ContextVar[dict[tuple[int, str], list[Any]] | None] = ContextVar("answers", default=None)
#: What each connection has prepared, by the names it knows it by. They live as long as the connection does.
_prepared: WeakKeyDictionary[Any, dict[Statement, str]] = WeakKeyDictionary()
_numbers = count(1)
#: A connection keeps so many plans, and then begins anew.
_MOST_PREPARED = 256
#: What PostgreSQL says when a column has another type than when it was prepared, and when it was never prepared there.
_NO_LONGER_GOOD = {"0A000", "26000"}


@contextmanager
def ahead(*questions: Question) -> Iterator[None]:
    """Ask all of these at once; within the block the first to ask one of them gets its answer, the next asks anew.

    So nothing is read that is older than the block, and nothing is read twice from one answer. A block within a block
    asks what is known only by then; the answers of the outer one that nobody took yet are still there.
    """
    found = {question.key: rows for question, rows in zip(questions, _sent(*questions), strict=True)}
    answers = _answers.get() or {}
    answers |= found
    token = _answers.set(answers)
    try:
        yield
    finally:
        for key in found:
            answers.pop(key, None)
        _answers.reset(token)


def _sent(*questions: Question) -> list[list[Any]]:
    """The rows of each question. PostgreSQL takes several statements in one message, as Django's cursor puts the values
    in by itself; so what is not prepared yet is prepared in the same."""
    if not questions:
        return []
    with connection.cursor() as cursor:
        known = _prepared.setdefault(connection.connection, {})
        lines = []
        if len(known) > _MOST_PREPARED:
            # Lists have many filters; a connection that lives long would keep a plan for each.
            lines.append("DEALLOCATE ALL")
            known.clear()
        unknown = {each.statement for each in questions if each.statement not in known}
        # A name is never used twice: what failed half-way may be there or not.
        new = {statement: f"composed_{next(_numbers)}" for statement in unknown}
        names = known | new if new else known
        lines += [f"PREPARE {name} AS {_escaped(statement.sql)}" for statement, name in new.items()]
        before = len(lines)
        lines += [_execute(names[each.statement], each.statement.values) for each in questions]
        try:
            cursor.execute(";\n".join(lines), [value for each in questions for value in each.given])
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") in _NO_LONGER_GOOD:
                known.clear()
            raise
        known.update(new)
        # All of it has come by now. Django's own cursor would wrap each of these calls anew.
        come = cursor.cursor
        for _ in range(before):
            come.nextset()
        found = []
        for _ in questions:
            # What writes has no rows to give.
            found.append(come.fetchall() if come.description else [])
            come.nextset()
        return found


def _escaped(sql: str) -> str:
    """As psycopg takes it beside values."""
    return sql.replace("%", "%%")


def _execute(name: str, values: int) -> str:
    return f"EXECUTE {name}({', '.join(['%s'] * values)})" if values else f"EXECUTE {name}"


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
    if answers and (found := answers.pop(question.key, None)) is not None:
        return found
    return _sent(question)[0]


class Written:
    """A query that is written out, with `%(name)s` for what it is asked with, by the names it gives them."""

    def __init__(self, sql: str) -> None:
        names = list(dict.fromkeys(_NAMED.findall(sql)))
        text = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", sql)
        self._names, self._statement = names, Statement(text, len(names))

    def of(self, **given: Any) -> Question:
        """The question with these values, for `ahead`."""
        return Question(self._statement, tuple([given[name] for name in self._names]))

    def __call__(self, **given: Any) -> list[Any]:
        """The rows as tuples."""
        return asked(self.of(**given))


_NAMED = re.compile(r"%\((\w+)\)s")


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
        if len(keys) != len(self._places):
            raise TypeError(f"this query takes {len(self._places)} keys, not {len(keys)}")
        kept = self._known()
        return Question(kept.statement, tuple([keys[at] for at in kept.order]))

    def __call__(self, *keys: Any) -> list[Row]:
        """The rows of these keys."""
        return self._known().read(asked(self.of(*keys)))

    def first(self, *keys: Any) -> Row | None:
        """The first of them."""
        return next(iter(self(*keys)), None)

    def _known(self) -> "_Kept":
        if self._kept is None:
            rows = self._compose(*self._places)
            compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
            sql, given = compiler.as_sql()
            self._kept = _Kept(rows, compiler, *prepared(sql, given, self._places), _converters(compiler))
        return self._kept


def _with_compiler(rows: Any, compiler: Any) -> Any:
    """These rows, read by this compiler: what `all()` gives, without the copy of a query that nobody changes."""
    query = object.__new__(type(rows.query))
    query.__dict__.update(rows.query.__dict__, get_compiler=lambda *_, **__: compiler)
    found = type(rows)(rows.model, query, rows._db)
    found._iterable_class = rows._iterable_class
    found._fields = rows._fields
    found._prefetch_related_lookups = rows._prefetch_related_lookups
    return found


_PLACE = re.compile(r"%%| IN \(%s\)|%s")


def prepared(sql: str, given: Iterable[Any], places: Sequence[Any]) -> tuple[Statement, tuple[int, ...]]:
    """The statement of Django's SQL, and which of `places` its values are, in order; all else that is given is a part
    of the query, as its plan may rest upon it."""
    values, constants, order = iter(given), [], []

    def put(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return found[0]
        value = next(values)
        if type(value) not in _STAND_INS or value not in places:
            constants.append(value)
            return found[0]
        place = places.index(value)
        if place not in order:
            order.append(place)
        number = f"${order.index(place) + 1}"
        return f" = ANY({number})" if "IN" in found[0] else number

    text = connection.ops.compose_sql(  # type: ignore[attr-defined]
        _PLACE.sub(put, sql), constants
    )
    return Statement(text, len(order)), tuple(order)


@dataclass(frozen=True)
class _Kept:
    """A query with what Django composed of it."""

    rows: QuerySet[Any]
    compiler: Any
    statement: Statement
    order: tuple[int, ...]
    converters: dict[int, Any]

    def read(self, found: list[Any]) -> list[Any]:
        """What Django makes of these rows."""
        if not found:
            return []
        compiler = copy(self.compiler)
        # Each thread has its own.
        compiler.connection = connection
        # What is selected for the order alone stands last.
        result = [row[: compiler.col_count] for row in found] if compiler.has_extra_select else found
        compiler.execute_sql = lambda *_, **__: [result]
        compiler.get_converters = lambda _: self.converters
        return list(_with_compiler(self.rows, compiler))


def _converters(compiler: Any) -> dict[int, Any]:
    found: dict[int, Any] = compiler.get_converters([selected for selected, _, _ in compiler.select])
    return found


#: Queries of lists by what they depend on; the oldest go.
_listed: dict[Hashable, _Kept] = {}
_MOST_LISTED = 512


def listed(key: Hashable, compose: Callable[[], QuerySet[Any, Row]]) -> list[Row]:
    """The rows of a query that depends on `key` alone, not on the moment: composed once for each key.

    It is planned for what is in it: which index is the best depends on the filters. None as the key composes it anew.
    """
    if key is None:
        return list(compose())
    kept = _listed.get(key)
    if kept is None:
        rows = compose()
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, given = compiler.as_sql()
        kept = _listed[key] = _Kept(rows, compiler, *prepared(sql, given, ()), _converters(compiler))
        while len(_listed) > _MOST_LISTED:
            # Another thread may have been faster.
            _listed.pop(next(iter(_listed)), None)
    return kept.read(asked(Question(kept.statement, ())))
