"""What travels between us and Bakkt's account-opening API. Contract bakkt-partner.md, sections 4.2 to 4.6.

Words of a vocabulary are plain `str` fields, so that a word published tomorrow is kept as it came; the
StrEnums name those known today. Printing a value shows identifiers and vocabulary only.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from providers.bakkt import assumptions
from providers.wire import Wire


class AccountType(StrEnum):
    INDIVIDUAL = "INDIVIDUAL"
    CUSTODIAL = "CUSTODIAL"
    ENTITY_PERSONAL_TRUST = "ENTITY_PERSONAL_TRUST"
    ENTITY = "ENTITY"


class OwnerRole(StrEnum):
    """An INDIVIDUAL account accepts only PRIMARY_OWNER."""

    AUTHORIZED_AGENT = "AUTHORIZED_AGENT"
    AUTHORIZED_MEMBER = "AUTHORIZED_MEMBER"
    AUTHORIZED_OWNER = "AUTHORIZED_OWNER"
    BENEFICIAL_OWNER = "BENEFICIAL_OWNER"
    BENEFICIARY = "BENEFICIARY"
    CUSTODIAN = "CUSTODIAN"
    EDUCATION_BENEFICIARY = "EDUCATION_BENEFICIARY"
    EDUCATION_MANAGER = "EDUCATION_MANAGER"
    EXECUTOR = "EXECUTOR"
    GUARDIAN_CONSERVATOR = "GUARDIAN_CONSERVATOR"
    INTERNAL_POWER_OF_ATTY = "INTERNAL_POWER_OF_ATTY"
    INITIAL_DEPOSITOR = "INITIAL_DEPOSITOR"
    JOINT_OWNER = "JOINT_OWNER"
    MINOR_OWNER = "MINOR_OWNER"
    PRIMARY_OWNER = "PRIMARY_OWNER"
    POWER_OF_ATTY = "POWER_OF_ATTY"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR"
    TRADING_AUTHORITY = "TRADING_AUTHORITY"
    TREASURER = "TREASURER"
    TRUSTEE = "TRUSTEE"
    TRUSTED_CONTACT = "TRUSTED_CONTACT"


class TaxIdType(StrEnum):
    SSN = "SSN"
    ITIN = "ITIN"
    EIN = "EIN"
    NATIONAL_ID = assumptions.NATIONAL_ID


class MaritalStatus(StrEnum):
    SINGLE = "SINGLE"
    MARRIED = "MARRIED"
    DIVORCED = "DIVORCED"
    WIDOWED = "WIDOWED"


class InvestmentObjective(StrEnum):
    BALANCED = "BALANCED"
    CAPITAL_PRESERVATION = "CAPITAL_PRESERVATION"
    GROWTH = "GROWTH"
    INCOME = "INCOME"
    SPECULATION = "SPECULATION"
    OTHER = "OTHER"


class LiquidityNeeds(StrEnum):
    VERY_IMPORTANT = "VERY_IMPORTANT"
    SOMEWHAT_IMPORTANT = "SOMEWHAT_IMPORTANT"
    NOT_IMPORTANT = "NOT_IMPORTANT"


class RiskTolerance(StrEnum):
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"


class TimeHorizon(StrEnum):
    SHORT = "SHORT"
    AVERAGE = "AVERAGE"
    LONG = "LONG"


class InvestmentExperience(StrEnum):
    NONE = "NONE"
    LIMITED = "LIMITED"
    GOOD = "GOOD"
    EXTENSIVE = "EXTENSIVE"


class UsdRange(StrEnum):
    UNDER_25K = "UNDER_25K"
    FROM_25K_TO_50K = "FROM_25K_TO_50K"
    FROM_50K_TO_100K = "FROM_50K_TO_100K"
    FROM_100K_TO_200K = "FROM_100K_TO_200K"
    FROM_200K_TO_300K = "FROM_200K_TO_300K"
    FROM_300K_TO_500K = "FROM_300K_TO_500K"
    FROM_500K_TO_1M = "FROM_500K_TO_1M"
    FROM_1M_TO_5M = "FROM_1M_TO_5M"
    OVER_5M = "OVER_5M"


class EntityUsdRange(StrEnum):
    UNDER_250K = "UNDER_250K"
    FROM_250K_TO_500K = "FROM_250K_TO_500K"
    FROM_500K_TO_1M = "FROM_500K_TO_1M"
    FROM_1M_TO_2M = "FROM_1M_TO_2M"
    FROM_2M_TO_5M = "FROM_2M_TO_5M"
    FROM_5M_TO_10M = "FROM_5M_TO_10M"
    FROM_10M_TO_20M = "FROM_10M_TO_20M"
    FROM_20M_TO_50M = "FROM_20M_TO_50M"
    OVER_50M = "OVER_50M"


class EntityType(StrEnum):
    CORPORATE = "CORPORATE"
    PARTNERSHIP = "PARTNERSHIP"
    LLC = "LLC"
    LIMITED_PARTNERSHIP = "LIMITED_PARTNERSHIP"
    TRUST = "TRUST"


class EntityRegistrationStatus(StrEnum):
    CURRENTLY_REGISTERED = "CURRENTLY_REGISTERED"
    NOT_REGISTERED = "NOT_REGISTERED"
    REGISTRATION_IN_PROGRESS = "REGISTRATION_IN_PROGRESS"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class SettlementMethod(StrEnum):
    """The first two may be asked for; the others appear in answers only."""

    BAKKT_TPJ = "BAKKT_TPJ"
    NET_SETTLEMENT = "NET_SETTLEMENT"
    NO_SETTLEMENT = "NO_SETTLEMENT"
    APEX_TPJ = "APEX_TPJ"


class RequestStatus(StrEnum):
    """State of the request, not of the customer."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True, repr=False)
