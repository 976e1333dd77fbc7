"""What is asked of each person of an account: who they are, how to reach them, where they live, what they do.

Which questions and by which rules depends on the person: the account, the role in it and the country of residence
(seed 000 "Identity", contract 4.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django_countries import countries

from onboarding import words
from onboarding.requirements import rules
from onboarding.requirements.account import AGREEMENTS
from onboarding.requirements.addresses import US, address_fields, fit_their_country
from onboarding.requirements.choices import choices_of
from onboarding.requirements.fields import Field, Kind, Problem, Shown
from onboarding.requirements.roles import role_rule
from onboarding.requirements.steps import Step, StepName
from onboarding.requirements.wording import of_another

TaxIdType = words.TaxIdType
WORKING = Shown(
    "situation",
    frozenset({words.EmploymentSituation.EMPLOYED.value, words.EmploymentSituation.SELF_EMPLOYED.value}),
)
NUMBERED = Shown(
    "tax_id_type", frozenset({TaxIdType.SSN.value, TaxIdType.ITIN.value, TaxIdType.NATIONAL_ID.value})
)


@dataclass(frozen=True)
class Person:
    """What decides a person's questions. `country` is where they live, ISO alpha-2.

    `reads_it`: the questions are put to the person themselves, not to somebody who answers for them.
    """

    account_type: str
    entity_type: str
    role: str
    country: str
    is_applicant: bool = True
    reads_it: bool = True


@lru_cache(maxsize=512)
def steps_of_person(person: Person) -> tuple[Step, ...]:
    """A person's own steps, in the order they are asked."""
    rule = role_rule(person.account_type, person.entity_type, person.role)
    assert rule is not None, f"{person.account_type} has no {person.role}"
    works = not rule.minor and not rule.any_age
    birth = (
        rules.minor_birth_date if rule.minor else rules.birth_date if rule.any_age else rules.adult_birth_date
    )
    identity = _identity(person, birth)
    if rule.minor:
        identity = replace(
            identity, fields=tuple(field for field in identity.fields if field.name != "marital_status")
        )
    steps = [identity, _contact(person), _address(person)]
    if works:
        steps.append(_employment(person))
    if not person.reads_it:
        steps = [of_another(step) for step in steps]
    if rule.for_themselves or person.is_applicant:
        steps.append(AGREEMENTS)
    return tuple(steps)


def _identity(person: Person, birth_date: Callable[[Any], Any]) -> Step:
    return Step(
        StepName.IDENTITY,
        "Who you are",
        "Identity",
        (
            "Enter the details as they stand on the government identity document. "
            "Federal law asks us to verify who opens an account."
        ),
        (
            Field(
                "given_name",
                "First name",
                store=("owner", "given_name"),
                autocomplete="given-name",
                rule=rules.person_name,
            ),
            Field(
                "middle_names",
                "Middle names",
                store=("owner", "middle_names"),
                required=False,
                autocomplete="additional-name",
                rule=rules.person_name,
            ),
            Field(
                "family_name",
                "Last name",
                store=("owner", "family_name"),
                autocomplete="family-name",
                rule=rules.person_name,
            ),
            Field(
                "date_of_birth",
                "Date of birth",
                Kind.DATE,
                ("owner", "date_of_birth"),
                hint="For example 4 17 1988",
                autocomplete="bday",
                sensitive=True,
                rule=birth_date,
            ),
            Field(
                "marital_status",
                "Marital status",
                Kind.CHOICE,
                ("owner", "marital_status"),
                required=False,
                choices=choices_of(words.MaritalStatus),
            ),
            *(_american_tax_id() if person.country == US else _foreign_tax_id(person.country)),
        ),
        _tax_id_fits_type,
        of_owner=True,
    )


def _american_tax_id() -> tuple[Field, ...]:
    return (
        Field(
            "tax_id_type",
            "Type of tax number",
            Kind.CHOICE,
            ("owner", "tax_id_type"),
            choices=_tax_choices(TaxIdType.SSN, TaxIdType.ITIN),
            missing="Choose the type of tax number.",
        ),
        Field(
            "tax_id",
            "Tax number",
            Kind.TAX_ID,
            ("owner", "tax_id"),
            max_length=20,
            sensitive=True,
            hint="Nine digits. It is stored encrypted and shown masked from here on.",
        ),
    )


