"""Staff look at the customer's pages of money: what the customer sees, nothing alive, nothing asked of the provider."""

from collections.abc import Callable

import pytest
from django.test import Client

from funding.models import ProviderBalance
from onboarding import as_customer
from portal.models import AuditEntry, User
from tests.funding.people import at_provider, link_bank, open_account
from tests.funding.test_statements import moved
from tests.onboarding.test_as_customer import alive

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def test_money_as_the_customer_sees_it(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    account = open_account(customer_user)
    moved(account, 12_345, (8, 3, "requested"), (8, 5, "completed"), bank=link_bank(account))
    other = open_account(customer_user)
    kept = at_provider(account, 98_765)
    # Long ago, so that the customer's own page would ask the provider, of which there is none here.
    ProviderBalance.objects.update(read_at="2026-08-06T12:00:00Z")
    kept.refresh_from_db()
    place = f"/staff/applications/{account.application_id}/as-customer/"
    analyst = staff("compliance_analyst")
    for page, words in (("money", "$987.65"), ("activity", "$123.45")):
        answer = signed_in(analyst).get(f"{place}{page}/")
        assert answer.status_code == 200
        text = answer.content.decode()
        assert words in text and "does not answer" not in text and 'aria-current="page"' in text
        came_to, shown = as_customer.shown(analyst, account.application, page)
        assert (came_to, alive(shown)) == (page, [])
        assert f'href="/money/accounts/{account.pk}' not in shown and str(other.pk) not in shown
    assert f'href="{place}activity/"' in as_customer.shown(analyst, account.application, "money")[1]
    assert ProviderBalance.objects.get().read_at == kept.read_at
    looks = AuditEntry.objects.filter(action="customer.viewed_as").order_by("at")
    assert [entry.after for entry in looks] == [{"page": "money"}, {"page": "activity"}]


def test_money_is_for_who_sees_transfers_and_for_accounts(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    account = open_account(customer_user)
    place = f"/staff/applications/{account.application_id}/as-customer/"
    agent = signed_in(staff("onboarding_agent"))
    assert agent.get(f"{place}money/").status_code == 404
    assert f"{place}money/" not in agent.get(f"{place}home/").content.decode()
    assert signed_in(staff("auditor")).get(f"{place}money/").status_code == 200
    account.delete()
    desk = signed_in(staff("auditor"))
    assert desk.get(f"{place}money/").status_code == 404
    assert f"{place}money/" not in desk.get(f"{place}home/").content.decode()