class Address(Wire):
    """`country` is alpha-3; `postal_code` is required in the US, where `state` has two letters."""

    street_address: tuple[str, ...]
    city: str
    country: str
    state: str | None = None
    postal_code: str | None = None


@dataclass(frozen=True, repr=False)
class Employment(Wire):
    employer_name: str
    position: str
    years_employed: int | None = None
    employer_address: Address | None = None


@dataclass(frozen=True, repr=False)
class Identity(Wire):
    """Tax fields are always sent for US customers and left out where a country has no national ID."""

    given_name: str
    family_name: str
    date_of_birth: date
    personal_address: Address
    middle_names: str | None = None
    tax_id: str | None = None
    tax_id_type: str | None = None
    tax_id_country: str | None = None
    employment: Employment | None = None
    marital_status: str | None = None


@dataclass(frozen=True, repr=False)
class Agreement(Wire):
    SHOWN = frozenset({"name", "version", "e_signed_date"})

    name: str
    version: str
    e_signed_date: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, repr=False)
class Owner(Wire):
    """E-mail and phone sit here and not under identity (contract, question 21)."""

    SHOWN = frozenset({"role", "agreements", "client_owner_id", "owner_id"})

    role: str
    email_address: str
    mailing_address: Address
    identity: Identity
    agreements: tuple[Agreement, ...]
    phone_number: str | None = None
    client_owner_id: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, repr=False)
class AccountGoals(Wire):
    investment_objective: str
    liquidity_needs: str | None = None
    risk_tolerance: str | None = None
    time_horizon: str | None = None


@dataclass(frozen=True, repr=False)
class CustomerProfile(Wire):
    annual_income_range_usd: str
    liquid_net_worth_range_usd: str | None = None
    total_net_worth_range_usd: str | None = None
    investment_experience: str | None = None
    federal_tax_bracket: int | None = None
    source_of_funds: str | None = None


@dataclass(frozen=True, repr=False)
class InvestmentProfile(Wire):
    account_goals: AccountGoals
    customer_profile: CustomerProfile


