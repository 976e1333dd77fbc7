"""What an account has: by our books, by the provider's word, and how much of it may leave now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured

from funding import business_days
from funding.models import Book, LedgerBalance, ProviderBalance, Transfer
from onboarding.models import ProviderAccount
from portal import clock
from portal.composed import Composed, Question
from portal.money import Money
from providers.bakkt.fiat import PartyBalance
from providers.clients import bakkt_fiat
from providers.errors import ProviderError

log = structlog.get_logger(__name__)

CURRENCY = "USD"
#: A page that shows the balance reads it anew when the kept one is older.
FRESH_FOR = timedelta(seconds=60)


@dataclass(frozen=True)
class Release:
    """An amount of deposits that may be withdrawn from a day on."""

    on: date
    amount: Money


@dataclass(frozen=True)
class Standing:
    """The money of one account. `usable` is what may leave now; `releases` what becomes usable, by day."""

    available: Money
    incoming: Money
    outgoing: Money
    usable: Money
    releases: tuple[Release, ...]
    theirs: ProviderBalance | None

    @property
    def differs(self) -> bool:
        """Whether the provider's settled balance is not what our books say is there: ours plus what is leaving."""
        return self.theirs is not None and not agree(self.available, self.outgoing, self.theirs.settled)

    def usable_from(self, amount: Money) -> date | None:
        """The day from which so much may leave, by the release plan; None when the plan does not reach it."""
        sum_so_far = self.usable
        for release in self.releases:
            sum_so_far += release.amount
            if sum_so_far >= amount:
                return release.on
        return None


def agree(available: Money, outgoing: Money, settled: Money) -> bool:
    """Whether the provider's settled balance is what our books say: with what is leaving, or without it already."""
    return settled in {available, available + outgoing}


_OURS = Composed(
    lambda account: LedgerBalance.objects.filter(account=account, currency=CURRENCY).values_list(
        "book", "amount_minor"
    )
)
_THEIRS = Composed(
    lambda account: ProviderBalance.objects.filter(account=account, currency=CURRENCY).order_by("pk")
)
_HELD_BACK = Composed(
    lambda account, today: Transfer.objects.filter(
        account=account,
        direction=Transfer.Direction.DEPOSIT,
        status=Transfer.Status.COMPLETED,
        release_on__gt=today,
        currency=CURRENCY,
    ).values_list("release_on", "amount_minor"),
    UUID,
    date,
)


def questions(account: ProviderAccount) -> list[Question]:
    """What `standing` asks."""
    return [
        _OURS.of(account.pk),
        _THEIRS.of(account.pk),
        _HELD_BACK.of(account.pk, business_days.today(clock.now())),
    ]


def standing(account: ProviderAccount) -> Standing:
    """The account's money now, from what is kept; asks nobody."""
    minor = dict(_OURS(account.pk))
    theirs = _THEIRS.first(account.pk)
    available = Money(minor.get(Book.AVAILABLE, 0), CURRENCY)
    plan = release_plan(account)
    waits = sum((release.amount for release in plan), Money.zero(CURRENCY))

    def usable(waiting: Money) -> Money:
        most = available - waiting if theirs is None else min(available - waiting, theirs.settled)
        return max(most, Money.zero(CURRENCY))

    # Of a deposit may leave on its day what is left of it: fees and withdrawals have taken their part.
    now = before = usable(waits)
    releases = []
    for release in plan:
        waits -= release.amount
        then = usable(waits)
        if then != before:
            releases.append(Release(release.on, then - before))
        before = then
    return Standing(
        available=available,
        incoming=Money(minor.get(Book.INCOMING, 0), CURRENCY),
        outgoing=Money(minor.get(Book.OUTGOING, 0), CURRENCY),
        usable=now,
        releases=tuple(releases),
        theirs=theirs,
    )


def release_plan(account: ProviderAccount) -> tuple[Release, ...]:
    """Deposits that arrived and may still be returned, by the day from which they may be withdrawn, soonest first."""
    sums: dict[date, Money] = {}
    for day, minor in _HELD_BACK(account.pk, business_days.today(clock.now())):
        if day is not None:
            sums[day] = sums.get(day, Money.zero(CURRENCY)) + Money(minor, CURRENCY)
    return tuple(Release(day, sums[day]) for day in sorted(sums))


def refresh(account: ProviderAccount, *, waiting: bool = False) -> bool:
    """Read the balance at the provider and keep it; False when it did not answer. `waiting`: a person does."""
    asked_at = clock.now()
    try:
        found = bakkt_fiat(waiting=waiting).balance(account.client_account_id)
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("balance_not_read", error=type(error).__name__)
        return False
    keep(account, found, asked_at)
    return True


def keep(account: ProviderAccount, found: Iterable[PartyBalance], asked_at: datetime) -> None:
    """Keep what the provider said it holds."""
    for row in found:
        ProviderBalance.objects.update_or_create(
            account=account,
            currency=row.currency,
            defaults={
                "settled_minor": row.settled.minor,
                "unsettled_minor": row.unsettled.minor,
                "read_at": asked_at,
            },
        )


def refresh_if_old(account: ProviderAccount) -> bool:
    """Read it while somebody waits, unless the kept one is fresh: read lately, and no word of a transfer came since.
    Whether there is a fresh one."""
    kept = ProviderBalance.objects.filter(account=account, currency=CURRENCY).first()
    if kept is not None and clock.now() - kept.read_at < FRESH_FOR:
        heard = Transfer.objects.filter(account=account, heard_at__gt=kept.read_at)
        if not heard.exists():
            return True
    return refresh(account, waiting=True)