def _foreign_tax_id(country: str) -> tuple[Field, ...]:
    name = countries.name(country)
    return (
        Field(
            "tax_id_type",
            "Which number can you give?",
            Kind.CHOICE,
            ("owner", "tax_id_type"),
            choices=_tax_choices(TaxIdType.NATIONAL_ID, TaxIdType.SSN, TaxIdType.ITIN, TaxIdType.NONE),
            missing="Choose a kind of number, or that there is none.",
            hint=f"The number by which {name} knows a person, for tax or identity.",
        ),
        Field(
            "tax_id",
            "Number",
            Kind.TAX_ID,
            ("owner", "tax_id"),
            max_length=40,
            sensitive=True,
            shown=NUMBERED,
            hint="It is stored encrypted and shown masked from here on.",
        ),
        Field(
            "tax_id_country",
            "Country that issued it",
            Kind.COUNTRY,
            ("owner", "tax_id_country"),
            shown=Shown("tax_id_type", frozenset({TaxIdType.NATIONAL_ID.value})),
            missing="Choose the country that issued the number.",
        ),
        Field(
            "no_tax_id_reason",
            "Why there is none",
            Kind.CHOICE,
            ("owner", "no_tax_id_reason"),
            choices=choices_of(words.NoTaxId),
            shown=Shown("tax_id_type", frozenset({TaxIdType.NONE.value})),
            missing="Choose why there is none.",
        ),
    )


def _tax_choices(*kinds: words.TaxIdType) -> tuple[tuple[str, str], ...]:
    return tuple((kind.value, str(kind.label)) for kind in kinds)


_TAX_RULES: dict[str, Callable[[str], str]] = {
    TaxIdType.SSN: rules.ssn,
    TaxIdType.ITIN: rules.itin,
    TaxIdType.NATIONAL_ID: rules.national_number,
}


def _tax_id_fits_type(answers: dict[str, Any]) -> Mapping[str, Any]:
    rule = _TAX_RULES.get(answers["tax_id_type"])
    if rule is None:
        return {}
    try:
        return {"tax_id": rule(answers["tax_id"])}
    except ValidationError as error:
        raise Problem({"tax_id": list(error.messages)}) from error


def _contact(person: Person) -> Step:
    return Step(
        StepName.CONTACT,
        "How to reach you",
        "Contact",
        "The provider's identity check uses both, and we write here when something changes.",
        (
            Field(
                "email",
                "E-mail address",
                Kind.EMAIL,
                ("owner", "email"),
                max_length=254,
                autocomplete="email",
            ),
            Field(
                "phone",
                "Mobile phone number",
                Kind.PHONE,
                ("owner", "phone"),
                max_length=30,
                region=person.country,
                autocomplete="tel",
                hint="With country code if it is a number of another country.",
            ),
        ),
        of_owner=True,
    )


def _address(person: Person) -> Step:
    return Step(
        StepName.ADDRESS,
        "Where you live",
        "Address",
        "The home address decides what the law there allows.",
        (
            *address_fields(
                "home",
                "residential",
                "Home address",
                person.country,
                home=True,
                autofill=True,
            ),
            Field(
                "mailing_same",
                "Send letters to the home address",
                Kind.BOOLEAN,
                ("owner", "mailing_same_as_home"),
                required=False,
                group="Mailing address",
            ),
            *address_fields(
                "mailing",
                "mailing",
                "Mailing address",
                person.country,
                shown=Shown("mailing_same", frozenset({False})),
            ),
        ),
        fit_their_country("home", "mailing"),
        of_owner=True,
    )


def _employment(person: Person) -> Step:
    return Step(
        StepName.EMPLOYMENT,
        "Your work",
        "Employment",
        "Regulations ask us to know where customers' money comes from.",
        (
            Field(
                "situation",
                "What describes you best?",
                Kind.CHOICE,
                ("employment", "situation"),
                choices=choices_of(words.EmploymentSituation),
                missing="Choose what fits best.",
            ),
            Field(
                "employer_name",
                "Employer",
                store=("employment", "employer_name"),
                hint="Your own business if you are self-employed.",
                shown=WORKING,
                autocomplete="organization",
                group="Employer",
            ),
            Field(
                "position",
                "Position",
                store=("employment", "position"),
                shown=WORKING,
                autocomplete="organization-title",
                group="Employer",
            ),
            Field(
                "years_employed",
                "Years there",
                Kind.INTEGER,
                ("employment", "years_employed"),
                required=False,
                maximum=80,
                shown=WORKING,
                group="Employer",
            ),
            *address_fields("employer", "employer", "Employer's address", person.country, shown=WORKING),
        ),
        fit_their_country("employer"),
        of_owner=True,
    )
