"""What is asked of the account as a whole: its goals and finances, a trusted contact, who belongs to it, agreements."""

from functools import lru_cache

from onboarding import words
from onboarding.requirements import rules
from onboarding.requirements.addresses import address_fields, fit_their_country
from onboarding.requirements.choices import choices_of
from onboarding.requirements.fields import Field, Kind, Shown
from onboarding.requirements.steps import Step, StepName, worded
from onboarding.requirements.wording import of_another

INVESTMENT = Step(
    StepName.INVESTMENT,
    "Your investment profile",
    "Investing",
    (
        "These answers describe the account. They do not limit what you may buy; "
        "activity far from them may be looked at."
    ),
    (
        Field(
            "investment_objective",
            "Main goal",
            Kind.CHOICE,
            store=("profile", "investment_objective"),
            choices=choices_of(words.InvestmentObjective),
            missing="Choose {whose} main goal.",
            group="Goals",
        ),
        Field(
            "risk_tolerance",
            "Risk you are ready to take",
            Kind.CHOICE,
            store=("profile", "risk_tolerance"),
            required=False,
            choices=choices_of(words.RiskTolerance),
            group="Goals",
        ),
        Field(
            "time_horizon",
            "How long you mean to invest",
            Kind.CHOICE,
            store=("profile", "time_horizon"),
            required=False,
            choices=choices_of(words.TimeHorizon),
            group="Goals",
        ),
        Field(
            "liquidity_needs",
            "How important is quick access to the money?",
            Kind.CHOICE,
            store=("profile", "liquidity_needs"),
            required=False,
            choices=choices_of(words.LiquidityNeeds),
            group="Goals",
        ),
        Field(
            "annual_income_range",
            "Yearly income",
            Kind.CHOICE,
            store=("profile", "annual_income_range"),
            choices=choices_of(words.UsdRange),
            missing="Choose {whose} yearly income.",
            group="Finances",
        ),
        Field(
            "liquid_net_worth_range",
            "Savings and investments you could sell",
            Kind.CHOICE,
            store=("profile", "liquid_net_worth_range"),
            required=False,
            choices=choices_of(words.UsdRange),
            group="Finances",
        ),
        Field(
            "total_net_worth_range",
            "Everything you own, less debts",
            Kind.CHOICE,
            store=("profile", "total_net_worth_range"),
            required=False,
            choices=choices_of(words.UsdRange),
            group="Finances",
        ),
        Field(
            "investment_experience",
            "Experience with investing",
            Kind.CHOICE,
            store=("profile", "investment_experience"),
            required=False,
            choices=choices_of(words.InvestmentExperience),
            group="Finances",
        ),
        Field(
            "federal_tax_bracket",
            "Federal tax bracket, in percent",
            Kind.INTEGER,
            store=("profile", "federal_tax_bracket"),
            required=False,
            maximum=60,
            group="Finances",
        ),
        Field(
            "source_of_funds",
            "Where the money comes from",
            store=("profile", "source_of_funds"),
            required=False,
            hint="For example salary, savings, sale of a house.",
            group="Finances",
        ),
        Field(
            "expected_monthly_deposits",
            "What you expect to deposit in a month",
            Kind.CHOICE,
            store=("profile", "expected_monthly_deposits"),
            required=False,
            choices=choices_of(words.MonthlyDeposits),
            hint="It limits nothing. If much more comes in, we may ask you about it.",
            ours=True,
            group="Finances",
        ),
    ),
)


def owners_step(account_type: str) -> Step:
    """Who belongs to the account; the people themselves are added one by one."""
    asks = account_type == words.AccountType.ENTITY
    return Step(
        StepName.OWNERS,
        "The people of this account",
        "People",
        "Everyone who belongs to this account. The provider checks who each of them is.",
        (
            Field(
                "no_beneficial_owners",
                "Nobody owns 25 % or more of it",
                Kind.BOOLEAN,
                ("entity", "no_beneficial_owners"),
                required=False,
            ),
        )
        if asks
        else (),
    )


AGREEMENTS = Step(
    StepName.AGREEMENTS,
    "Agreements",
    "Agreements",
    "Read each agreement and accept it. We keep the exact text you saw, with the time, as evidence for both sides.",
)

NAMED = Shown("has_contact", frozenset({True}))


@lru_cache(maxsize=300)
def trusted_contact(country: str) -> Step:
    """An optional person to ask after the customer (contract 4.2: trustedContacts); `country` words the address."""
    step = Step(
        StepName.TRUSTED_CONTACT,
        "Somebody we may ask after you",
        "Trusted contact",
        (
            "You may name one adult whom we contact if we cannot reach you or fear that somebody cheats you. "
            "They cannot see or move your money."
        ),
        (
            Field(
                "has_contact",
                "Name a trusted contact",
                Kind.BOOLEAN,
                ("contact", ""),
                required=False,
            ),
            Field(
                "contact_given_name",
                "First name",
                store=("contact", "given_name"),
                shown=NAMED,
                rule=rules.person_name,
                group="Trusted contact",
            ),
            Field(
                "contact_middle_names",
                "Middle names",
                store=("contact", "middle_names"),
                required=False,
                shown=NAMED,
                rule=rules.person_name,
                group="Trusted contact",
            ),
            Field(
                "contact_family_name",
                "Last name",
                store=("contact", "family_name"),
                shown=NAMED,
                rule=rules.person_name,
                group="Trusted contact",
            ),
            Field(
                "contact_email",
                "E-mail address",
                Kind.EMAIL,
                ("contact", "email"),
                max_length=254,
                required=False,
                shown=NAMED,
                group="Trusted contact",
            ),
            Field(
                "contact_phone",
                "Phone number",
                Kind.PHONE,
                ("contact", "phone"),
                max_length=30,
                region=country,
                required=False,
                shown=NAMED,
                group="Trusted contact",
            ),
            Field(
                "contact_has_address",
                "Add their address",
                Kind.BOOLEAN,
                ("address:contact", ""),
                required=False,
                shown=NAMED,
                group="Trusted contact",
            ),
            *address_fields(
                "contact",
                "contact",
                "Their address",
                country,
                shown=Shown("contact_has_address", frozenset({True})),
            ),
        ),
        fit_their_country("contact"),
        optional=True,
    )
    return worded(step, "their")


@lru_cache(maxsize=300)
def steps_of_account(country: str, *, for_another: bool = False) -> tuple[Step, ...]:
    """The steps about the account itself, the last before the agreements; `for_another`: staff answer them."""
    steps = (INVESTMENT, trusted_contact(country))
    return tuple(of_another(step) for step in steps) if for_another else steps
