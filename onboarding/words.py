"""The provider's vocabularies as choices: the wire word and what people read (contract bakkt-partner.md 4.2)."""

from django.db.models import TextChoices


class AccountType(TextChoices):
    INDIVIDUAL = "INDIVIDUAL", "Individual"
    CUSTODIAL = "CUSTODIAL", "Custodial"
    ENTITY_PERSONAL_TRUST = "ENTITY_PERSONAL_TRUST", "Personal trust"
    ENTITY = "ENTITY", "Company or other entity"


class OwnerRole(TextChoices):
    PRIMARY_OWNER = "PRIMARY_OWNER", "Primary owner"
    JOINT_OWNER = "JOINT_OWNER", "Joint owner"
    MINOR_OWNER = "MINOR_OWNER", "Minor owner"
    CUSTODIAN = "CUSTODIAN", "Custodian"
    TRUSTEE = "TRUSTEE", "Trustee"
    AUTHORIZED_MEMBER = "AUTHORIZED_MEMBER", "Authorised member"
    AUTHORIZED_OWNER = "AUTHORIZED_OWNER", "Authorised owner"
    AUTHORIZED_AGENT = "AUTHORIZED_AGENT", "Authorised agent"
    BENEFICIAL_OWNER = "BENEFICIAL_OWNER", "Beneficial owner"
    BENEFICIARY = "BENEFICIARY", "Beneficiary"
    EDUCATION_BENEFICIARY = "EDUCATION_BENEFICIARY", "Education beneficiary"
    EDUCATION_MANAGER = "EDUCATION_MANAGER", "Education manager"
    EXECUTOR = "EXECUTOR", "Executor"
    GUARDIAN_CONSERVATOR = "GUARDIAN_CONSERVATOR", "Guardian or conservator"
    INTERNAL_POWER_OF_ATTY = "INTERNAL_POWER_OF_ATTY", "Internal power of attorney"
    INITIAL_DEPOSITOR = "INITIAL_DEPOSITOR", "Initial depositor"
    POWER_OF_ATTY = "POWER_OF_ATTY", "Power of attorney"
    SOLE_PROPRIETOR = "SOLE_PROPRIETOR", "Sole proprietor"
    TRADING_AUTHORITY = "TRADING_AUTHORITY", "Trading authority"
    TREASURER = "TREASURER", "Treasurer"
    TRUSTED_CONTACT = "TRUSTED_CONTACT", "Trusted contact"


class TaxIdType(TextChoices):
    SSN = "SSN", "Social Security number (SSN)"
    ITIN = "ITIN", "Individual Taxpayer Identification Number (ITIN)"
    EIN = "EIN", "Employer Identification Number (EIN)"
    NATIONAL_ID = "NATIONAL_ID", "National identity number"
    #: Ours: there is no number, and why is kept beside it. Nothing of it goes to the provider.
    NONE = "NONE", "I have none"


class MaritalStatus(TextChoices):
    SINGLE = "SINGLE", "Single"
    MARRIED = "MARRIED", "Married"
    DIVORCED = "DIVORCED", "Divorced"
    WIDOWED = "WIDOWED", "Widowed"


class EmploymentSituation(TextChoices):
    """Ours: the provider knows employers only. Who has none is asked for none."""

    EMPLOYED = "EMPLOYED", "Employed"
    SELF_EMPLOYED = "SELF_EMPLOYED", "Self-employed"
    RETIRED = "RETIRED", "Retired"
    STUDENT = "STUDENT", "Student"
    NOT_WORKING = "NOT_WORKING", "Not working at present"


class InvestmentObjective(TextChoices):
    GROWTH = "GROWTH", "Growth: let it gain value over time"
    INCOME = "INCOME", "Income: regular returns"
    BALANCED = "BALANCED", "Balanced: some growth, some income"
    CAPITAL_PRESERVATION = "CAPITAL_PRESERVATION", "Capital preservation: keep what I have"
    SPECULATION = "SPECULATION", "Speculation: high risk for high gain"
    OTHER = "OTHER", "Something else"


class LiquidityNeeds(TextChoices):
    VERY_IMPORTANT = "VERY_IMPORTANT", "Very important"
    SOMEWHAT_IMPORTANT = "SOMEWHAT_IMPORTANT", "Somewhat important"
    NOT_IMPORTANT = "NOT_IMPORTANT", "Not important"


class RiskTolerance(TextChoices):
    LOW = "LOW", "Low"
    MEDIUM = "MEDIUM", "Medium"
    HIGH = "HIGH", "High"


