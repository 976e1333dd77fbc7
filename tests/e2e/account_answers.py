"""What the people and companies of the browser's journeys answer, never twice the same where that would count."""

import io
import uuid
from datetime import date, timedelta
from typing import Any

import pikepdf
from playwright.sync_api import Page

from tests.onboarding import answers

Answers = dict[str, Any]
BERLIN: Answers = {"line1": "Musterstraße 1", "city": "Berlin", "postal_code": "10115"}
COMPANY: Answers = {
    "legal_name": "Sample Works",
    "formation_date": date(2015, 4, 17),
    "registration_status": "CURRENTLY_REGISTERED",
    "entity_email": "office@example.test",
    "entity_phone": "512 555 0199",
}
BUSINESS: Answers = {
    "operating_industry": "Software",
    "operating_countries": "United States of America, Mexico",
    "annual_net_income": "FROM_1M_TO_2M",
}


def number() -> int:
    """A number nobody had: the same birth date and tax number would be held as a possible duplicate."""
    return uuid.uuid4().int


def born(earliest: date = date(1950, 1, 1), days: int = 18_000) -> date:
    """A day nobody else of the run was born on, almost surely."""
    return earliest + timedelta(days=number() % days)


def lives_at(prefix: str, country: str = "US") -> Answers:
    """The answers of an address in the United States or in Berlin."""
    if country == "DE":
        return {f"{prefix}_{name}": value for name, value in (BERLIN | {"country": "DE"}).items()}
    return {
        f"{prefix}_{name}": answers.HOME[f"home_{name}"]
        for name in ("line1", "city", "state", "postal_code", "country")
    }


def person(given: str, family: str, country: str = "US", birth: date | None = None) -> dict[str, Answers]:
    """What somebody answers about themselves or another person, per step."""
    identity: Answers = {"given_name": given, "family_name": family, "date_of_birth": birth or born()}
    if country == "US":
        identity |= {"tax_id_type": "SSN", "tax_id": f"536-{10 + number() % 80}-{1000 + number() % 9000}"}
    else:
        identity |= {
            "tax_id_type": "NATIONAL_ID",
            "tax_id": str(10**10 + number() % 10**10),
            "tax_id_country": country,
        }
    work: Answers = {"situation": "EMPLOYED", "employer_name": "Sample Works LLC", "position": "Analyst"}
    return {
        "identity": identity,
        "contact": {
            "email": f"{uuid.uuid4().hex[:12]}@example.test",
            "phone": "512 555 0143" if country == "US" else "030 901820",
        },
        "address": lives_at("home", country),
        "employment": work | lives_at("employer", country),
    }


def fill(page: Page, given: Answers) -> None:
    """Fill in what is given; each question shows by then."""
    for name, value in given.items():
        if isinstance(value, date):
            for part in ("month", "day", "year"):
                page.fill(f"[name={name}_{part}]", str(getattr(value, part)))
            continue
        control = page.locator(f"[name={name}]")
        kind = control.first.evaluate("it => it.type")
        if kind == "radio":
            page.check(f"[name={name}][value='{value}']")
        elif kind == "checkbox":
            control.set_checked(value)
        elif kind == "select-one":
            control.select_option(value)
        else:
            control.fill(str(value))


def account(trusted: Answers | None = None) -> dict[str, Answers]:
    """What is answered about the account as a whole."""
    return {
        "investment": answers.INVESTMENT,
        "trusted_contact": trusted or {},
    }


def company(name: str) -> dict[str, Answers]:
    """What is answered about a company or trust."""
    return {
        "entity": COMPANY | {"legal_name": name, "entity_tax_id": f"12-{1_000_000 + number() % 9_000_000}"},
        "entity_address": lives_at("registered") | lives_at("operating"),
        "entity_business": BUSINESS,
    }


def pdf() -> bytes:
    """A PDF of one empty page, never twice the same."""
    into = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.docinfo["/Title"] = f"Invented paper {number()}"
        made.save(into)
    return into.getvalue()
