"""A small language for request bodies, and the walk that collects every failure of one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.state import Json

# Bakkt publishes one code, 602 for a required field; the others are ours and stable.
WRONG_FORM = 601
REQUIRED = 602
NOT_A_VALUE = 603
UNKNOWN_FIELD = 604
RESTRICTED = 605
RULE = 606

LONGEST_TEXT = 255
# Control characters but tab and line ends, and lone surrogates, which no encoding can carry.
UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
LONGEST_REJECTED = 200


class Failures(list[Json]):
    """What is wrong with a body, in the provider's form."""

    def add(self, code: int, path: str, message: str, rejected: Any = None) -> None:
        failure: Json = {"code": code, "field": path, "message": f"{path} {message}".strip()}
        if rejected is not None and not isinstance(rejected, dict | list):
            failure["rejectedValue"] = str(rejected)[:LONGEST_REJECTED]
        self.append(failure)


Form = Callable[[str], bool]


def _reads(read: Callable[[str], object]) -> Form:
    def reads(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return reads


def _moment(text: str) -> datetime:
    """Raises ValueError for a date alone and for a time without its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _adds_up(text: str) -> bool:
    """The check digit of an American routing number: 3, 7 and 1 times the digits make a multiple of ten."""
    if not re.fullmatch(r"[0-9]{9}", text, re.ASCII) or text == "000000000":
        return False
    return sum(int(digit) * weight for digit, weight in zip(text, (3, 7, 1) * 3, strict=True)) % 10 == 0


EMAIL = re.compile(r"[^@\s<>(),;:\"\\\[\]]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
FORMS: Mapping[str, Form] = {
    "a date, YYYY-MM-DD": lambda text: len(text) == 10 and _reads(date.fromisoformat)(text),
    "a date and time with its zone, ISO 8601": _reads(_moment),
    "an e-mail address": lambda text: bool(EMAIL.fullmatch(text)),
    "a phone number in compact E.164": lambda text: bool(re.fullmatch(r"\+[1-9][0-9]{3,14}", text, re.ASCII)),
    "an account number of 4 to 17 digits": lambda text: bool(re.fullmatch(r"[0-9]{4,17}", text, re.ASCII)),
    "a routing number of nine digits that add up": _adds_up,
    "a UUID": lambda text: bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text)),
}


@dataclass(frozen=True)
class Text:
    """Text without control characters; `form` names one of FORMS, `choices` the vocabulary."""

    form: str = ""
    choices: frozenset[str] = frozenset()
    longest: int = LONGEST_TEXT
    noun: str = "one of the published values"

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if not isinstance(value, str):
            failures.add(WRONG_FORM, path, "must be text", value)
        elif not value.strip():
            failures.add(REQUIRED, path, "is required", value)
        elif len(value) > self.longest:
            failures.add(WRONG_FORM, path, f"must not be longer than {self.longest}", value)
        elif UNREADABLE.search(value):
            failures.add(WRONG_FORM, path, "must not hold control characters or halves of characters", value)
        elif self.choices and value not in self.choices:
            failures.add(NOT_A_VALUE, path, f"must be {self.noun}", value)
        elif self.form and not FORMS[self.form](value):
            failures.add(WRONG_FORM, path, f"must be {self.form}", value)


@dataclass(frozen=True)
class Amount:
    """A positive number of dollars and whole cents."""

    most: Decimal = Decimal(10) ** 12

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            failures.add(WRONG_FORM, path, "must be a number", value)
        elif not 0 < value < self.most:
            failures.add(NOT_A_VALUE, path, "must be positive and below a million millions", value)
        elif Decimal(value) * 100 % 1:
            failures.add(WRONG_FORM, path, "must not have parts of a cent", value)


@dataclass(frozen=True)
class Plain:
    """A whole number (`int`), or true or false (`bool`)."""

    kind: type[int] | type[bool]

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if type(value) is not self.kind:
            noun = "a whole number" if self.kind is int else "true or false"
            failures.add(WRONG_FORM, path, f"must be {noun}", value)


@dataclass(frozen=True)
class Unread:
    """A deprecated part of the declared type: taken, its content not read."""

    kind: type[str] | type[dict[str, Any]]

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if not isinstance(value, self.kind):
            failures.add(WRONG_FORM, path, "must be text" if self.kind is str else "must be an object", value)


@dataclass(frozen=True)
class Many:
    """A list of items of one kind."""

    item: "Kind"
    at_least: int = 0

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if not isinstance(value, list):
            failures.add(WRONG_FORM, path, "must be a list", value)
            return
        if len(value) < self.at_least:
            failures.add(REQUIRED, path, f"needs at least {self.at_least}")
        for number, item in enumerate(value):
            self.item.check(item, f"{path}[{number}]", failures)


Rule = Callable[[Json, str, Failures], None]


@dataclass(frozen=True)
class Object:
    """An object with exactly these fields; null counts as absent. `rule` runs for what only several fields
    together can break."""

    required: Mapping[str, "Kind"]
    optional: Mapping[str, "Kind"] = field(default_factory=dict)
    rule: Rule | None = None

    def check(self, value: Any, path: str, failures: Failures) -> None:
        if not isinstance(value, dict):
            failures.add(WRONG_FORM, path, "must be an object", value)
            return
        known = {**self.required, **self.optional}
        for name in value:
            if name not in known:
                failures.add(UNKNOWN_FIELD, under(path, str(name)[:60]), "is not a known field")
        for name, kind in known.items():
            if value.get(name) is not None:
                kind.check(value[name], under(path, name), failures)
            elif name in self.required:
                failures.add(REQUIRED, under(path, name), "is required")
        if self.rule:
            self.rule(value, path, failures)


Kind = Text | Amount | Plain | Unread | Many | Object


def under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
