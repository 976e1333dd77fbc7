"""Money: an integer number of minor units and its ISO 4217 currency, never a float (style.md, section 4).

Rows keep it as two columns, `amount_minor` and `currency`; a provider's wire form is made in that provider's
payloads alone. The number of decimals of a currency comes from the CLDR data in babel.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, total_ordering
from typing import Any

from babel.numbers import format_currency, get_currency_precision, list_currencies

#: What a BigIntegerField holds.
LARGEST_MINOR = 2**63 - 1
_DECIMAL = re.compile(r"(-?)(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


class MoneyError(ValueError):
    """The text, number or currency is no amount of money. The words are safe to show."""


class CurrencyMismatch(TypeError):
    """Two amounts of different currencies met in one calculation."""


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies()) - {"XXX", "XTS"}  # "no currency" and "for testing"


def exponent_of(currency: str) -> int:
    """How many decimals the currency has (JPY 0, USD 2, OMR 3). Raises MoneyError for an unknown one."""
    if currency not in _currencies():
        raise MoneyError(f"{currency!r} is not a currency code.")
    # babel answers 2 for what it does not list, so the code itself is checked first.
    return int(get_currency_precision(currency))


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount. Adding, subtracting, comparing refuse mixed currencies; only whole numbers multiply it."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:  # bool is an int to isinstance
            raise TypeError(f"minor units are a whole number, not {type(self.minor).__name__}")
        if abs(self.minor) > LARGEST_MINOR:
            raise MoneyError("The amount is too large.")
        exponent_of(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """The amount written as a plain decimal: "100.50", "-3", "7". Spaces around it are forgiven.

        Raises MoneyError for exponents, NaN, separators, signs other than one leading minus, and more
        decimals than the currency has; TypeError for anything but text, floats above all.
        """
        if not isinstance(text, str):
            raise TypeError(f"money is parsed from text, not from {type(text).__name__}")
        exponent = exponent_of(currency)
        match = _DECIMAL.fullmatch(text.strip(" "))
        if match is None:
            raise MoneyError("Write the amount as a number such as 100.50.")
        sign, whole, fraction = match[1], match[2], match[3] or ""
        if len(fraction) > exponent:
            allowed = f"at most {exponent}" if exponent else "no"
            raise MoneyError(f"An amount in {currency} has {allowed} decimals.")
        return cls(int(f"{sign}{whole}{fraction.ljust(exponent, '0')}"), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in the currency."""
        return cls(0, currency)

    @classmethod
    def from_columns(cls, amount_minor: int | None, currency: str) -> "Money | None":
        """The amount a row keeps in its two columns; None where it keeps none."""
        return None if amount_minor is None else cls(amount_minor, currency)

    def as_decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.minor).scaleb(-exponent_of(self.currency))

    def as_decimal_string(self) -> str:
        """The amount as JSON carries it: "100.50" with all the currency's decimals. `parse` reads it back."""
        exponent = exponent_of(self.currency)
        digits = str(abs(self.minor)).rjust(exponent + 1, "0")
        text = f"{digits[:-exponent]}.{digits[-exponent:]}" if exponent else digits
        return f"-{text}" if self.minor < 0 else text

    def format(self, locale: str = "en_US") -> str:
        """The amount as people of the locale write it: "$1,234.50"."""
        return str(format_currency(self.as_decimal(), self.currency, locale=locale.replace("-", "_")))

    def _same(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not mix")
        return other

    def __add__(self, other: object) -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: object) -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._same(other).minor, self.currency)

    def __mul__(self, factor: object) -> "Money":
        if type(factor) is not int:
            return NotImplemented
        return Money(self.minor * factor, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: object) -> Any:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.as_decimal_string()} {self.currency}"
