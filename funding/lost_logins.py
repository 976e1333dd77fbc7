"""Logins at a bank that Plaid may hold though nobody has their token: Plaid's team alone ends them, so a case each."""

from compliance import services as compliance
from funding.models import BankLogin
from funding.subjects import subject_of

KIND = "funding.login_lost"


def tell(login: BankLogin) -> None:
    """Open the case, in the transaction that says that nothing came of the login."""
    compliance.case_open(
        kind=KIND,
        subject=subject_of(login),
        title="Plaid may hold a login of which we have no token",
        facts={"asked for": login.exchange_asked_at.isoformat() if login.exchange_asked_at else ""},
        source="provider",
        dedupe=str(login.pk),
    )
