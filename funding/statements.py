"""Monthly statements, built from the ledger: what was there, each movement, what is there then; to the cent.

A statement tells of the money the account holds, available or set aside: a withdrawal counts when it has left, and one
that failed does not show. Months are the banks' (New York).
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
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
#: So many movements are drawn while somebody waits, in less than a second (tests/bench/bench_statements.py); a month of
#: more comes in parts, each a statement of its own. The CSV is sent as it is read and has no end.
IN_A_PDF = 2_000
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
    """One month of one account, or a part of it. `begins` is the month's first day; `lines` reads as it is walked.

    A part holds IN_A_PDF movements at most, and opens where the one before closed. `part` 0 is all of the month.
    """

    account: ProviderAccount
    begins: date
    opening: Money
    part: int = 0
    parts: int = 1

    @property
    def ends(self) -> date:
        """The first day of the month after."""
        return _next(self.begins)

    @property
    def name(self) -> str:
        """The month in words; the one that runs says so."""
        words = date_format(self.begins, "F Y")
        if self.ends > business_days.today(clock.now()):
            words = f"{words} so far"
        return f"{words}, part {self.part} of {self.parts}" if self.parts > 1 and self.part else words

    def lines(self) -> Iterator[Line]:
        """Every movement, oldest first, each with the balance it led to."""
        balance = self.opening
        entries = _of_month(self.account, self.begins)
        if self.part:
            entries = entries[(self.part - 1) * IN_A_PDF : self.part * IN_A_PDF]
        for entry in entries.iterator(chunk_size=500):
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


def listed(account: ProviderAccount) -> list[tuple[date, list[int]]]:
    """The months that have a statement, newest first, each with the numbers of the parts of its PDF.

    One part, unless very much moved.
    """
    moved = LedgerEntry.objects.filter(pk__in=_entries(account).order_by().values("pk"))
    counted = moved.annotate(month=TruncMonth("at", tzinfo=business_days.NEW_YORK)).values("month")
    numbers = {row["month"].date(): row["number"] for row in counted.annotate(number=Count("pk")).order_by()}
    return [(month, list(range(1, _parts(numbers.get(month, 0)) + 1))) for month in months(account)]


def _parts(movements: int) -> int:
    return max(1, -(-movements // IN_A_PDF))


def part_of(found: Statement, part: str) -> Statement:
    """What one PDF is drawn of: the month, or, where it comes in parts, the one that is named.

    Raises NotFound for a part there is not, and Conflict where none is named of several: nobody shall take a part for
    the whole.
    """
    rows = _of_month(found.account, found.begins)
    number = _parts(rows.count())
    if not part and number > 1:
        raise Conflict(
            f"So much moved in this month that its PDF comes in {number} parts. Ask for part=1 to part={number}, or "
            "take the CSV, which holds all of it."
        )
    wanted = int(part or 1) if (part or "1").isascii() and (part or "1").isdigit() and len(part) < 6 else 0
    if not 1 <= wanted <= number:
        raise NotFound("There is no such part of the statement.")
    before = rows[: (wanted - 1) * IN_A_PDF].aggregate(sum=Sum("held"))["sum"] if wanted > 1 else 0
    return replace(found, opening=found.opening + Money(before or 0, CURRENCY), part=wanted, parts=number)


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
    """The statement to keep, of what `part_of` gives."""
    lines = list(found.lines())
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


def _of_month(account: ProviderAccount, begins: date) -> QuerySet[LedgerEntry]:
    rows = _entries(account).filter(at__gte=_start(begins), at__lt=_start(_next(begins)))
    return rows.order_by("at", "pk")


def _start(on: date) -> datetime:
    return datetime.combine(on, time(), tzinfo=business_days.NEW_YORK)


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _row(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue()
