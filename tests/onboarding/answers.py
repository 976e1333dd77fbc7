"""A complete set of answers for tests, as a customer would give them."""

from datetime import date, timedelta
from itertools import count
from typing import Any

IDENTITY: dict[str, Any] = {
    "given_name": "Ana",
    "middle_names": "",
    "family_name": "Ortiz",
    "date_of_birth": "1988-04-17",
    "tax_id_type": "SSN",
    "tax_id": "536-22-1234",
}
CONTACT: dict[str, Any] = {"email": "ana@example.test", "phone": "512 555 0142"}
HOME: dict[str, Any] = {
    "home_line1": "100 Sample Street",
    "home_line2": "Apt 4",
    "home_city": "Austin",
    "home_state": "TX",
    "home_postal_code": "78701",
    "home_country": "US",
    "mailing_same": True,
}
EMPLOYMENT: dict[str, Any] = {
    "situation": "EMPLOYED",
    "employer_name": "Sample Works LLC",
    "position": "Analyst",
    "years_employed": 4,
    "employer_line1": "1 Works Avenue",
    "employer_line2": "",
    "employer_city": "Austin",
    "employer_state": "TX",
    "employer_postal_code": "78702",
    "employer_country": "US",
}
INVESTMENT: dict[str, Any] = {"investment_objective": "GROWTH", "annual_income_range": "FROM_50K_TO_100K"}
STEPS: dict[str, dict[str, Any]] = {
    "identity": IDENTITY,
    "contact": CONTACT,
    "address": HOME,
    "employment": EMPLOYMENT,
    "investment": INVESTMENT,
}

#: For tests that look for exactly these; made once in a test, or it is a possible duplicate.
ANA = {"date_of_birth": "1988-04-17", "tax_id": "536-22-1234"}

_people = count()


def another() -> dict[str, str]:
    """A birth date and a tax number nobody had so far: two applications with the same are possible duplicates."""
    number = next(_people)
    born = date(1960, 1, 1) + timedelta(days=number)
    return {
        "date_of_birth": born.isoformat(),
        "tax_id": f"536-{10 + number // 9000:02d}-{1000 + number % 9000}",
    }