class TimeHorizon(TextChoices):
    SHORT = "SHORT", "Short"
    AVERAGE = "AVERAGE", "Average"
    LONG = "LONG", "Long"


class UsdRange(TextChoices):
    UNDER_25K = "UNDER_25K", "Under $25,000"
    FROM_25K_TO_50K = "FROM_25K_TO_50K", "$25,000 to $50,000"
    FROM_50K_TO_100K = "FROM_50K_TO_100K", "$50,000 to $100,000"
    FROM_100K_TO_200K = "FROM_100K_TO_200K", "$100,000 to $200,000"
    FROM_200K_TO_300K = "FROM_200K_TO_300K", "$200,000 to $300,000"
    FROM_300K_TO_500K = "FROM_300K_TO_500K", "$300,000 to $500,000"
    FROM_500K_TO_1M = "FROM_500K_TO_1M", "$500,000 to $1 million"
    FROM_1M_TO_5M = "FROM_1M_TO_5M", "$1 million to $5 million"
    OVER_5M = "OVER_5M", "Over $5 million"


class MonthlyDeposits(TextChoices):
    """Ours: the provider does not ask it. What actual deposits are compared with (funding/watching.py)."""

    UNDER_1K = "UNDER_1K", "Under $1,000"
    FROM_1K_TO_5K = "FROM_1K_TO_5K", "$1,000 to $5,000"
    FROM_5K_TO_10K = "FROM_5K_TO_10K", "$5,000 to $10,000"
    FROM_10K_TO_25K = "FROM_10K_TO_25K", "$10,000 to $25,000"
    FROM_25K_TO_50K = "FROM_25K_TO_50K", "$25,000 to $50,000"
    FROM_50K_TO_100K = "FROM_50K_TO_100K", "$50,000 to $100,000"
    FROM_100K_TO_500K = "FROM_100K_TO_500K", "$100,000 to $500,000"
    OVER_500K = "OVER_500K", "Over $500,000"


class InvestmentExperience(TextChoices):
    NONE = "NONE", "None"
    LIMITED = "LIMITED", "Limited"
    GOOD = "GOOD", "Good"
    EXTENSIVE = "EXTENSIVE", "Extensive"


class EntityType(TextChoices):
    CORPORATE = "CORPORATE", "Corporation"
    LLC = "LLC", "Limited liability company (LLC)"
    PARTNERSHIP = "PARTNERSHIP", "Partnership"
    LIMITED_PARTNERSHIP = "LIMITED_PARTNERSHIP", "Limited partnership"
    TRUST = "TRUST", "Trust"


class RegistrationStatus(TextChoices):
    CURRENTLY_REGISTERED = "CURRENTLY_REGISTERED", "Registered"
    REGISTRATION_IN_PROGRESS = "REGISTRATION_IN_PROGRESS", "Registration in progress"
    NOT_REGISTERED = "NOT_REGISTERED", "Not registered"
    NOT_APPLICABLE = "NOT_APPLICABLE", "Does not apply"


class EntityUsdRange(TextChoices):
    UNDER_250K = "UNDER_250K", "Under $250,000"
    FROM_250K_TO_500K = "FROM_250K_TO_500K", "$250,000 to $500,000"
    FROM_500K_TO_1M = "FROM_500K_TO_1M", "$500,000 to $1 million"
    FROM_1M_TO_2M = "FROM_1M_TO_2M", "$1 million to $2 million"
    FROM_2M_TO_5M = "FROM_2M_TO_5M", "$2 million to $5 million"
    FROM_5M_TO_10M = "FROM_5M_TO_10M", "$5 million to $10 million"
    FROM_10M_TO_20M = "FROM_10M_TO_20M", "$10 million to $20 million"
    FROM_20M_TO_50M = "FROM_20M_TO_50M", "$20 million to $50 million"
    OVER_50M = "OVER_50M", "Over $50 million"


class NoTaxId(TextChoices):
    """Ours: why a person outside the US has no tax number to give (seed 000 lets it be left out)."""

    NONE_ISSUED = "NONE_ISSUED", "My country issues no such number"
    NOT_YET = "NOT_YET", "My country issues one, but not to me so far"


class SettlementMethod(TextChoices):
    BAKKT_TPJ = "BAKKT_TPJ", "Journal with the provider's bank (BAKKT_TPJ)"
    NET_SETTLEMENT = "NET_SETTLEMENT", "Net settlement (NET_SETTLEMENT)"
