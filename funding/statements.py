"""Monthly statements, built from the ledger: what was there, each movement, what is there then; to the cent.

A statement tells of the money the account holds, available or set aside: a withdrawal counts when it has left, and one
that failed does not show. Months are the banks' (New York).
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import islice

from django.db.models import Q, QuerySet, Sum
from django.utils.formats import date_format

from funding import business_days, standing
from funding.balances import CURRENCY
from funding.models import Book, LedgerEntry, LedgerLine, Transfer
from onboarding.models import Owner, ProviderAccount
from portal import clock
from portal.errors import Conflict, NotFound
from portal.money import Money
from portal.pdf import GREY, Column, new_sheet, paragraph, table
from portal.ui.plain import defused

HELD_IN = (Book.AVAILABLE, Book.OUTGOING)
#: So many movements take some seconds (tests/bench/bench_statements.py); the CSV is sent as it is read and has no end.
MOST_IN_PDF = 20_000
COLUMNS = (
    Column("Date", 16),
    Column("What", 30, wraps=True),
    Column("From or to", 40, wraps=True),
    Column("Reference", 16),
    Column("Amount", 20, "R"),
    Column("Balance", 20, "R"),
)


@dataclass(frozen=True)
class Line:
    """One movement, and what was there after it."""

    on: date
    what: str
    other: str
    reference: str
    amount: Money
    balance: Money


@dataclass(frozen=True)
class Statement:
    """One month of one account. `begins` is its first day; `lines` reads as it is walked, once."""

    account: ProviderAccount
    begins: date
    opening: Money

    @property
    def ends(self) -> date:
        """The first day of the month after."""
        return _next(self.begins)

    @property
    def name(self) -> str:
        """The month in words; the one that runs says so."""
        words = date_format(self.begins, "F Y")
        return f"{words} so far" if self.ends > business_days.today(clock.now()) else words

    def lines(self) -> Iterator[Line]:
        """Every movement of the month, oldest first, each with the balance it led to."""
        balance = self.opening
        entries = _entries(self.account).filter(at__gte=_start(self.begins), at__lt=_start(self.ends))
        for entry in entries.order_by("at", "pk").iterator(chunk_size=500):
            amount = Money(entry.held, CURRENCY)  # type: ignore[attr-defined]
            balance += amount
            transfer = entry.transfer
            what = standing.name(transfer)
            if entry.status == Transfer.Status.RETURNED:
                what = f"{what}, returned"
            yield Line(
                entry.at.astimezone(business_days.NEW_YORK).date(),
                what,
                standing.other_side(transfer),
                transfer.short,
                amount,
                balance,
            )


def months(account: ProviderAccount) -> list[date]:
    """The first days of the months that have a statement, newest first; none while nothing ever moved."""
    first = (
        LedgerEntry.objects.filter(transfer__account=account)
        .order_by("at")
        .values_list("at", flat=True)
        .first()
    )
    if first is None:
        return []
    month = first.astimezone(business_days.NEW_YORK).date().replace(day=1)
    found = []
    while month <= business_days.today(clock.now()):
        found.append(month)
        month = _next(month)
    return found[::-1]


def statement(account: ProviderAccount, month: str) -> Statement:
    """The statement of a month written 2026-11. Raises NotFound for one that has none."""
    begins = next((row for row in months(account) if f"{row:%Y-%m}" == month), None)
    if begins is None:
        raise NotFound("There is no statement of this month.")
    rows = LedgerLine.objects.filter(account=account, book__in=HELD_IN, currency=CURRENCY)
    opening = rows.filter(entry__at__lt=_start(begins)).aggregate(sum=Sum("amount_minor"))["sum"] or 0
    return Statement(account, begins, Money(opening, CURRENCY))


def as_csv(found: Statement) -> Iterator[str]:
    """The statement line by line, as it is read."""
    yield _row(tuple(column.head for column in COLUMNS))
    balance = found.opening.as_decimal_string()
    yield _row((found.begins.isoformat(), "Opening balance", "", "", "", balance))
    for line in found.lines():
        balance = line.balance.as_decimal_string()
        amount = line.amount.as_decimal_string()
        yield _row(
            (line.on.isoformat(), defused(line.what), defused(line.other), line.reference, amount, balance)
        )
    yield _row(("", "Closing balance", "", "", "", balance))


def as_pdf(found: Statement) -> bytes:
    """The statement to keep. Raises Conflict for more movements than a PDF is drawn of while somebody waits."""
    lines = list(islice(found.lines(), MOST_IN_PDF + 1))
    if len(lines) > MOST_IN_PDF:
        raise Conflict(
            f"This month has more than {MOST_IN_PDF:,} movements. Take the CSV, which holds them all."
        )
    closing = lines[-1].balance if lines else found.opening
    owner = Owner.objects.get(application=found.account.application_id, is_applicant=True)
    holder = f"{owner.full_name}, account {found.account.client_account_id}"
    title = f"Statement, {found.name}"
    sheet = new_sheet(title, " ".join([holder, *(f"{line.what} {line.other}" for line in lines)]))
    paragraph(sheet, title, 18)
    paragraph(sheet, holder, 11)
    sheet.ln(2)
    paragraph(sheet, f"Opening balance {found.opening.format()}. Closing balance {closing.format()}.", 11)
    sheet.ln(4)
    table(
        sheet,
        COLUMNS,
        (
            (
                date_format(line.on, "M j"), line.what, line.other, line.reference, line.amount.format(),
                line.balance.format(),
            )
            for line in lines
        ),
    )  # fmt: skip
    if not lines:
        paragraph(sheet, "Nothing moved in this month.", 10)
    sheet.ln(4)
    sheet.set_text_color(*GREY)
    paragraph(sheet, "From our own books. What is on its way is not counted until it has arrived or left.", 8)
    return bytes(sheet.output())


def _entries(account: ProviderAccount) -> QuerySet[LedgerEntry]:
    held = Sum("lines__amount_minor", filter=Q(lines__book__in=HELD_IN, lines__currency=CURRENCY))
    return (
        LedgerEntry.objects.filter(transfer__account=account)
        .annotate(held=held)
        .filter(~Q(held=0), held__isnull=False)
        .select_related("transfer__bank", "transfer__recipient")
    )


def _start(on: date) -> datetime:
    return datetime.combine(on, time(), tzinfo=business_days.NEW_YORK)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _row(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
