"""One question: its name, words, kind, and the rule its answer must hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError

from onboarding.requirements import rules


class Kind(Enum):
    """How an answer is written, at the page and in JSON."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    DATE = "date"
    CHOICE = "choice"
    COUNTRY = "country"
    COUNTRIES = "countries"
    STATE = "state"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TAX_ID = "tax_id"


class Problem(Exception):
    """Answers that do not hold: {field name: sentences that say how to mend it}."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__("answers do not hold")
        self.fields = dict(fields)


@dataclass(frozen=True)
class Shown:
    """When a question is asked at all: another answer of the step is one of these values."""

    field: str
    values: frozenset[Any]

    def holds(self, answers: Mapping[str, Any]) -> bool:
        """Whether the question is asked, given the other answers."""
        return answers.get(self.field) in self.values


@dataclass(frozen=True)
class Field:
    """A question.

    `store` says where the answer is kept: the name of a table of onboarding.drafts and the attribute there.
    `rule` takes the cleaned value and returns the value to keep, or raises ValidationError with a sentence that
    says how to mend it. `shown` makes the question depend on another answer; then it is required only where shown.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    store: tuple[str, str] = ("", "")
    hint: str = ""
    required: bool = True
    #: Not required by itself, but perhaps by another answer: not to be called optional.
    may_be_needed: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    max_length: int = 100
    minimum: int | None = None
    maximum: int | None = None
    autocomplete: str = ""
    #: Where a phone number without a country code is taken to be.
    region: str = "US"
    sensitive: bool = False
    shown: Shown | None = None
    group: str = ""
    rule: Callable[[Any], Any] | None = None
    #: For us alone: the provider is not told, so an answer that changes is kept without asking them.
    ours: bool = False
    #: What to do where an answer is needed, when "Enter your ..." does not say it; may hold {whose}.
    missing: str = ""
    #: Whose answer it is, in the words of the form.
    whose: str = "your"

    def clean(self, raw: Any) -> Any:
        """The value to keep for what came in; None or "" where nothing was answered. Raises ValidationError."""
        if isinstance(raw, str):
            raw = rules.plain_text(raw)
        empty = raw is None or raw == "" or (raw == [] and self.kind is Kind.COUNTRIES)
        if empty:
            if self.required:
                raise ValidationError(
                    self.missing.format(whose=self.whose) or f"Enter {self.whose} {self._named()}."
                )
            return self.blank
        value = _READERS[self.kind](self, raw)
        return self.rule(value) if self.rule else value

    @property
    def blank(self) -> Any:
        """What is kept where nothing was answered."""
        match self.kind:
            case Kind.INTEGER | Kind.DATE:
                return None
            case Kind.BOOLEAN:
                return False
            case Kind.COUNTRIES:
                return []
            case _:
                return ""

    def _named(self) -> str:
        # Abbreviations (ZIP code, EIN) keep their capitals inside a sentence.
        short = self.label[:2].isalpha() and self.label[:2].isupper()
        return self.label if short else self.label[:1].lower() + self.label[1:]


def _text(field: Field, raw: Any) -> str:
    if not isinstance(raw, str):
        raise ValidationError(f"{field.label} must be text.")
    if len(raw) > field.max_length:
        raise ValidationError(
            f"{field.label} must be {field.max_length} characters or fewer; it has {len(raw):,}."
        )
    return raw


def _choice(field: Field, raw: Any) -> str:
    if not isinstance(raw, str) or raw not in {value for value, _ in field.choices}:
        raise ValidationError(f"{field.label}: choose one of the listed answers.")
    return str(raw)


def _integer(field: Field, raw: Any) -> int:
    if (
        isinstance(raw, bool)
        or (isinstance(raw, str) and not raw.isdecimal())
        or not isinstance(raw, int | str)
    ):
        raise ValidationError(f"{field.label} must be a whole number, such as 4.")
    value = int(raw) if len(str(raw)) < 10 else -1
    low, high = field.minimum or 0, field.maximum if field.maximum is not None else 10**9
    if not low <= value <= high:
        raise ValidationError(f"{field.label} must be between {low} and {high}.")
    return value


def _countries(field: Field, raw: Any) -> list[str]:
    """Countries from a list of codes, or from one line with commas."""
    given = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(given, list) or len(given) > 250 or not all(isinstance(item, str) for item in given):
        raise ValidationError(f"{field.label} must be countries separated by commas, such as US, MX.")
    found = [rules.country(rules.plain_text(item)) for item in given if item.strip()]
    return list(dict.fromkeys(found))


def _boolean(field: Field, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw in {"true", "on", "yes", "True"}:
        return True
    if isinstance(raw, str) and raw in {"false", "off", "no", "False"}:
        return False
    raise ValidationError(f"{field.label}: answer yes or no.")


def _date(field: Field, raw: Any) -> date:
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(raw) if len(raw) == 10 else _bad_date(field)
    except (TypeError, ValueError):
        return _bad_date(field)


def _bad_date(field: Field) -> date:
    raise ValidationError(f"{field.label} must be a real date, such as 1988-04-17.")


_READERS: dict[Kind, Callable[[Field, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.EMAIL: lambda field, raw: rules.email(_text(field, raw)),
    Kind.PHONE: lambda field, raw: rules.phone(_text(field, raw), field.region),
    Kind.DATE: _date,
    Kind.CHOICE: _choice,
    Kind.COUNTRY: lambda field, raw: rules.country(_text(field, raw)),
    Kind.COUNTRIES: _countries,
    Kind.STATE: _text,
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.TAX_ID: _text,
}
