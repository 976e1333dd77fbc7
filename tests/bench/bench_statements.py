"""How long a statement takes and how much memory it needs, beside reading the same rows alone.

No time is asserted; that every line is there is. Run with `make bench`, or
`STATEMENT_ROWS=20000 pytest -m bench -s tests/bench/bench_statements.py` for a month of 20,000 movements.
"""

import os
import resource
import time
from datetime import UTC, date, datetime

import pytest

from funding import statements
from funding.models import LedgerEntry, LedgerLine, Transfer
from onboarding.models import ProviderAccount
from onboarding.privacy import exporting
from portal.models import User
from portal.money import Money
from tests.bench.seeding import key, multiply, settle
from tests.funding.people import link_bank, open_account

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("STATEMENT_ROWS", "2000"))
MONTH = datetime(2026, 8, 1, 12, tzinfo=UTC)


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def month_of(account: ProviderAccount, number: int) -> None:
    """So many completed deposits in August 2026, with their books."""
    bank = link_bank(account)
    transfer = Transfer.objects.create(
        account=account, bank=bank, status="completed", direction="deposit", rail="ach", origin="customer",
        amount_minor=1, reference="pattern", created_at=MONTH, status_at=MONTH,
    )  # fmt: skip
    transfer.enter()
    entry = LedgerEntry.objects.get(transfer=transfer)
    multiply(Transfer, transfer.pk, number, reference="'r' || n", amount_minor="100 + n")
    at = f"'{MONTH.isoformat()}'::timestamptz + n * interval '28 days' / {number + 1}"
    multiply(LedgerEntry, entry.pk, number, transfer_id=key(Transfer), at=at)
    for place, line in enumerate(LedgerLine.objects.filter(entry=entry)):
        multiply(
            LedgerLine, line.pk, number, entry_id=key(LedgerEntry), id=key(LedgerLine, f"n + {place * 10**9}"),
            amount_minor="sign(t.amount_minor) * (100 + n)",
        )  # fmt: skip
    settle(Transfer, LedgerEntry, LedgerLine)


def measured(name: str, made: object) -> object:
    memory, started = peak(), time.perf_counter()
    found = made()  # type: ignore[operator]
    print(f"  {name}: {time.perf_counter() - started:.2f} s, {peak() - memory:.0f} MB more at its peak")
    return found


def test_a_statement_beside_reading_its_rows(customer_user: User) -> None:
    account = open_account(customer_user)
    month_of(account, ROWS)
    statements.as_pdf(statements.Statement(account, date(2025, 8, 1), Money(0, "USD")))
    print(f"\n{ROWS:,} movements")
    found = statements.statement(account, "2026-08")
    measured("months", lambda: statements.months(account))
    measured("rows read", lambda: sum(1 for _ in found.lines()))
    lines = measured("CSV", lambda: sum(1 for _ in statements.as_csv(found)))
    assert lines == ROWS + 3
    last = -(-ROWS // statements.IN_A_PDF)
    measured("months with their parts", lambda: statements.listed(account))
    content = measured("PDF, last part", lambda: statements.as_pdf(statements.part_of(found, str(last))))
    _, papers = measured("copy of the customer's data", lambda: exporting.contents(customer_user))  # type: ignore[misc]
    assert papers == []
    print(f"  PDF of {len(content) / 1e6:.1f} MB")  # type: ignore[arg-type]
