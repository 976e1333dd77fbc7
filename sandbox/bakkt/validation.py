"""What the account call demands of its body. Contract bakkt-partner.md, sections 4.2 to 4.4; seed 000."""

import re
from datetime import UTC, datetime
from typing import Any

from django_countries.data import ALT_CODES

from sandbox.bakkt.papers import ENTITY_ACCOUNTS
from sandbox.bakkt.schema import (
    NOT_A_VALUE,
    REQUIRED,
    RESTRICTED,
    RULE,
    WRONG_FORM,
    Failures,
    Many,
    Object,
    Plain,
    Text,
    Unread,
    under,
)
from sandbox.state import Account, Json


def _vocabulary(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNTRIES = frozenset(codes[0] for codes in ALT_CODES.values() if codes[0])
US_STATES = _vocabulary(
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND "
    "OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR GU VI AS MP AA AE AP"
)
TAX_FIELDS = ("taxId", "taxIdType", "taxIdCountry")


def _words(text: str) -> Text:
    return Text(choices=_vocabulary(text))


TEXT = Text()
COUNTRY = Text(choices=COUNTRIES, noun="an ISO 3166 alpha-3 country")
PHONE = Text(form="a phone number in compact E.164")
EMAIL = Text(form="an e-mail address")
DAY = Text(form="a date, YYYY-MM-DD")
SETTLEMENT_METHOD = _words("BAKKT_TPJ NET_SETTLEMENT")
SHARE_TOKEN = Text(longest=2000)
OBJECTIVE = _words("BALANCED CAPITAL_PRESERVATION GROWTH INCOME SPECULATION OTHER")
EXPERIENCE = _words("NONE LIMITED GOOD EXTENSIVE")
USD_RANGE = _words(
    "UNDER_25K FROM_25K_TO_50K FROM_50K_TO_100K FROM_100K_TO_200K FROM_200K_TO_300K FROM_300K_TO_500K "
    "FROM_500K_TO_1M FROM_1M_TO_5M OVER_5M"
)
ENTITY_RANGE = _words(
    "UNDER_250K FROM_250K_TO_500K FROM_500K_TO_1M FROM_1M_TO_2M FROM_2M_TO_5M FROM_5M_TO_10M FROM_10M_TO_20M "
    "FROM_20M_TO_50M OVER_50M"
)
ROLE = _words(
    "AUTHORIZED_AGENT AUTHORIZED_MEMBER AUTHORIZED_OWNER BENEFICIAL_OWNER BENEFICIARY CUSTODIAN "
    "EDUCATION_BENEFICIARY EDUCATION_MANAGER EXECUTOR GUARDIAN_CONSERVATOR INTERNAL_POWER_OF_ATTY "
    "INITIAL_DEPOSITOR JOINT_OWNER MINOR_OWNER PRIMARY_OWNER POWER_OF_ATTY SOLE_PROPRIETOR "
    "TRADING_AUTHORITY TREASURER TRUSTEE TRUSTED_CONTACT"
)


def _address(value: Json, path: str, failures: Failures) -> None:
    if value.get("country") != "USA":
        return
    code, state = value.get("postalCode"), value.get("state")
    if code is None:
        failures.add(REQUIRED, under(path, "postalCode"), "is required when the country is USA")
    elif isinstance(code, str) and code.strip() and not re.fullmatch(r"[0-9]{5}(-?[0-9]{4})?", code):
        failures.add(WRONG_FORM, under(path, "postalCode"), "must be a US ZIP code", code)
    if isinstance(state, str) and state.strip() and state not in US_STATES:
        failures.add(NOT_A_VALUE, under(path, "state"), "must be a two-letter US state", state)


def _identity(value: Json, path: str, failures: Failures) -> None:
    born = value.get("dateOfBirth")
    if isinstance(born, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", born) and born > _today():
        failures.add(WRONG_FORM, under(path, "dateOfBirth"), "must lie in the past", born)
    home = value.get("personalAddress")
    in_us = isinstance(home, dict) and home.get("country") == "USA"
    given = {name: value.get(name) for name in TAX_FIELDS}
    kind, country = given["taxIdType"], given["taxIdCountry"]
    # Left out all together or not at all; who lives in the US always has one (seed 000).
    if in_us or any(part is not None for part in given.values()):
        for name in ("taxId", "taxIdType"):
            if given[name] is None:
                failures.add(REQUIRED, under(path, name), "is required")
    if kind == "NATIONAL_ID":
        if in_us:
            failures.add(RULE, under(path, "taxIdType"), "must be SSN, ITIN or EIN for a US customer", kind)
        if country is None:
            failures.add(REQUIRED, under(path, "taxIdCountry"), "is required with a national ID")
    if kind in ("SSN", "ITIN", "EIN"):
        _american_number(given, path, failures)


def _american_number(given: Json, path: str, failures: Failures) -> None:
    number, country = given["taxId"], given["taxIdCountry"]
    if country not in (None, "USA"):
        failures.add(RULE, under(path, "taxIdCountry"), "must be USA for this kind of number", country)
    if isinstance(number, str) and not re.fullmatch(
        r"[0-9]{9}|[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{2}-[0-9]{7}", number
    ):
        failures.add(WRONG_FORM, under(path, "taxId"), "must have nine digits", number)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


ADDRESS = Object(
    required={"city": TEXT, "country": COUNTRY, "streetAddress": Many(TEXT, at_least=1)},
    optional={"state": TEXT, "postalCode": Text(longest=20)},
    rule=_address,
)
IDENTITY = Object(
    required={"givenName": TEXT, "familyName": TEXT, "dateOfBirth": DAY, "personalAddress": ADDRESS},
    optional={
        "middleNames": TEXT,
        "taxId": Text(longest=64),
        "taxIdType": _words("SSN ITIN EIN NATIONAL_ID"),
        "taxIdCountry": COUNTRY,
        "employment": Object(
            # The employer's address is lax in the schema and demanded of new accounts (seed 000).
            required={"employerName": TEXT, "position": TEXT, "employerAddress": ADDRESS},
            optional={"yearsEmployed": Plain(int)},
        ),
        "maritalStatus": _words("SINGLE MARRIED DIVORCED WIDOWED"),
        "citizenshipCountry": Unread(str),
        "verificationResults": Unread(dict),
        "disclosures": Unread(dict),
    },
    rule=_identity,
)
AGREEMENT = Object(
    required={"name": TEXT, "version": TEXT},
    optional={
        "eSignedDate": Text(form="a date and time with its zone, ISO 8601"),
        "text": Text(longest=500_000),
    },
)
OWNER = Object(
    # The phone number is lax in the schema and demanded of new accounts (seed 000).
    required={
        "role": ROLE,
        "emailAddress": EMAIL,
        "phoneNumber": PHONE,
        "mailingAddress": ADDRESS,
        "identity": IDENTITY,
        "agreements": Many(AGREEMENT, at_least=1),
    },
    optional={"clientOwnerId": TEXT, "ownerId": Text(form="a UUID"), "identityId": Unread(str)},
)
PROFILE = Object(
    required={
        "accountGoals": Object(
            required={"investmentObjective": OBJECTIVE},
            optional={
                "liquidityNeeds": _words("VERY_IMPORTANT SOMEWHAT_IMPORTANT NOT_IMPORTANT"),
                "riskTolerance": _words("LOW MEDIUM HIGH"),
                "timeHorizon": _words("SHORT AVERAGE LONG"),
            },
        ),
        "customerProfile": Object(
            required={"annualIncomeRangeUsd": USD_RANGE},
            optional={
                "liquidNetWorthRangeUsd": USD_RANGE,
                "totalNetWorthRangeUsd": USD_RANGE,
                "investmentExperience": EXPERIENCE,
                "federalTaxBracket": Plain(int),
                "sourceOfFunds": TEXT,
            },
        ),
    }
)
ENTITY = Object(
    required={
        "entityEmailAddress": EMAIL,
        "entityLegalName": Text(longest=100),
        "entityPhoneNumber": PHONE,
        "entityTaxId": Text(longest=64),
        "entityType": _words("CORPORATE PARTNERSHIP LLC LIMITED_PARTNERSHIP TRUST"),
        "operatingAddress": ADDRESS,
        "operatingIndustry": TEXT,
        "registeredAddress": ADDRESS,
    },
    optional={
        "entityFormationDate": DAY,
        "entityOfferings": TEXT,
        "entityRegistrationStatus": _words(
            "CURRENTLY_REGISTERED NOT_REGISTERED REGISTRATION_IN_PROGRESS NOT_APPLICABLE"
        ),
        "operatingCountries": Many(COUNTRY),
        "dailyNotionalTradingVolumeUsdRange": ENTITY_RANGE,
        "dailyTransactionVolumeUsdRange": ENTITY_RANGE,
        "firmAnnualNetIncome": ENTITY_RANGE,
        "firmLiquidNetWorthUsdRange": ENTITY_RANGE,
        "firmTotalNetWorthUsdRange": ENTITY_RANGE,
        "investmentExperience": EXPERIENCE,
        "investmentObjective": OBJECTIVE,
        "sourceOfCurrency": TEXT,
        "sourceOfFunds": TEXT,
        "subjectToAMLRegulations": Plain(bool),
        "activeWalletAddress": Text(form="a UUID"),
    },
)


def _account(value: Json, path: str, failures: Failures) -> None:
    owners, kind = value.get("owners"), value.get("accountType")
    if isinstance(owners, list):
        _owners(owners, kind, failures)
    if kind in ENTITY_ACCOUNTS and value.get("entity") is None:
        failures.add(REQUIRED, "entity", f"is required for an {kind} account")
    if kind == "INDIVIDUAL" and value.get("entity") is not None:
        failures.add(RULE, "entity", "belongs to entity accounts")


def _owners(owners: list[Any], kind: Any, failures: Failures) -> None:
    """Seed 000: an individual account has its primary owner alone; several owners each need a key of their own."""
    if kind == "INDIVIDUAL" and len(owners) > 1:
        failures.add(RULE, "owners", "must be exactly one for an INDIVIDUAL account")
    keys: set[Any] = set()
    for number, owner in enumerate(owners):
        if not isinstance(owner, dict):
            continue
        where, role, key = f"owners[{number}]", owner.get("role"), owner.get("clientOwnerId")
        if kind == "INDIVIDUAL" and role not in (None, "PRIMARY_OWNER"):
            failures.add(RULE, f"{where}.role", "must be PRIMARY_OWNER for an INDIVIDUAL account", role)
        identity = owner.get("identity")
        national = isinstance(identity, dict) and identity.get("taxIdType") == "NATIONAL_ID"
        if (len(owners) > 1 or national) and key is None:
            failures.add(REQUIRED, f"{where}.clientOwnerId", "is required")
        if isinstance(key, str) and key in keys:
            failures.add(RULE, f"{where}.clientOwnerId", "must not name two owners", key)
        elif isinstance(key, str):
            keys.add(key)


REQUEST = Object(
    # Account type and investment profile are lax in the schema and demanded of new accounts (seed 000).
    required={
        "clientAccountId": TEXT,
        "accountType": _words("INDIVIDUAL CUSTODIAL ENTITY_PERSONAL_TRUST ENTITY"),
        "owners": Many(OWNER, at_least=1),
        "investmentProfile": PROFILE,
    },
    optional={
        "entity": ENTITY,
        "trustedContacts": Many(
            Object(
                required={"givenName": TEXT, "familyName": TEXT},
                optional={
                    "middleNames": TEXT,
                    "emailAddress": EMAIL,
                    "phoneNumber": PHONE,
                    "mailingAddress": ADDRESS,
                },
            )
        ),
        "settlementMethod": SETTLEMENT_METHOD,
        "shareToken": SHARE_TOKEN,
        "id": Unread(str),
        "enrollments": Unread(dict),
    },
    rule=_account,
)


#: What an account may lack while a client brings its customers over (seed 000, contract 4.2).
LAX = re.compile(r"investmentProfile|owners\[\d+\]\.phoneNumber")


def check(
    body: Any, *, existing: Account | None, employment_required: bool, migrating: bool = False
) -> Failures:
    """Everything wrong with the body, at once; `existing` is the account it would update.

    `migrating`: what only new accounts must have may be missing.
    """
    failures = Failures()
    REQUEST.check(body, "", failures)
    if migrating:
        failures[:] = [
            one for one in failures if one["code"] != REQUIRED or not LAX.fullmatch(str(one["field"]))
        ]
    if failures:
        return failures
    for number, owner in enumerate(body["owners"]):
        if employment_required and owner["identity"].get("employment") is None:
            failures.add(REQUIRED, f"owners[{number}].identity.employment", "is required")
    if existing:
        _restricted(body, existing.request, failures)
    return failures


def _restricted(body: Json, before: Json, failures: Failures) -> None:
    """Birth date, citizenship, tax ID, account type, enrollments and id change only by hand (seed 000)."""
    for name in ("accountType", "id", "enrollments"):
        if body.get(name) != before.get(name):
            failures.add(RESTRICTED, name, "cannot be changed by an update")
    if _bare((body.get("entity") or {}).get("entityTaxId")) != _bare(
        (before.get("entity") or {}).get("entityTaxId")
    ):
        failures.add(RESTRICTED, "entity.entityTaxId", "cannot be changed by an update")
    known = {_owner_key(owner, number): owner for number, owner in enumerate(before["owners"])}
    # A sole owner is the same person under whatever key.
    sole = before["owners"][0] if len(before["owners"]) == len(body["owners"]) == 1 else None
    for number, owner in enumerate(body["owners"]):
        same = sole or known.get(_owner_key(owner, number))
        if same is None:
            continue
        for name in ("dateOfBirth", "citizenshipCountry", *TAX_FIELDS):
            if _bare(owner["identity"].get(name)) != _bare(same["identity"].get(name)):
                failures.add(
                    RESTRICTED, f"owners[{number}].identity.{name}", "cannot be changed by an update"
                )


def _owner_key(owner: Json, number: int) -> str:
    return str(owner.get("clientOwnerId") or f"#{number}")


def _bare(value: Any) -> Any:
    """A number with and without hyphens is the same number."""
    return value.replace("-", "") if isinstance(value, str) else value
