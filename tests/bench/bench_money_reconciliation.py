"""How fast the provider's record of money is compared with our transfers, beside a bare two-way hash join of the same
data.

The baseline holds all of our transfers in a dict, takes out what the record names and compares it; what is left is
missing there. It keeps nothing, survives nothing and needs memory for every row. The comparison writes the record down,
a piece at a time, and matches it in the database, so that any worker can go on with it. No time is asserted: only
ratios travel between machines; that the planted differences are found, and that memory stays where it is, is. Run with
`make bench`, or `RECONCILE_ROWS=1000000 pytest -m bench -s tests/bench/bench_money_reconciliation.py` for all of it.
"""

import os
import resource
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import Count

from funding.models import AccountReading, MoneyRun, ReconciliationItem, Transfer
from funding.reconciliation import runs, stating
from onboarding.models import ProviderAccount
from portal import clock
from portal.models import User
from portal.money import Money
from providers.bakkt.fiat_events import Direction, FiatStatus, Kind, Movement
from tests.bench.seeding import key, multiply, settle
from tests.funding.people import open_account

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("RECONCILE_ROWS", "10000"))
#: One of each kind of difference in so many rows.
EVERY = 1000
#: What the comparison may add to the memory of the process, whatever the number of rows.
MOST_MB = 60.0


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def transfers(account: ProviderAccount, number: int) -> None:
    """So many completed deposits of a week ago, as rows; their books do not matter here."""
    ago = clock.now() - timedelta(days=7)
    pattern = Transfer.objects.create(
        account=account, status="completed", direction="deposit", rail="ach", origin="customer", amount_minor=1,
        reference="pattern", created_at=ago, status_at=ago, provider_word="COMPLETE",
    )  # fmt: skip
    multiply(Transfer, pattern.pk, number, reference=f"{key(Transfer)}::text", amount_minor="100 + n")
    Transfer.objects.filter(pk=pattern.pk).delete()
    settle(Transfer)


def record(account: ProviderAccount, number: int) -> Iterator[Movement]:
    """The provider's record of the same, one at a time, with differences planted."""
    at = clock.now() - timedelta(days=7)
    start = str(Transfer.objects.values_list("reference", flat=True)[0])[:24]
    for n in range(1, number + 1):
        planted = n % EVERY
        if planted == 2:
            continue
        amount = Money(100 + n + (planted == 0), "USD")
        returned = planted == 1
        yield Movement(
            party_ref=account.client_account_id,
            reference="" if planted == 3 else f"{start}{n:012x}",
            kind=Kind.TRANSFER,
            direction=Direction.DEPOSIT,
            type_word="DEPOSIT",
            instrument="ACH",
            word="RETURNED" if returned else "COMPLETE",
            status=FiatStatus.RETURNED if returned else FiatStatus.COMPLETED,
            amount=amount,
            reason_code="",
            provider_id=f"theirs-{n}",
            at=at,
        )


def bare_join(account: ProviderAccount, number: int) -> int:
    """Both sides through a dict; how many rows differ."""
    rows = Transfer.objects.values_list("reference", "amount_minor", "status")
    ours = {reference: (amount, status) for reference, amount, status in rows.iterator(chunk_size=5000)}
    differ = 0
    for movement in record(account, number):
        mine = ours.pop(movement.reference, None)
        assert movement.amount is not None
        differ += mine is None or mine != (movement.amount.minor, str(movement.status))
    return differ + len(ours)


def test_a_comparison_beside_a_bare_join(customer_user: User) -> None:
    account = open_account(customer_user)
    transfers(account, ROWS)
    began = clock.now()
    run = MoneyRun.objects.create(since=began - timedelta(days=65), started_at=began, expected=1)
    memory = peak()
    started = time.perf_counter()
    count = stating.state(run, record(account, ROWS), as_of=began, account=account)
    AccountReading.objects.create(run=run, account=account, as_of=began)
    MoneyRun.objects.filter(pk=run.pk).update(stage="match")
    spent = Counter({"written down": time.perf_counter() - started})
    stage = "match"
    while stage:
        before = time.perf_counter()
        runs.step()
        spent[stage] += time.perf_counter() - before
        stage = (
            MoneyRun.objects.filter(pk=run.pk, status="running").values_list("stage", flat=True).first() or ""
        )
    seconds = time.perf_counter() - started
    more = peak() - memory
    run.refresh_from_db()
    started = time.perf_counter()
    differ = bare_join(account, ROWS)
    bare = time.perf_counter() - started
    print(
        f"\n{count:,} movements, {run.differ:,} differences in {seconds:.1f} s: {count / seconds:,.0f} rows/s"
    )
    print("  " + ", ".join(f"{name} {took:.1f} s" for name, took in spent.items()))
    print(f"  bare hash join {bare:.1f} s: {count / bare:,.0f} rows/s; ratio {bare / seconds:.3f}")
    print(f"  memory {memory:.0f} MB before, {more:.0f} MB more at its peak; the join's peak {peak():.0f} MB")
    found = ReconciliationItem.objects.order_by().values_list("kind").annotate(Count("pk"))
    # A movement without our reference is missing here, and its transfer there.
    planted = ROWS // EVERY
    assert dict(found) == {
        "amount": planted, "state": planted, "missing_here": planted, "missing_there": 2 * planted,
    }  # fmt: skip
    assert (run.status, run.differ) == ("finished", differ)
    assert more < MOST_MB
