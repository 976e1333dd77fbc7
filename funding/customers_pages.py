"""The customer's pages of money that staff may look at as the customer sees them (onboarding/as_customer.py)."""

from collections.abc import Callable

from django.urls import reverse

from onboarding.as_customer import CustomersPage
from onboarding.models import Application
from onboarding.standing import account_of

VIEW = "transfer.view"


def _of_account(view: str) -> Callable[[Application], str]:
    def address(application: Application) -> str:
        account = account_of(application)
        return reverse(view, args=[account.pk]) if account else ""

    return address


PAGES = (
    CustomersPage("money", "Money", "money:account", _of_account("money:account"), ("money:home",), VIEW),
    CustomersPage("activity", "Activity", "money:activity", _of_account("money:activity"), needs=VIEW),
)
