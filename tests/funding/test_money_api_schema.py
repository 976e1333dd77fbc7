# ruff: noqa: F811  (fixtures are imported by name)
"""The API of money against its own document, asked about an account of one's own."""

import pytest
from hypothesis import settings
from schemathesis import Case

from funding.models import WireRecipient
from portal import clock
from portal.models import User
from tests.funding.people import at_provider, link_bank, open_account
from tests.funding.test_money_api import WIRE, paid_in
from tests.onboarding.test_api_schema import AS_DOCUMENTED, CALM, check, schema, token  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def mine(customer_user: User) -> dict[str, str]:
    """What the parameters of an address stand for."""
    account = open_account(customer_user)
    link_bank(account)
    at_provider(account, 500_000)
    return {
        "account_id": str(account.pk),
        "transfer_id": str(paid_in(account, 500_000).pk),
        "recipient_id": str(WireRecipient.objects.create(account=account, added_by=customer_user, **WIRE).pk),
        "month": f"{clock.now():%Y-%m}",
    }


# Wire instructions come from the provider alone: tests/faults/test_customer_money.py.
@schema.include(
    path_regex="/accounts/.account_id./(balance|statements|transfers|wire-recipients)"
).parametrize()
@settings(CALM, max_examples=4)
def test_what_is_asked_of_an_own_account_is_answered_as_documented(
    case: Case,
    token: str,
    mine: dict[str, str],
) -> None:
    case.path_parameters |= {name: value for name, value in mine.items() if name in case.path_parameters}
    check(case, token, AS_DOCUMENTED)
