"""What is asked of a company or trust that holds an account (contract 4.4)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError

from onboarding import words
from onboarding.requirements import rules
from onboarding.requirements.addresses import US, address_fields, fit_their_country
from onboarding.requirements.choices import choices_of
from onboarding.requirements.fields import Field, Kind, Problem
from onboarding.requirements.steps import Step, StepName, worded


@lru_cache(maxsize=512)
def steps_of_entity(account_type: str, country: str) -> tuple[Step, ...]:
    """The entity's steps; `country` is where it is registered."""
    trust = account_type == words.AccountType.ENTITY_PERSONAL_TRUST
    word = "trust" if trust else "company"
    steps = (_entity(word, country), _addresses(word, country), _business(word))
    return tuple(worded(step, "its") for step in steps)


def _kept(name: str) -> tuple[str, str]:
    return ("entity", name)


def _entity(word: str, country: str) -> Step:
    american = country == US
    return Step(
        StepName.ENTITY,
        f"The {word}",
        word.capitalize(),
        f"As it stands in the papers of the {word}. We ask for those papers later.",
        (
            Field("legal_name", "Legal name", store=_kept("legal_name"), max_length=100),
            Field(
                "entity_tax_id",
                "EIN" if american else "Tax or registration number",
                Kind.TAX_ID,
                _kept("tax_id"),
                max_length=40,
                sensitive=True,
                hint="Nine digits, such as 12-3456789."
                if american
                else "As on the certificate of registration.",
            ),
            Field(
                "formation_date",
                "Date it was formed",
                Kind.DATE,
                _kept("formation_date"),
                required=False,
                hint="For example 4 17 2015",
                rule=rules.past_date,
            ),
            Field(
                "registration_status",
                "Registration",
                Kind.CHOICE,
                _kept("registration_status"),
                required=False,
                choices=choices_of(words.RegistrationStatus),
            ),
            Field("entity_email", "E-mail address", Kind.EMAIL, _kept("email"), max_length=254),
            Field(
                "entity_phone",
                "Phone number",
                Kind.PHONE,
                _kept("phone"),
                max_length=30,
                region=country,
                rule=rules.entity_phone,
            ),
        ),
        _number_fits(rules.employer_number if american else rules.national_number),
    )


def _number_fits(rule: Callable[[str], str]) -> Callable[[dict[str, Any]], Mapping[str, Any]]:
    def check(answers: dict[str, Any]) -> dict[str, Any]:
        try:
            return {"entity_tax_id": rule(answers["entity_tax_id"])}
        except ValidationError as error:
            raise Problem({"entity_tax_id": list(error.messages)}) from error

    return check


def _addresses(word: str, country: str) -> Step:
    return Step(
        StepName.ENTITY_ADDRESS,
        f"Where the {word} is",
        "Addresses",
        "The registered address is the one in the register. The operating address is where the work is done.",
        (
            *address_fields("registered", "registered", "Registered address", country),
            *address_fields("operating", "operating", "Operating address", country),
        ),
        fit_their_country("registered", "operating"),
    )


def _business(word: str) -> Step:
    def range_of(name: str, label: str) -> Field:
        return Field(
            name,
            label,
            Kind.CHOICE,
            _kept(name),
            required=False,
            choices=choices_of(words.EntityUsdRange),
            group="Size",
        )

    return Step(
        StepName.ENTITY_BUSINESS,
        f"What the {word} does",
        "Business",
        "The provider asks what the account is for before it opens one.",
        (
            Field(
                "operating_industry",
                "Industry",
                store=_kept("operating_industry"),
                hint="For example software, retail, asset management.",
            ),
            Field("offerings", "What it offers", store=_kept("offerings"), required=False, max_length=500),
            Field(
                "operating_countries",
                "Countries it works in",
                Kind.COUNTRIES,
                _kept("operating_countries"),
                required=False,
                max_length=1000,
                hint="Separated by commas, for example United States of America, Mexico.",
            ),
            Field(
                "subject_to_aml",
                "It is itself subject to rules against money laundering",
                Kind.BOOLEAN,
                _kept("subject_to_aml"),
                required=False,
            ),
            Field(
                "entity_source_of_funds",
                "Where its money comes from",
                store=_kept("source_of_funds"),
                required=False,
                max_length=200,
                group="Money",
            ),
            Field(
                "source_of_currency",
                "Where its crypto assets come from",
                store=_kept("source_of_currency"),
                required=False,
                max_length=200,
                hint="Only if it brings some along.",
                group="Money",
            ),
            Field(
                "entity_investment_objective",
                "Main goal of the account",
                Kind.CHOICE,
                _kept("investment_objective"),
                required=False,
                choices=choices_of(words.InvestmentObjective),
                group="Money",
            ),
            Field(
                "entity_investment_experience",
                "Experience with investing",
                Kind.CHOICE,
                _kept("investment_experience"),
                required=False,
                choices=choices_of(words.InvestmentExperience),
                group="Money",
            ),
            range_of("annual_net_income", "Net income a year"),
            range_of("liquid_net_worth", "Net worth it could sell"),
            range_of("total_net_worth", "Net worth in all"),
            range_of("daily_transaction_volume", "Expected transactions a day"),
            range_of("daily_trading_volume", "Expected trading a day"),
        ),
    )
