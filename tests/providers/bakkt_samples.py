"""A made-up customer for the client tests, with values that must never show up in a log."""

from datetime import UTC, date, datetime

from providers.bakkt.types import (
    AccountGoals,
    AccountRequest,
    AccountType,
    Address,
    Agreement,
    CustomerProfile,
    Employment,
    Identity,
    InvestmentProfile,
    Owner,
    OwnerRole,
)

SECRETS = (
    "Hortensia",
    "Quackenbush",
    "912-34-5678",
    "912345678",
    "1988-04-17",
    "hortensia@example.test",
    "+15125550142",
    "17 Larkspur Lane",
    "hunter2-password",
    "T0KEN-ONE",
    "T0KEN-TWO",
    "ACC-000123",
)

HOME = Address(("17 Larkspur Lane", "Apt 4"), "Austin", "USA", "TX", "78701")


def account_request(client_account_id: str = "ACC-000123") -> AccountRequest:
    owner = Owner(
        role=OwnerRole.PRIMARY_OWNER,
        email_address="hortensia@example.test",
        phone_number="+15125550142",
        mailing_address=HOME,
        identity=Identity(
            given_name="Hortensia",
            family_name="Quackenbush",
            date_of_birth=date(1988, 4, 17),
            personal_address=HOME,
            tax_id="912345678",
            tax_id_type="SSN",
            employment=Employment("Sample Works LLC", "Analyst", 4, HOME),
        ),
        agreements=(
            Agreement("crypto-user-agreement", "2024-01", datetime(2025, 3, 2, 15, 4, 5, tzinfo=UTC)),
        ),
    )
    return AccountRequest(
        client_account_id=client_account_id,
        account_type=AccountType.INDIVIDUAL,
        owners=(owner,),
        investment_profile=InvestmentProfile(
            AccountGoals("GROWTH", risk_tolerance="MEDIUM"), CustomerProfile("FROM_50K_TO_100K")
        ),
    )


def account_reply(**changes: object) -> dict[str, object]:
    return {
        "id": "84421907",
        "createdAt": "2025-03-02T15:04:07Z",
        "status": "PENDING",
        "mode": "LOCKED",
        "pendingUpdateIds": [],
        "request": account_request().to_wire(),
    } | changes
