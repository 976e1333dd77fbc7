"""The ledger: double entry, append-only, the book of what the portal believes.

A transfer's status says where its money stands (`position`); with each move an entry is written that takes the books
from where they stood to there. So the books follow from the statuses, each status is booked once, and every entry
balances: database triggers see to that, to the balances, and to it that no row is ever changed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q, Sum

from onboarding.models import ProviderAccount
from portal import clock, ids

if TYPE_CHECKING:
    from funding.models.transfers import Transfer


class Book(models.TextChoices):
    """The books. The first three are the customer's: positive is theirs. The others are where it comes from."""

    AVAILABLE = "available", "Available"
    INCOMING = "incoming", "On its way in"
    OUTGOING = "outgoing", "On its way out"
    PROVIDER = "provider", "Held at the provider"
    FEES = "fees", "Fees"
    ADJUSTMENTS = "adjustments", "Write-offs and adjustments"
    TRADES = "trades", "Trades"


class LedgerEntry(models.Model):
    """One booking: what a transfer's arrival in a status moved. Once for each transfer and status."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    transfer = models.ForeignKey("funding.Transfer", on_delete=models.PROTECT, related_name="entries")
    status = models.CharField(max_length=10)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(fields=["transfer", "status"], name="ledger_entry_once"),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id} {self.status}"


class LedgerLine(models.Model):
    """One line of an entry. The lines of an entry add up to nothing, by a trigger at commit."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="ledger_lines")
    book = models.CharField(max_length=12, choices=Book.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        verbose_name = "ledger line"
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="ledger_line_not_nothing"),
            models.CheckConstraint(
                condition=Q(book__in=[str(book) for book in Book.values]), name="ledger_line_book_known"
            ),
        ]
        indexes = [models.Index(fields=["account", "book"], name="ledger_line_of_account")]

    def __str__(self) -> str:
        return f"{self.book} {self.amount_minor} {self.currency}"


class LedgerBalance(models.Model):
    """The sum of an account's lines in one book, written by the database itself with each line and by nothing else."""

    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="ledger_balances")
    book = models.CharField(max_length=12, choices=Book.choices)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        verbose_name = "ledger balance"
        constraints = [
            models.UniqueConstraint(fields=["account", "book", "currency"], name="ledger_balance_one"),
        ]

    def __str__(self) -> str:
        return f"{self.book} {self.amount_minor} {self.currency}"


def position(transfer: "Transfer") -> dict[str, int]:
    """Where the transfer's money stands now, by book, in minor units; adds up to nothing.

    Asked for and not sent, a deposit is nowhere yet, while a withdrawal is set aside at once: it cannot be spent twice.
    """
    amount, status = transfer.amount_minor, transfer.status
    if status in transfer.ENDED_BADLY:
        return {}
    done = status == transfer.Status.COMPLETED
    against = _AGAINST.get(transfer.kind, Book.PROVIDER)
    if transfer.is_deposit:
        if done:
            return {Book.AVAILABLE: amount, against: -amount}
        if status in {transfer.Status.HELD, transfer.Status.REQUESTED}:
            return {}
        return {Book.INCOMING: amount, against: -amount}
    return {Book.AVAILABLE: -amount, (against if done else Book.OUTGOING): amount}


_AGAINST: dict[str, Book] = {
    "return_fee": Book.FEES,
    "write_off": Book.ADJUSTMENTS,
    "adjustment": Book.ADJUSTMENTS,
    "trade": Book.TRADES,
}


def post(transfer: "Transfer") -> LedgerEntry | None:
    """Book what takes the transfer from where the books have it to its position; None when nothing moves.

    In the transaction that gave it its status. A status booked before raises IntegrityError.
    """
    rows = (
        LedgerLine.objects.filter(entry__transfer=transfer).values("book").annotate(minor=Sum("amount_minor"))
    )
    booked = {row["book"]: row["minor"] for row in rows}
    lines = _difference(booked, position(transfer))
    if not lines:
        return None
    entry = LedgerEntry.objects.create(transfer=transfer, status=transfer.status)
    LedgerLine.objects.bulk_create(
        LedgerLine(
            entry=entry,
            account_id=transfer.account_id,
            book=book,
            amount_minor=minor,
            currency=transfer.currency,
        )
        for book, minor in sorted(lines.items())
    )
    return entry


def _difference(old: Mapping[str, int], new: Mapping[str, int]) -> dict[str, int]:
    found = {book: new.get(book, 0) - old.get(book, 0) for book in {*old, *new}}
    return {book: minor for book, minor in found.items() if minor}
