"""Banks that take too long to be linked or unlinked show in the metrics and on the operations page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from funding import gauges, on_way
from funding.bank_flow import LINKED_WITHIN
from funding.models import LinkedBank
from onboarding.models import ProviderAccount
from portal import clock, metrics
from portal.models import User
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
LONG = LINKED_WITHIN + timedelta(minutes=5)


def account() -> ProviderAccount:
    return open_account(make_customer_user())


def bank(status: str, ago: timedelta, **more: Any) -> LinkedBank:
    """A bank in that state since then."""
    row = link_bank(account(), status=status)
    LinkedBank.objects.filter(pk=row.pk).update(status_at=clock.now() - ago, **more)
    return row


def test_what_counts_as_stuck_and_as_slow_and_what_does_not() -> None:
    assert gauges._banks() == {"stuck": 0, "slow_link": 0, "slow_unlink": 0}
    assert gauges._oldest_bank() == {"stuck": 0, "slow": 0}
    for status in ("linking", "pending", "unlinking"):
        bank(status, LINKED_WITHIN - timedelta(minutes=5))
    # A person's to decide, the customer's to do, or at its end: on no way.
    for status in ("review", "active", "sign_in", "unlinked", "refused"):
        bank(status, LONG * 50)
    assert not on_way.slow().exists() and not on_way.stuck().exists()
    for status in ("linking", "pending"):
        bank(status, LONG)
    bank("unlinking", LONG * 3)
    bank("unlinking", LONG * 9, stuck_at=clock.now() - LONG * 2)
    assert gauges._banks() == {"stuck": 1, "slow_link": 2, "slow_unlink": 1}
    oldest = gauges._oldest_bank()
    assert oldest["slow"] == pytest.approx((LONG * 3).total_seconds(), abs=60)
    assert oldest["stuck"] == pytest.approx((LONG * 2).total_seconds(), abs=60)
    text = metrics.exposition().decode()
    assert 'portal_banks_waiting{why="slow_link"} 2.0' in text
    assert 'portal_banks_oldest_seconds{why="slow"}' in text


def test_the_operations_page_says_so(
    staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(staff("auditor")).get(reverse("operations:home")).content.decode()
    assert "Banks long on their way" in page and "The oldest for" not in page
    bank("pending", LONG)
    bank("linking", LONG, stuck_at=clock.now() - timedelta(hours=7))
    lines = {line.label: line for line in on_way.lines(staff("auditor"))}
    assert {label: (line.value, line.tone) for label, line in lines.items()} == {
        "Transfers nobody knows of": (0, "neutral"),
        "Banks nobody knows of": (1, "danger"),
        "Banks long on their way": (1, "warning"),
    }
    browser = signed_in(staff("auditor"))
    shown = browser.get(reverse("operations:home")).content.decode()
    assert "The oldest for 7\xa0hours" in shown and "The oldest for 1\xa0hour" in shown
    for line in lines.values():
        if line.url:
            assert browser.get(line.url).status_code == 200, line.label
