"""How single values of Bakkt's bodies are read: words, amounts, moments. Tolerant where an event is read, strict
where a reply must be relied on."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.money import Money, MoneyError
from providers.errors import Unreadable
from providers.wire import instant

LONGEST_WORD = 255
#: The one currency of the fiat family (contract bakkt-partner.md, section 5.2); events need not repeat it.
CURRENCY = "USD"
#: A number beyond is no amount, and writing it out could take long.
MOST_DIGITS = 30


def word(body: dict[str, Any], *names: str) -> str:
    """The first short text under one of the names, as it came but without the NUL bytes and lone surrogates a
    database column cannot hold; empty where none is."""
    for name in names:
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value:
            return value.replace("\x00", "").encode("utf-8", "replace").decode()[:LONGEST_WORD]
    return ""


def moment(body: dict[str, Any], names: Iterable[str]) -> datetime | None:
    """The first moment under one of the names that can be read."""
    for name in names:
        try:
            return instant(body.get(name))
        except Unreadable:
            continue
    return None


def money(value: Any, currency: Any) -> Money:
    """The amount of a JSON number or text, exactly. Raises Unreadable for what is none, for a currency nobody
    knows, and for digits below the currency's smallest unit."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise Unreadable("not an amount")
    if not isinstance(currency, str):
        raise Unreadable("not a currency")
    try:
        number = Decimal(value)
        if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
            raise Unreadable("not an amount")
        whole, _, fraction = f"{number:f}".partition(".")
        fraction = fraction.rstrip("0")
        return Money.parse(f"{whole}.{fraction}" if fraction else whole, currency)
    except (ArithmeticError, MoneyError):
        raise Unreadable("not an amount in its currency") from None


def money_or_none(body: dict[str, Any]) -> Money | None:
    """The `amount` of an event in its `currency`, USD where it names none; None for what cannot be read."""
    try:
        return money(body.get("amount"), body.get("currency") or CURRENCY)
    except Unreadable:
        return None