@dataclass(frozen=True, repr=False)
class Entity(Wire):
    """A company, partnership or trust. Contract section 4.4."""

    SHOWN = frozenset({"entity_type"})
    NAMES = {"subject_to_aml_regulations": "subjectToAMLRegulations"}

    entity_legal_name: str
    entity_type: str
    entity_tax_id: str
    entity_email_address: str
    entity_phone_number: str
    operating_address: Address
    registered_address: Address
    operating_industry: str
    entity_formation_date: date | None = None
    entity_offerings: str | None = None
    entity_registration_status: str | None = None
    operating_countries: tuple[str, ...] = ()
    daily_notional_trading_volume_usd_range: str | None = None
    daily_transaction_volume_usd_range: str | None = None
    firm_annual_net_income: str | None = None
    firm_liquid_net_worth_usd_range: str | None = None
    firm_total_net_worth_usd_range: str | None = None
    investment_experience: str | None = None
    investment_objective: str | None = None
    source_of_currency: str | None = None
    source_of_funds: str | None = None
    subject_to_aml_regulations: bool | None = None
    active_wallet_address: str | None = None


@dataclass(frozen=True, repr=False)
class TrustedContact(Wire):
    given_name: str
    family_name: str
    middle_names: str | None = None
    email_address: str | None = None
    phone_number: str | None = None
    mailing_address: Address | None = None


@dataclass(frozen=True, repr=False)
class AccountRequest(Wire):
    """The complete data set of an account: creating and updating send the same (contract section 4.3)."""

    SHOWN = frozenset({"client_account_id", "owners", "account_type", "settlement_method"})

    client_account_id: str
    owners: tuple[Owner, ...]
    account_type: str | None = None
    investment_profile: InvestmentProfile | None = None
    entity: Entity | None = None
    trusted_contacts: tuple[TrustedContact, ...] = ()
    settlement_method: str | None = None
    share_token: str | None = None


@dataclass(frozen=True, repr=False)
class Account(Wire):
    """Bakkt's answer about an account. `status` is the state of the request, never of the customer.

    `mode` is reserved for the future and `cip_clearance_state` deprecated: show them, decide nothing on them.
    `request` is the echo of what was sent; None when it came back in a form we cannot read.
    """

    SHOWN = frozenset({"id", "status", "mode", "created_at", "cip_clearance_state", "pending_update_ids"})

    id: str
    status: str
    mode: str | None = None
    created_at: datetime | None = None
    cip_clearance_state: str | None = None
    pending_update_ids: tuple[str, ...] = ()
    request: AccountRequest | None = None


@dataclass(frozen=True, repr=False)
class AccountOpeningStatus(Wire):
    """False `can_trade_crypto` disables trades and transfers; true is not enough, restrictions arrive by
    webhook."""

    SHOWN = frozenset({"can_trade_crypto", "cip_clearance_state", "settlement_method"})

    can_trade_crypto: bool
    cip_clearance_state: str | None = None
    settlement_method: str | None = None


@dataclass(frozen=True, repr=False)
class SettlementChangeRequest(Wire):
    """`account_id` is the clientAccountId."""

    SHOWN = frozenset({"account_id", "settlement_method"})

    account_id: str
    settlement_method: str


@dataclass(frozen=True, repr=False)
class SettlementChange(Wire):
    """Its outcome, COMPLETE or FAILED: a good answer alone says nothing."""

    SHOWN = frozenset({"request", "status"})

    status: str
    request: SettlementChangeRequest | None = None

    @property
    def complete(self) -> bool:
        return self.status == "COMPLETE"


@dataclass(frozen=True, repr=False)
class AssetRestriction(Wire):
    """`status` OPEN: buy and sell; CLOSE: sell only; PROHIBITED."""

    SHOWN = frozenset({"currency", "trading_pair", "status"})

    currency: str | None = None
    trading_pair: str | None = None
    status: str | None = None


@dataclass(frozen=True, repr=False)
class JurisdictionDomain(Wire):
    SHOWN = frozenset({"orders", "staking", "transfers"})

    orders: tuple[AssetRestriction, ...] = ()
    staking: tuple[AssetRestriction, ...] = ()
    transfers: tuple[AssetRestriction, ...] = ()


@dataclass(frozen=True, repr=False)
class Jurisdiction(Wire):
    SHOWN = frozenset({"country_code", "state_code", "domain"})

    country_code: str | None = None
    state_code: str | None = None
    domain: JurisdictionDomain = JurisdictionDomain()


@dataclass(frozen=True)
class CryptoCredentials:
    """Long-lived log-on of the account-opening API, one set per environment."""

    logon_id: str
    password: str = field(repr=False)
