"""Places and what may be traded there: made-up data behind the published filters (contract, 4.6)."""

from typing import Any

import pytest

from tests.sandbox.conftest import V2, Caller

ALL, DEPRECATED = f"{V2}/jurisdictions/all", f"{V2}/jurisdictions"


def ask(caller: Caller, path: str = ALL, **query: str) -> list[dict[str, Any]]:
    answer = caller.get(path, params=query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["jurisdictions"]
    return found


def words(place: dict[str, Any], domain: str = "orders") -> dict[str, str]:
    return {item["tradingPair"]: item["status"] for item in place["domain"][domain]}


@pytest.mark.parametrize("path", [ALL, DEPRECATED])
def test_filters_by_the_published_priority(caller: Caller, path: str) -> None:
    def places(**query: str) -> set[str]:
        return {
            f"{place['countryCode']} {place['stateCode']}".strip() for place in ask(caller, path, **query)
        }

    everywhere = places()
    assert len(everywhere) > 60
    assert places(country="GBR") == {"GBR"}
    assert places(state="NY", country="GBR") == {"USA NY"}, "the state wins over the country"
    assert places(tradingPair="SOLUSD", state="NY") == everywhere, "the pair wins over the state"
    assert places(currency="BTC", country="GBR") == everywhere, "so does the currency"
    assert places(country="ZZZ") == places(tradingPair="XXXUSD") == set()
    for place in ask(caller, path, tradingPair="SOLUSD", currency="BTC"):
        assert set(words(place)) == {"SOLUSD"}


def test_new_york_is_restricted_hawaii_sells_only_and_one_country_is_closed(caller: Caller) -> None:
    places = {(place["countryCode"], place["stateCode"]): place for place in ask(caller)}
    assert words(places["USA", "NY"])["BTCUSD"] == "OPEN"
    assert words(places["USA", "NY"])["SOLUSD"] == "PROHIBITED"
    assert set(words(places["USA", "HI"]).values()) == {"CLOSE"}
    shut = [
        key
        for key, place in places.items()
        if {word for name in place["domain"] for word in words(place, name).values()} == {"PROHIBITED"}
    ]
    assert shut == [("PRK", "")]
    still_open = [place for place in places.values() if set(words(place).values()) == {"OPEN"}]
    assert len(still_open) > 0.9 * len(places)
