"""What a column of the file can answer: the questions of an individual's application, by the one description."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from onboarding.requirements import Person, Step, steps_of_account, steps_of_person
from onboarding.requirements.grace import may_lack_answer, may_lack_step
from onboarding.words import AccountType, OwnerRole

#: Columns that are no question of the form.
CLIENT_ACCOUNT_ID = "client_account_id"
ACCOUNT_TYPE = "account_type"

#: Names other systems give to the same thing, as they look after `_plain`.
_OTHER_NAMES: dict[str, tuple[str, ...]] = {
    CLIENT_ACCOUNT_ID: ("accountid", "accountnumber", "accountno", "clientid", "customerid"),
    "given_name": ("firstname", "forename"),
    "middle_names": ("middlename",),
    "family_name": ("lastname", "surname"),
    "date_of_birth": ("birthdate", "birthday", "dob", "dateofbirth"),
    "tax_id": ("taxnumber", "taxid", "ssn", "nationalid"),
    "tax_id_type": ("taxtype",),
    "email": ("emailaddress", "mail"),
    "phone": ("phonenumber", "mobile", "telephone"),
    "home_line1": ("street", "streetaddress", "address", "address1", "addressline1", "line1"),
    "home_line2": ("address2", "addressline2", "line2", "apartment"),
    "home_city": ("city", "town"),
    "home_state": ("state", "province", "region"),
    "home_postal_code": ("zip", "zipcode", "postalcode", "postcode"),
    "home_country": ("country", "countryofresidence"),
    "employer_name": ("employer",),
    "position": ("occupation", "jobtitle"),
    "situation": ("employmentstatus",),
    "annual_income_range": ("annualincome", "income"),
}


@dataclass(frozen=True)
class Target:
    """Something a column may answer."""

    name: str
    label: str
    group: str
    required: bool


def person_from(country: str) -> Person:
    """Who an imported person is, for the questions: the one owner of an individual account."""
    return Person(AccountType.INDIVIDUAL, "", OwnerRole.PRIMARY_OWNER, country)


def steps_for(country: str) -> tuple[Step, ...]:
    """The steps a row may answer, for somebody who lives in `country`; agreements are accepted in person."""
    own = tuple(step for step in steps_of_person(person_from(country)) if step.fields)
    return (*own, *steps_of_account(country))


@cache
def targets() -> dict[str, Target]:
    """Every question a column may answer, by name; the questions of all countries together."""
    found = {
        CLIENT_ACCOUNT_ID: Target(CLIENT_ACCOUNT_ID, "Account number to keep", "Account", False),
        ACCOUNT_TYPE: Target(ACCOUNT_TYPE, "Account type", "Account", False),
    }
    # The second country adds what is asked of people outside the United States.
    for country in ("US", "DE"):
        for step in steps_for(country):
            for field in step.fields:
                required = country == "US" and field.required and field.shown is None and not step.optional
                may_lack = may_lack_step(step.name) or may_lack_answer(step.name, field.name)
                label = f"{field.group}: {field.label}" if field.group else field.label
                found.setdefault(field.name, Target(field.name, label, step.short, required and not may_lack))
    return found


def guess(columns: list[str]) -> dict[str, str]:
    """{question: column} where the names say so; each column answers one question."""
    by_plain: dict[str, str] = {}
    for column in columns:
        by_plain.setdefault(_plain(column), column)
    found: dict[str, str] = {}
    for name in targets():
        for plain in (_plain(name), *_OTHER_NAMES.get(name, ())):
            if plain in by_plain:
                found[name] = by_plain.pop(plain)
                break
    return found


def lacking(mapping: Mapping[str, str]) -> list[str]:
    """Labels of the questions without which no row can be imported and that no column answers."""
    # The country has the batch's to fall back on, and the state and postal code are not needed everywhere.
    elsewhere = {"home_country", "home_state", "home_postal_code"}
    return [
        target.label
        for target in targets().values()
        if target.required and target.name not in mapping and target.name not in elsewhere
    ]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
