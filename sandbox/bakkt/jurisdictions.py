"""Where what may be traded. Wire contract, section 4.6. The places and their rules are made up."""

from collections.abc import Iterator, Mapping

from sandbox.state import Json

COINS = ("BTC", "ETH", "SOL", "DOGE")
OPEN, SELL_ONLY, PROHIBITED = "OPEN", "CLOSE", "PROHIBITED"
DOMAINS = ("orders", "staking", "transfers")
US_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND "
    "OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY"
)
COUNTRIES = ("AUS", "BRA", "CAN", "CHE", "DEU", "ESP", "FRA", "GBR", "IRL", "JPN", "MEX", "NLD", "PRK", "SGP")

# What differs from open, by place, domain and coin; "*" is every one.
RULES: Mapping[tuple[str, str], Mapping[tuple[str, str], str]] = {
    ("USA", "NY"): {
        ("orders", "SOL"): PROHIBITED,
        ("orders", "DOGE"): PROHIBITED,
        ("staking", "*"): PROHIBITED,
    },
    ("USA", "HI"): {("orders", "*"): SELL_ONLY, ("staking", "*"): PROHIBITED},
    ("GBR", ""): {("orders", "DOGE"): SELL_ONLY, ("staking", "*"): PROHIBITED},
    ("PRK", ""): {("*", "*"): PROHIBITED},
}


def _places() -> Iterator[tuple[str, str]]:
    yield from (("USA", state) for state in US_STATES.split())
    yield from ((country, "") for country in COUNTRIES)


def status_of(place: tuple[str, str], domain: str, coin: str) -> str:
    """Whether the coin may be bought, only sold, or neither."""
    rules = RULES.get(place, {})
    keys = ((domain, coin), (domain, "*"), ("*", "*"))
    return next((rules[key] for key in keys if key in rules), OPEN)


def listed(asked: Mapping[str, str]) -> list[Json]:
    """The places. Of several filters one counts: the pair, then the currency, the state, the country."""
    pair, currency = asked.get("tradingPair"), asked.get("currency")
    state, country = asked.get("state"), asked.get("country")
    coins = [coin for coin in COINS if (pair == f"{coin}USD" if pair else currency in (None, "", coin))]
    found = []
    for place in _places() if coins else ():
        if not (pair or currency) and (place[1] != state if state else country and place[0] != country):
            continue
        domain = {name: [_item(place, name, coin) for coin in coins] for name in DOMAINS}
        found.append({"countryCode": place[0], "stateCode": place[1], "domain": domain})
    return found


def _item(place: tuple[str, str], domain: str, coin: str) -> Json:
    return {"currency": coin, "tradingPair": f"{coin}USD", "status": status_of(place, domain, coin)}
