"""What one row says, by our questions: cleaned answers, or what is wrong with which answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from onboarding.imports.questions import ACCOUNT_TYPE, CLIENT_ACCOUNT_ID, steps_for
from onboarding.models import Owner
from onboarding.requirements import Problem, Step, rules
from onboarding.requirements.grace import lenient, may_lack_step
from onboarding.words import AccountType
from portal.sealed import BlindIndexField, blind_index


@dataclass
class Reading:
    """A row as it was understood. `answers` are complete where there are no `errors`."""

    country: str
    client_account_id: str = ""
    #: Step by step, in the order they are asked; steps that may be missing and are, are left out.
    answers: list[tuple[Step, dict[str, Any]]] = field(default_factory=list)
    errors: dict[str, list[str]] = field(default_factory=dict)

    def answer(self, name: str) -> Any:
        """The cleaned answer to a question, None where there is none."""
        return next((found[name] for _, found in self.answers if name in found), None)


def read_row(
    cells: Sequence[Any], columns: Sequence[str], mapping: Mapping[str, str], country: str, *, in_grace: bool
) -> Reading:
    """Understand a row. `country` stands in where it names none; `in_grace`: some answers may be missing."""
    by_column = dict(zip(columns, cells, strict=True))
    given = {
        question: by_column[column]
        for question, column in mapping.items()
        if not _is_blank(by_column.get(column))
    }
    reading = Reading(country)
    _account(reading, given)
    try:
        reading.country = rules.country(given["home_country"]) if "home_country" in given else country
    except ValidationError as error:
        # The other questions are asked as of the batch's country, so that all mistakes are told at once.
        reading.errors["home_country"] = list(error.messages)
    given["home_country"] = reading.country
    _open(given)
    for step in steps_for(reading.country):
        raw = {question.name: given[question.name] for question in step.fields if question.name in given}
        if not raw and (step.optional or (in_grace and may_lack_step(step.name))):
            continue
        try:
            reading.answers.append((step, (lenient(step) if in_grace else step).clean(raw)))
        except Problem as problem:
            for name, sentences in problem.fields.items():
                reading.errors.setdefault(name, sentences)
    return reading


def indexes_of(reading: Reading) -> dict[str, str]:
    """Keyed hashes by which the person is found again, in this file and among owners."""
    found = {"email_index": "", "tax_id_index": "", "person_index": "", "account_index": ""}
    if email := reading.answer("email"):
        found["email_index"] = blind_index("onboarding.import.email", email, "casefold")
    if tax_id := reading.answer("tax_id"):
        index = Owner._meta.get_field("tax_id_index")
        assert isinstance(index, BlindIndexField)
        found["tax_id_index"] = index.index_of(tax_id)
    given, family, born = (reading.answer(name) for name in ("given_name", "family_name", "date_of_birth"))
    if given and family and isinstance(born, date):
        found["person_index"] = Owner.person_hash(given, family, born)
    if reading.client_account_id:
        found["account_index"] = blind_index("onboarding.import.account", reading.client_account_id, "exact")
    return found


def _is_blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _account(reading: Reading, given: dict[str, Any]) -> None:
    """The columns that are no question of the form."""
    kind = given.pop(ACCOUNT_TYPE, AccountType.INDIVIDUAL)
    if not isinstance(kind, str) or kind.strip().upper() != AccountType.INDIVIDUAL:
        reading.errors[ACCOUNT_TYPE] = [
            "Only individual accounts can be imported. Open this one by hand, or leave the row out."
        ]
    number = given.pop(CLIENT_ACCOUNT_ID, "")
    number = str(number) if isinstance(number, int) and not isinstance(number, bool) else number
    if number and not (
        isinstance(number, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", number.strip())
    ):
        reading.errors[CLIENT_ACCOUNT_ID] = [
            "An account number has 1 to 32 letters, digits, hyphens, dots and underscores."
        ]
    elif number:
        reading.client_account_id = number.strip()


def _open(given: dict[str, Any]) -> None:
    """Answer the questions that a file has no column for, since its other columns say it."""
    if "mailing_same" not in given:
        given["mailing_same"] = not any(name.startswith("mailing_") for name in given)
    if any(name.startswith("contact_") for name in given):
        given.setdefault("has_contact", True)
    lines = {"contact_line1", "contact_line2", "contact_city", "contact_state", "contact_postal_code"}
    if lines & given.keys():
        given.setdefault("contact_has_address", True)
