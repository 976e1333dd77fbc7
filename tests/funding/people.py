"""Open accounts with a linked bank, made as rows: what the account went through before does not matter here."""

from typing import Any

from funding.models import LinkedBank, ProviderBalance
from onboarding.models import Application, Customer, Owner, ProviderAccount
from portal import clock, ids
from portal.models import User
from tests.people import make_customer_user


def open_account(user: User | None = None, *, status: str = "active") -> ProviderAccount:
    """An open account of a customer named Ana Ortiz."""
    user = user or make_customer_user()
    customer, _ = Customer.objects.get_or_create(user=user)
    application = Application.objects.create(customer=customer, status="approved", submitted_at=clock.now())
    Owner.objects.create(
        application=application, is_applicant=True, given_name="Ana", family_name="Ortiz", email=user.email
    )
    return ProviderAccount.objects.create(
        application=application, client_account_id=application.reference, status=status, can_trade=True
    )


def link_bank(account: ProviderAccount, **more: Any) -> LinkedBank:
    """An active bank in the customer's name."""
    facts: dict[str, Any] = {
        "status": "active",
        "institution": "First Platypus Bank",
        "name": "Plaid Checking",
        "mask": "0000",
        "subtype": "checking",
        "owner": "match",
        "reference": str(ids.new_id()),
        "linked_at": clock.now(),
    }
    return LinkedBank.objects.create(account=account, **(facts | more))


def at_provider(account: ProviderAccount, settled_minor: int) -> ProviderBalance:
    """What the provider said it holds."""
    row, _ = ProviderBalance.objects.update_or_create(
        account=account, currency="USD", defaults={"settled_minor": settled_minor, "unsettled_minor": 0}
    )
    return row
