"""Money: exact, of one currency, and read back as it was written."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.money import LARGEST_MINOR, CurrencyMismatch, Money, MoneyError, exponent_of

CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "OMR", "CLF", "KRW"])
MINOR = st.integers(-LARGEST_MINOR, LARGEST_MINOR)
SMALL = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("100.50", "USD", 10050),
        ("100.5", "USD", 10050),
        ("100", "USD", 10000),
        (" 0.01 ", "USD", 1),
        ("-3", "USD", -300),
        ("007", "USD", 700),
        ("100", "JPY", 100),
        ("1.234", "OMR", 1234),
        ("92233720368547758.07", "USD", LARGEST_MINOR),
    ],
)
def test_parse(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "USD"),
        (".5", "USD"),
        ("5.", "USD"),
        ("1e3", "USD"),
        ("NaN", "USD"),
        ("Infinity", "USD"),
        ("+5", "USD"),
        ("--5", "USD"),
        ("1,000.00", "USD"),
        ("1_000", "USD"),
        ("$5", "USD"),
        ("١٢٣", "USD"),
        ("5\n", "USD"),
        ("1.005", "USD"),
        ("1.0", "JPY"),
        ("1.2345", "OMR"),
        ("1", "usd"),
        ("1", "XXX"),
        ("1", "ABC"),
        ("1", ""),
        ("92233720368547758.08", "USD"),
        ("9" * 400, "USD"),
    ],
)
def test_parse_refuses(text: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, currency)


@pytest.mark.parametrize("value", [1.5, 1, Decimal("1.5"), None, b"1"])
def test_parse_takes_text_only(value: object) -> None:
    with pytest.raises(TypeError):
        Money.parse(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1.0, "1", True, None, Decimal(1)])
def test_minor_units_are_whole_numbers(value: object) -> None:
    with pytest.raises(TypeError):
        Money(value, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(("currency", "exponent"), [("JPY", 0), ("USD", 2), ("OMR", 3)])
def test_exponents(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


@given(MINOR, CURRENCIES)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.parse(money.as_decimal_string(), currency) == money
    assert Decimal(money.as_decimal_string()) == money.as_decimal()
    assert json.loads(json.dumps(money.as_decimal_string())) == money.as_decimal_string()


@given(st.text(max_size=30), CURRENCIES)
def test_any_text_is_an_amount_or_refused(text: str, currency: str) -> None:
    try:
        money = Money.parse(text, currency)
    except MoneyError:
        return
    assert money.as_decimal() == Decimal(text.strip())


@given(SMALL, SMALL, SMALL, CURRENCIES)
def test_sums(a: int, b: int, c: int, currency: str) -> None:
    x, y, z = (Money(minor, currency) for minor in (a, b, c))
    assert (x + y) + z == x + (y + z) == sum([x, y, z], Money.zero(currency))
    assert x + y - y == x
    assert x - x == Money.zero(currency)
    assert x * 3 == x + x + x == 3 * x
    assert Money.zero(currency) - x == -x
    assert abs(x).minor == abs(a)
    assert (x < y, x <= y, x > y) == (a < b, a <= b, a > b)
    assert bool(x) == bool(a)


def test_currencies_do_not_mix() -> None:
    dollars, yen = Money(100, "USD"), Money(100, "JPY")
    for calculation in (
        lambda: dollars + yen,
        lambda: dollars - yen,
        lambda: dollars < yen,
        lambda: dollars >= yen,
    ):
        with pytest.raises(CurrencyMismatch):
            calculation()
    assert dollars != yen


@pytest.mark.parametrize("other", [1, 1.5, Decimal(1), "1", None])
def test_money_meets_money_only(other: object) -> None:
    with pytest.raises(TypeError):
        Money(1, "USD") + other
    with pytest.raises(TypeError):
        assert Money(1, "USD") < other
    assert Money(1, "USD") != other


@pytest.mark.parametrize("factor", [1.5, Decimal(2), True])
def test_only_whole_numbers_multiply(factor: object) -> None:
    with pytest.raises(TypeError):
        Money(1, "USD") * factor


def test_sums_that_leave_the_column_are_refused() -> None:
    with pytest.raises(MoneyError, match="too large"):
        Money(LARGEST_MINOR, "USD") + Money(1, "USD")


def test_columns() -> None:
    assert Money.from_columns(1050, "USD") == Money.parse("10.50", "USD")
    assert Money.from_columns(None, "USD") is None


@pytest.mark.parametrize(
    ("money", "locale", "text"),
    [
        (Money(123450, "USD"), "en_US", "$1,234.50"),
        (Money(-5, "USD"), "en-US", "-$0.05"),
        (Money(1234, "JPY"), "en_US", "¥1,234"),
        (Money(123450, "EUR"), "de_DE", "1.234,50\xa0€"),
        (Money(LARGEST_MINOR, "USD"), "en_US", "$92,233,720,368,547,758.07"),
    ],
)
def test_format(money: Money, locale: str, text: str) -> None:
    assert money.format(locale) == text


def test_it_prints_and_cannot_be_changed() -> None:
    money = Money(10050, "USD")
    assert f"{money}" == "100.50 USD"
    assert str(Money(-5, "OMR")) == "-0.005 OMR"
    with pytest.raises(AttributeError):
        money.minor = 1  # type: ignore[misc]
    assert len({money, Money(10050, "USD"), Money(10050, "EUR")}) == 2
