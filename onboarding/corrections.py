"""What the provider refused, in the words of our questions: the way back from onboarding.payloads.

The provider names an input by its path in the request (`owners[0].identity.personalAddress.state`, contract 3). Pages,
staff and the API all read the question it stands for here. Its own sentences are not meant for customers.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from onboarding.drafts import Draft
from onboarding.models import Address, Owner
from onboarding.requirements import Field, Step, StepName

Store = tuple[str, str]
Kind = Address.Kind

#: Wire paths below one owner -> the table and attribute their answer is kept in (Field.store).
OWNER: dict[str, Store] = {
    "emailAddress": ("owner", "email"),
    "phoneNumber": ("owner", "phone"),
    "identity.givenName": ("owner", "given_name"),
    "identity.middleNames": ("owner", "middle_names"),
    "identity.familyName": ("owner", "family_name"),
    "identity.dateOfBirth": ("owner", "date_of_birth"),
    "identity.maritalStatus": ("owner", "marital_status"),
    "identity.taxId": ("owner", "tax_id"),
    "identity.taxIdType": ("owner", "tax_id_type"),
    "identity.taxIdCountry": ("owner", "tax_id_country"),
    "identity.employment": ("employment", "situation"),
    "identity.employment.employerName": ("employment", "employer_name"),
    "identity.employment.position": ("employment", "position"),
    "identity.employment.yearsEmployed": ("employment", "years_employed"),
}
PROFILE: dict[str, Store] = {
    "accountGoals.investmentObjective": ("profile", "investment_objective"),
    "accountGoals.liquidityNeeds": ("profile", "liquidity_needs"),
    "accountGoals.riskTolerance": ("profile", "risk_tolerance"),
    "accountGoals.timeHorizon": ("profile", "time_horizon"),
    "customerProfile.annualIncomeRangeUsd": ("profile", "annual_income_range"),
    "customerProfile.liquidNetWorthRangeUsd": ("profile", "liquid_net_worth_range"),
    "customerProfile.totalNetWorthRangeUsd": ("profile", "total_net_worth_range"),
    "customerProfile.investmentExperience": ("profile", "investment_experience"),
    "customerProfile.federalTaxBracket": ("profile", "federal_tax_bracket"),
    "customerProfile.sourceOfFunds": ("profile", "source_of_funds"),
}
ENTITY: dict[str, Store] = {
    "entityLegalName": ("entity", "legal_name"),
    "entityTaxId": ("entity", "tax_id"),
    "entityEmailAddress": ("entity", "email"),
    "entityPhoneNumber": ("entity", "phone"),
    "entityFormationDate": ("entity", "formation_date"),
    "entityOfferings": ("entity", "offerings"),
    "entityRegistrationStatus": ("entity", "registration_status"),
    "operatingIndustry": ("entity", "operating_industry"),
    "operatingCountries": ("entity", "operating_countries"),
    "dailyNotionalTradingVolumeUsdRange": ("entity", "daily_trading_volume"),
    "dailyTransactionVolumeUsdRange": ("entity", "daily_transaction_volume"),
    "firmAnnualNetIncome": ("entity", "annual_net_income"),
    "firmLiquidNetWorthUsdRange": ("entity", "liquid_net_worth"),
    "firmTotalNetWorthUsdRange": ("entity", "total_net_worth"),
    "investmentExperience": ("entity", "investment_experience"),
    "investmentObjective": ("entity", "investment_objective"),
    "sourceOfCurrency": ("entity", "source_of_currency"),
    "sourceOfFunds": ("entity", "source_of_funds"),
    "subjectToAMLRegulations": ("entity", "subject_to_aml"),
}
CONTACT: dict[str, Store] = {
    "givenName": ("contact", "given_name"),
    "familyName": ("contact", "family_name"),
    "emailAddress": ("contact", "email"),
    "phoneNumber": ("contact", "phone"),
}
ADDRESSES: dict[str, dict[str, Kind]] = {
    "owners": {
        "mailingAddress": Kind.MAILING,
        "identity.personalAddress": Kind.RESIDENTIAL,
        "identity.employment.employerAddress": Kind.EMPLOYER,
    },
    "entity": {"registeredAddress": Kind.REGISTERED, "operatingAddress": Kind.OPERATING},
    "trustedContacts": {"mailingAddress": Kind.CONTACT},
    "investmentProfile": {},
}
ADDRESS = {
    "streetAddress": "line1",
    "city": "city",
    "state": "state",
    "postalCode": "postal_code",
    "country": "country",
}
ANSWERS = {"owners": OWNER, "entity": ENTITY, "trustedContacts": CONTACT, "investmentProfile": PROFILE}
#: Whole objects and those that are no answer of one question -> the step to look at.
STEPS = {
    "owners:identity": StepName.IDENTITY,
    "owners:agreements": StepName.AGREEMENTS,
    "owners:": StepName.OWNERS,
    "owners:role": StepName.OWNERS,
    "entity:": StepName.ENTITY,
    "investmentProfile:": StepName.INVESTMENT,
    "investmentProfile:accountGoals": StepName.INVESTMENT,
    "investmentProfile:customerProfile": StepName.INVESTMENT,
    "trustedContacts:": StepName.TRUSTED_CONTACT,
}


@dataclass(frozen=True)
class Correction:
    """One complaint: the step and question it concerns, each None where that is not known; whose step it is.

    `code` is the provider's own; `wire` and `said` are its path and sentence, for staff.
    """

    code: str
    wire: str
    said: str
    step: Step | None = None
    field: Field | None = None
    owner: Owner | None = None

    @property
    def label(self) -> str:
        """What to look at, as a person reads it: the question and whose, the step, or everything."""
        if self.step is None:
            return "An answer the provider did not name"
        words = self.field.label if self.field else self.step.title
        if self.field and self.field.group:
            words = f"{words} ({self.field.group})"
        person = self.owner if self.owner and not self.owner.is_applicant else None
        return f"{person.full_name or person.get_role_display()}: {words}" if person else words

    @property
    def detail(self) -> str:
        """The sentence for the customer."""
        if self.step is None:
            return "The provider did not accept an answer and did not say which. Look at every step again."
        if self.field is None:
            return f"The provider did not accept something in “{self.step.title}”. Look at this step again."
        return f"The provider did not accept “{self.field.label}”. Check it and save the step again."


def corrections_of(draft: Draft) -> list[Correction]:
    """What the provider refused when the application was last handed in, in its order; what it said twice, once."""
    return translated(draft, draft.application.corrections)


def translated(draft: Draft, rows: Iterable[dict[str, Any]]) -> list[Correction]:
    """The same of complaints kept elsewhere: {field, code, message} each."""
    return list(dict.fromkeys(_translated(draft, row) for row in rows))


def _translated(draft: Draft, row: dict[str, Any]) -> Correction:
    wire, code, said = (str(row.get(name, "")) for name in ("field", "code", "message"))
    tokens = re.findall(r"[A-Za-z]+|[0-9]+", wire)
    # Some paths may begin with the request itself: body.owners[0]...
    start = next((place for place, token in enumerate(tokens) if token in ANSWERS), None)
    if start is None:
        return Correction(code, wire, said)
    part, rest = tokens[start], tokens[start + 1 :]
    index = int(rest.pop(0)) if rest and rest[0].isdigit() else 0
    owner = _owner_at(draft, index) if part == "owners" else None
    if part == "owners" and owner is None:
        return Correction(code, wire, said)
    store = _store(part, rest, owner)
    path = ".".join(token for token in rest if not token.isdigit())
    name = STEPS.get(f"{part}:{path}")
    for step, whose in draft.journey():
        if part == "owners" and whose is not None and whose != owner:
            continue
        if step.name == name:
            return Correction(code, wire, said, step, None, whose)
        for field in step.fields:
            if store is not None and field.store == store:
                return Correction(code, wire, said, step, field, whose)
            # A whole address is its step.
            if store is not None and not store[1] and field.store[0] == store[0]:
                return Correction(code, wire, said, step, None, whose)
    return Correction(code, wire, said)


def _owner_at(draft: Draft, index: int) -> Owner | None:
    """The owner at a place of the request, which lists them by id (onboarding.payloads)."""
    owners = sorted(draft.owners, key=lambda owner: owner.pk)
    return owners[index] if index < len(owners) else None


def _store(part: str, rest: list[str], owner: Owner | None) -> Store | None:
    path = ".".join(token for token in rest if not token.isdigit())
    for prefix, kind in ADDRESSES[part].items():
        if path == prefix or path.startswith(f"{prefix}."):
            # Letters that go home: the mailing address we send is the home address.
            same = kind == Kind.MAILING and owner is not None and owner.mailing_same_as_home
            line = ADDRESS.get(path.removeprefix(prefix).removeprefix("."), "")
            if line == "line1" and rest[-1].isdigit() and int(rest[-1]) > 0:
                line = "line2"
            return f"address:{Kind.RESIDENTIAL if same else kind}", line
    return ANSWERS[part].get(path)
