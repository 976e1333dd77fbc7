"""How much may be moved, and how much of it is left today and this month."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Sum

from funding.models import Transfer, TransferLimit
from onboarding.models import ProviderAccount
from portal import clock
from portal.money import Money

Asker = TransferLimit.Asker
DAY, MONTH = timedelta(days=1), timedelta(days=30)


@dataclass(frozen=True)
class Limits:
    """The limits that stand for one asker, rail and direction, in cents; None is no such limit."""

    least: int = 0
    single: int | None = None
    day: int | None = None
    month: int | None = None
    second_factor: int | None = None
    second_person: int | None = None


#: What stands until a manager says otherwise (TransferLimit). The least is the provider's (contract 10).
FIRST: dict[tuple[str, str, str], Limits] = {
    ("customer", "ach", "deposit"): Limits(1_000, 2_500_000, 5_000_000, 25_000_000),
    ("customer", "ach", "withdrawal"): Limits(1_000, 2_500_000, 5_000_000, 25_000_000, second_factor=500_000),
    ("customer", "wire", "withdrawal"): Limits(1_000, 25_000_000, 50_000_000, second_factor=100_000),
    ("staff", "ach", "deposit"): Limits(1_000, 10_000_000, 10_000_000, 50_000_000, second_person=1_000_000),
    ("staff", "ach", "withdrawal"): Limits(
        1_000, 10_000_000, 10_000_000, 50_000_000, second_person=1_000_000
    ),
    ("staff", "wire", "withdrawal"): Limits(1_000, second_person=1_000_000),
}


@dataclass(frozen=True)
class Used:
    """What was moved already, in cents, over the last day and the last thirty."""

    day: int
    month: int


def limits_for(account: ProviderAccount, asker: str, rail: str, direction: str) -> Limits:
    """The account's own limits, or everyone's, or the first ones; none for a wire in, which nobody asks for."""
    rows = TransferLimit.objects.filter(asker=asker, rail=rail, direction=direction)
    row = rows.filter(account=account).first() or rows.filter(account=None).first()
    return of_row(row) if row else FIRST.get((asker, rail, direction), Limits())


def limits_for_all(asker: str, rail: str, direction: str) -> Limits:
    """What counts for whoever has no limits of their own."""
    rows = TransferLimit.objects.filter(account=None, asker=asker, rail=rail, direction=direction)
    row = rows.first()
    return of_row(row) if row else FIRST.get((asker, rail, direction), Limits())


def of_row(row: TransferLimit) -> Limits:
    """The limits that a row keeps."""
    return Limits(
        row.least_minor,
        row.single_minor,
        row.day_minor,
        row.month_minor,
        row.second_factor_minor,
        row.second_person_minor,
    )


def used(account: ProviderAccount, rail: str, direction: str) -> Used:
    """What was asked for and has not failed, whoever asked."""
    moment = clock.now()
    rows = Transfer.objects.filter(
        account=account, rail=rail, direction=direction, kind=Transfer.Kind.TRANSFER
    ).exclude(origin=Transfer.Origin.PROVIDER)
    # A returned deposit was moved, and counts; what never left does not.
    rows = rows.exclude(status__in=Transfer.ENDED_BADLY - {Transfer.Status.RETURNED})

    def total(since: timedelta) -> int:
        return int(rows.filter(created_at__gt=moment - since).aggregate(sum=Sum("amount_minor"))["sum"] or 0)

    return Used(total(DAY), total(MONTH))


def left(limits: Limits, gone: Used, currency: str) -> Money | None:
    """The most that one transfer may be now; None where nothing limits it."""
    bounds = [
        bound
        for bound in (
            limits.single,
            None if limits.day is None else limits.day - gone.day,
            None if limits.month is None else limits.month - gone.month,
        )
        if bound is not None
    ]
    return Money(max(0, min(bounds)), currency) if bounds else None
