"""Between frozen dataclasses and a provider's JSON: one small codec, so that each type is only a list of
fields.

Names turn from snake_case to camelCase unless the field says otherwise. Reading is tolerant: extra fields
are ignored, unknown words are kept as they came, an optional value of the wrong form reads as absent. Only
a missing or wrong required value makes a reply unreadable.
"""

from collections.abc import Hashable
from dataclasses import MISSING, Field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Self, Union, cast, get_args, get_origin, get_type_hints

from providers.errors import Unreadable

# Above this an epoch number counts milliseconds: as seconds it would lie in the year 5138.
EPOCH_MILLISECONDS_FROM = 100_000_000_000


class Wire:
    """Base of the frozen dataclasses that travel. Subclasses are `@dataclass(frozen=True, repr=False)`.

    `SHOWN` names the fields that may be printed (identifiers and vocabulary words, never personal data),
    `NAMES` the wire names that do not follow from the fields' own. `SNAKE` keeps the fields' own names.
    """

    SHOWN: ClassVar[frozenset[str]] = frozenset()
    NAMES: ClassVar[dict[str, str]] = {}
    SNAKE: ClassVar[bool] = False

    def __repr__(self) -> str:
        parts = [f"{f.name}={getattr(self, f.name)!r}" for f in _fields(type(self)) if f.name in self.SHOWN]
        return f"{type(self).__name__}({', '.join(parts)})"

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready dict; optional fields without a value or with an empty list are left out."""
        wire: dict[str, Any] = {}
        for f in _fields(type(self)):
            value = getattr(self, f.name)
            if f.default is MISSING or (value is not None and value != ()):
                wire[_wire_name(self, f)] = _outward(value)
        return wire

    @classmethod
    def from_wire(cls, data: object) -> Self:
        """The value in a parsed JSON object. Raises Unreadable when a required field is absent or of
        another kind."""
        if not isinstance(data, dict):
            raise Unreadable(f"{cls.__name__} is not an object")
        hints = _hints(cast("Hashable", cls))
        values: dict[str, Any] = {}
        for f in _fields(cls):
            found = data.get(_wire_name(cls, f))
            optional = f.default is not MISSING
            if found is None:
                if not optional:
                    raise Unreadable(f"{cls.__name__} lacks {_wire_name(cls, f)}")
                continue
            try:
                values[f.name] = _inward(hints[f.name], found)
            except Unreadable as problem:
                if not optional:
                    raise Unreadable(f"{cls.__name__}.{_wire_name(cls, f)}: {problem}") from None
        return cls(**values)


def instant(value: object) -> datetime:
    """A moment in ISO 8601 or, failing that, epoch seconds or milliseconds (Bakkt contract, question 9), in
    UTC."""
    # Python reads some long runs of digits as compact ISO dates; nobody else writes those with nine digits
    # or more.
    if not isinstance(value, str) or (value.isdigit() and len(value) >= 9):
        return _from_epoch(value)
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Unreadable("not a date and time") from None


def _from_epoch(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | float | str):
        raise Unreadable("not a date and time")
    try:
        seconds = float(value)
        return datetime.fromtimestamp(seconds / 1000 if seconds >= EPOCH_MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable("not a date and time") from None


def _fields(cls: type[Any]) -> tuple[Field[Any], ...]:
    return fields(cls)


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    return get_type_hints(cls)


def _wire_name(owner: Wire | type[Wire], f: Field[Any]) -> str:
    if f.name in owner.NAMES:
        return owner.NAMES[f.name]
    if owner.SNAKE:
        return f.name
    first, *rest = f.name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _outward(value: Any) -> Any:
    if isinstance(value, Wire):
        return value.to_wire()
    if isinstance(value, tuple):
        return [_outward(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return value


def _inward(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        (inner,) = [part for part in get_args(hint) if part is not type(None)]
        return _inward(inner, value)
    if origin is tuple:
        if not isinstance(value, list):
            raise Unreadable("not a list")
        return tuple(_inward(get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and issubclass(hint, Wire):
        return hint.from_wire(value)
    return _PLAIN[hint](value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise Unreadable("not text")


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Unreadable("not a whole number")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Unreadable("not true or false")


def _day(value: object) -> date:
    try:
        return date.fromisoformat(_text(value)[:10])
    except ValueError:
        raise Unreadable("not a date") from None


def _amount(value: object) -> Decimal:
    if isinstance(value, int | Decimal | str) and not isinstance(value, bool):
        try:
            number = Decimal(value)
        except ArithmeticError:
            raise Unreadable("not a number") from None
        if number.is_finite():
            return number
    raise Unreadable("not a number")


_PLAIN: dict[Any, Any] = {
    str: _text,
    int: _whole,
    bool: _truth,
    date: _day,
    datetime: instant,
    Decimal: _amount,
}
