"""Unusual movements, and movements over what the customer stated: the rules in one table, one kind of case.

A rule stops nothing by itself; it has a person look. The bounds are our own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet, Sum

from compliance import services as compliance
from funding.models import Transfer
from funding.subjects import subject_of
from onboarding.models import InvestmentProfile, ProviderAccount
from onboarding.words import MonthlyDeposits, UsdRange
from portal import clock
from portal.money import Money

KIND = "funding.unusual"
#: So many transfers asked for in a day are a case.
MANY_A_DAY = 10
#: A withdrawal that takes out so much of what came in over the last days, from this amount on.
SOON, SHARE, SOON_FROM = timedelta(days=5), 0.8, 500_000
#: A bank or recipient is new for so long; a withdrawal to it is large from this amount on.
NEW_FOR, LARGE_FROM = timedelta(days=7), 1_000_000
MONTH = timedelta(days=30)
#: The upper end of what the customer stated as a year's income, in cents; none for the open range.
YEAR_AT_MOST = {
    UsdRange.UNDER_25K: 2_500_000,
    UsdRange.FROM_25K_TO_50K: 5_000_000,
    UsdRange.FROM_50K_TO_100K: 10_000_000,
    UsdRange.FROM_100K_TO_200K: 20_000_000,
    UsdRange.FROM_200K_TO_300K: 30_000_000,
    UsdRange.FROM_300K_TO_500K: 50_000_000,
    UsdRange.FROM_500K_TO_1M: 100_000_000,
    UsdRange.FROM_1M_TO_5M: 500_000_000,
}
#: The upper end of what they stated as deposits of a month; none for the open range.
MONTH_AT_MOST = {
    MonthlyDeposits.UNDER_1K: 100_000,
    MonthlyDeposits.FROM_1K_TO_5K: 500_000,
    MonthlyDeposits.FROM_5K_TO_10K: 1_000_000,
    MonthlyDeposits.FROM_10K_TO_25K: 2_500_000,
    MonthlyDeposits.FROM_25K_TO_50K: 5_000_000,
    MonthlyDeposits.FROM_50K_TO_100K: 10_000_000,
    MonthlyDeposits.FROM_100K_TO_500K: 50_000_000,
}
#: A month is no promise: a case opens above so many times what was expected.
TOLERANCE = 2


@dataclass(frozen=True)
class Rule:
    """One rule: what it says of a transfer, "" where it does not hold. `each_day`: once a day is enough."""

    code: str
    title: str
    holds: Callable[[Transfer], str]
    each_day: bool = False


def _velocity(transfer: Transfer) -> str:
    rows = _asked_for(transfer.account).filter(created_at__gt=clock.now() - timedelta(days=1))
    number = rows.count()
    return f"{number} transfers within 24 hours." if number >= MANY_A_DAY else ""


def _in_and_out(transfer: Transfer) -> str:
    if transfer.is_deposit or transfer.amount_minor < SOON_FROM:
        return ""
    came = _sum(
        transfer.account,
        direction=Transfer.Direction.DEPOSIT,
        status=Transfer.Status.COMPLETED,
        completed_at__gt=clock.now() - SOON,
    )
    if not came or transfer.amount_minor < came * SHARE:
        return ""
    return f"{_money(came)} came in within {SOON.days} days; {transfer.amount.format()} is to go out again."


def _new_place(transfer: Transfer) -> str:
    if transfer.is_deposit or transfer.amount_minor < LARGE_FROM:
        return ""
    since = clock.now() - NEW_FOR
    linked = transfer.bank.linked_at or transfer.bank.created_at if transfer.bank else None
    added = transfer.recipient.created_at if transfer.recipient else None
    if not any(moment is not None and moment > since for moment in (linked, added)):
        return ""
    return f"{transfer.amount.format()} to a bank account that is known for less than {NEW_FOR.days} days."


def _over_stated(transfer: Transfer) -> str:
    if not transfer.is_deposit:
        return ""
    found = stated(transfer.account)
    came = deposited(transfer.account)
    if found is None or found.most is None or came <= found.most:
        return ""
    return f"{_money(came)} within 30 days; the customer stated {found.words}."


RULES = (
    Rule("velocity", "Many transfers in a day", _velocity, each_day=True),
    Rule("in_and_out", "Deposited, and soon withdrawn", _in_and_out),
    Rule("new_place", "A large withdrawal to a new bank account", _new_place),
    Rule("over_stated", "More than the customer stated", _over_stated, each_day=True),
)


@dataclass(frozen=True)
class Stated:
    """What the customer stated that deposits of 30 days are compared with: in words, and the most in cents that still
    fits; none where any amount does."""

    words: str
    most: int | None


def stated(account: ProviderAccount) -> Stated | None:
    """What they expect to deposit in a month; where that is not known, their income of a year. None for neither."""
    profile = InvestmentProfile.objects.filter(application=account.application_id).first()
    if profile is None:
        return None
    if profile.expected_monthly_deposits:
        expected = MonthlyDeposits(profile.expected_monthly_deposits)
        most = MONTH_AT_MOST.get(expected)
        words = f"{expected.label.lower()} as deposits of a month"
        return Stated(words, None if most is None else most * TOLERANCE)
    if profile.annual_income_range in UsdRange.values:
        income = UsdRange(profile.annual_income_range)
        return Stated(f"{income.label.lower()} as the income of a year", YEAR_AT_MOST.get(income))
    return None


def deposited(account: ProviderAccount) -> int:
    """What was deposited within 30 days or is on its way in, in cents."""
    return _sum(account, direction=Transfer.Direction.DEPOSIT, created_at__gt=clock.now() - MONTH)


def look(transfer: Transfer, *, source: str) -> None:
    """Open a case about the account for every rule that holds of a transfer just written, in its transaction."""
    if transfer.kind != Transfer.Kind.TRANSFER:
        return
    for rule in RULES:
        words = rule.holds(transfer)
        if words:
            compliance.case_open(
                kind=KIND,
                subject=subject_of(transfer.account),
                title=rule.title,
                facts={"what": words, "transfer": transfer.short},
                source=source,
                dedupe=f"{rule.code}:{clock.today() if rule.each_day else transfer.pk}",
            )


def _asked_for(account: ProviderAccount) -> QuerySet[Transfer]:
    rows = Transfer.objects.filter(account=account, kind=Transfer.Kind.TRANSFER)
    return rows.exclude(status=Transfer.Status.CANCELLED)


def _sum(account: ProviderAccount, **where: object) -> int:
    rows = _asked_for(account).filter(**where)
    rows = rows.exclude(status__in=Transfer.ENDED_BADLY)
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def _money(minor: int) -> str:
    return Money(minor, "USD").format()
