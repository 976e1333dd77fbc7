"""Bad input: every answer that does not hold is named with its fix, and nothing is kept of it."""

from datetime import date
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError

from onboarding.requirements import (
    INVESTMENT,
    Field,
    Person,
    Problem,
    rules,
    step_named,
    steps_of_person,
    trusted_contact,
)
from tests.onboarding import answers

STEPS = (*steps_of_person(Person("INDIVIDUAL", "", "PRIMARY_OWNER", "US")), INVESTMENT)


def problems(step: str, **changes: Any) -> dict[str, list[str]]:
    """What the step says about a complete set of answers with changes."""
    found = step_named(STEPS, step)
    assert found is not None
    try:
        found.clean(answers.STEPS[step] | changes)
    except Problem as problem:
        return problem.fields
    return {}


@pytest.mark.parametrize("step", list(answers.STEPS))
def test_complete_answers_hold(step: str) -> None:
    assert problems(step) == {}


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "Enter your first name"),
        ("x" * 10_000, "100 characters or fewer; it has 10,000"),
        ("Ana\x00", "cannot be shown"),
        ("Ana\u202eevil", "cannot be shown"),
        ("Ana 😀", "Remove “😀”"),
        ("R2D2", "Remove “2”"),
        ("--", "at least one letter"),
        (["Ana"], "must be text"),
        (7, "must be text"),
    ],
)
def test_names_that_do_not_hold(value: Any, says: str) -> None:
    assert says in problems("identity", given_name=value)["given_name"][0]


@pytest.mark.parametrize(
    "value",
    ["José", "O'Neil", "Anne-Marie", "عائشة", "שָׂרָה", "李", "Ægir", "Jean  Paul ", "علی‌رضا", "བསྟན་འཛིན"],
)
def test_names_of_any_script_hold(value: str) -> None:
    assert problems("identity", given_name=value) == {}


@pytest.mark.parametrize(
    ("kind", "number", "says"),
    [
        ("SSN", "12345678", "nine digits"),
        ("SSN", "000-12-3456", "not a possible Social Security number"),
        ("SSN", "666-12-3456", "not a possible Social Security number"),
        ("SSN", "536-00-1234", "not a possible Social Security number"),
        ("SSN", "536-22-0000", "not a possible Social Security number"),
        ("SSN", "912-50-3456", "choose that type instead"),
        ("SSN", "٥٣٦٢٢١٢٣٤", "nine digits"),
        ("ITIN", "536-22-1234", "not a possible ITIN"),
        ("ITIN", "912-93-3456", "not a possible ITIN"),
        ("ITIN", "", "Enter your tax number"),
    ],
)
def test_tax_numbers_that_do_not_hold(kind: str, number: str, says: str) -> None:
    assert says in problems("identity", tax_id_type=kind, tax_id=number)["tax_id"][0]


@pytest.mark.parametrize("number", ["912-50-3456", "912-65-3456", "900-70-0000", "999 99 9999"])
def test_itins_with_every_allowed_middle_hold(number: str) -> None:
    assert problems("identity", tax_id_type="ITIN", tax_id=number) == {}


@pytest.mark.parametrize(
    ("born", "says"),
    [
        ("2008-11-22", "18 or older"),
        ("2031-01-01", "in the future"),
        ("1899-01-01", "120 years ago"),
        ("1988-02-30", "real date"),
        ("17.04.1988", "real date"),
        ("", "Enter your date of birth"),
        (19880417, "real date"),
    ],
)
@time_machine.travel("2026-11-21T12:00:00Z")
def test_birth_dates_that_do_not_hold(born: Any, says: str) -> None:
    assert says in problems("identity", date_of_birth=born)["date_of_birth"][0]


@time_machine.travel("2026-11-21T12:00:00Z")
def test_eighteen_today_is_old_enough() -> None:
    assert rules.adult_birth_date(date(2008, 11, 21)) == date(2008, 11, 21)


@pytest.mark.parametrize(
    ("step", "field", "value", "says"),
    [
        ("contact", "email", "ana@", "name@example.com"),
        ("contact", "email", "", "Enter your e-mail address."),
        ("contact", "phone", "12", "too few or too many"),
        ("contact", "phone", "call me", "Enter a phone number"),
        ("address", "home_country", "ZZ", "Choose a country"),
        ("address", "home_country", "", "Choose the country of your home address."),
        ("address", "home_line1", "", "Enter the street of your home address."),
        ("address", "home_postal_code", "", "Enter the ZIP code of your home address."),
        ("employment", "employer_city", "", "Enter the city of your employer's address."),
        ("address", "home_country", "DE", "the country of residence"),
        ("address", "home_state", "Bavaria", "state or territory"),
        ("address", "home_postal_code", "7870", "five digits"),
        ("address", "home_postal_code", "10001", "not a ZIP code of Texas"),
        ("employment", "employer_state", "Bavaria", "state or territory"),
        ("employment", "employer_postal_code", "", "Enter the postal code"),
        ("address", "home_line1", "P.O. Box 7", "P.O. box can be the mailing address"),
        ("employment", "situation", "BORED", "hoose one of the listed"),
        ("employment", "years_employed", "four", "whole number"),
        ("employment", "years_employed", 99, "between 0 and 80"),
        ("investment", "annual_income_range", "LOTS", "hoose one of the listed"),
        ("investment", "federal_tax_bracket", True, "whole number"),
        ("contact", "favourite_colour", "teal", "no such field"),
    ],
)
def test_answers_that_do_not_hold(step: str, field: str, value: Any, says: str) -> None:
    found = problems(step, **{field: value})
    assert says in found[field][0]
    assert list(found) == [field]


def test_all_problems_come_at_once() -> None:
    assert set(problems("identity", given_name="", family_name="7", tax_id_type="XX")) == {
        "given_name",
        "family_name",
        "tax_id_type",
    }


def test_answers_are_kept_in_one_form() -> None:
    step = step_named(STEPS, "contact")
    assert step is not None
    assert step.clean(answers.CONTACT)["phone"] == "+15125550142"
    assert rules.country("usa") == "US"
    assert rules.us_state("texas") == "TX"
    with pytest.raises(ValidationError):
        rules.country("ZZZ")


def test_who_does_not_work_is_asked_for_no_employer() -> None:
    step = step_named(STEPS, "employment")
    assert step is not None
    assert step.clean({"situation": "RETIRED"}) == {"situation": "RETIRED"}


@pytest.mark.parametrize("label", ["ZIP code", "EIN"])
def test_abbreviations_keep_their_capitals(label: str) -> None:
    with pytest.raises(ValidationError) as told:
        Field("asked", label).clean("")
    assert told.value.messages == [f"Enter your {label}."]


def test_somebody_elses_answers_are_asked_for_as_theirs() -> None:
    found = {field.name: field for field in trusted_contact("US").fields}
    for name, says in (
        ("contact_given_name", "Enter their first name."),
        ("contact_city", "Enter the city of their address."),
    ):
        with pytest.raises(ValidationError) as told:
            found[name].clean("")
        assert told.value.messages == [says]
