"""What funding adds to the page of a case: banks and money of whom it is about, signals, and a small chart."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from compliance.dossier import Chart, Look, Part, Signal, Weight
from compliance.kinds import Row
from funding import balances, returns
from funding.models import Transfer
from funding.permissions import VIEW
from onboarding import shut_away
from onboarding.dossier import known
from onboarding.models import ProviderAccount
from onboarding.standing import account_of
from portal import clock
from portal.composed import Composed, Question
from portal.permissions import can_do

#: Days of the chart.
DAYS = 30
#: Of so many transfers the cases are shown as earlier ones.
MOST = 200


def of_application(application_id: UUID, look: Look) -> Part:
    """Money of the application's account; nothing where there is none, or where it is shut away."""
    application = known.application(look.case, application_id)
    account = account_of(application) if application else None
    if application is None or account is None or not can_do(look.viewer, VIEW):
        return Part()
    if shut_away.why_shut(look.viewer, application.customer):
        return Part()
    money = balances.standing(account)
    transfers = [row.pk for row in _NEWEST(account.pk)]
    label = Transfer._meta.label_lower
    url = f"{reverse('funding_staff:transfers')}?account={account.pk}"
    words = f"{money.available.format()} available, {money.incoming.format()} on its way in"
    return Part(
        # Without transfers nothing was returned, and there is nothing to draw.
        signals=(*(_returned(account, url) if transfers else ()), *_signals(money, url)),
        charts=tuple(_charts(account)) if transfers else (),
        pages=(Row("Money", words, url),),
        about=tuple((label, key) for key in transfers),
    )


def questions(application_id: UUID, look: Look) -> list[Question]:
    """What `of_application` asks of the money of an account, for readers whom it is told."""
    application = known.application(look.case, application_id)
    account = account_of(application) if application else None
    if account is None or not can_do(look.viewer, VIEW):
        return []
    return [*balances.questions(account), _NEWEST.of(account.pk)]


_NEWEST = Composed(
    lambda account: Transfer.objects.filter(account=account).order_by("-created_at").only("pk")[:MOST]
)


def _returned(account: ProviderAccount, url: str) -> Iterator[Signal]:
    number = returns.count_of(account)
    if number:
        left = returns.returns_left(account)
        text = f"{number} deposit{'' if number == 1 else 's'} returned, {left} left before the provider would suspend"
        yield Signal(text, "Transfers", Weight.HIGH if left <= 1 else Weight.MEDIUM, f"{url}&status=returned")


def _signals(money: balances.Standing, url: str) -> Iterator[Signal]:
    if money.available.minor < 0:
        yield Signal(f"The account owes {(-money.available).format()}", "Ledger", Weight.HIGH, url)
    if money.differs:
        yield Signal("The provider's balance differs from our books", "Ledger", Weight.MEDIUM, url)


def _charts(account: ProviderAccount) -> Iterator[Chart]:
    first = clock.today() - timedelta(days=DAYS - 1)
    rows = Transfer.objects.filter(
        account=account, kind=Transfer.Kind.TRANSFER, created_at__gte=clock.now() - timedelta(days=DAYS)
    ).exclude(status__in=Transfer.ENDED_BADLY)
    sums = {
        (day, direction): minor
        for day, direction, minor in rows.annotate(day=TruncDate("created_at"))
        .values_list("day", "direction")
        .annotate(minor=Sum("amount_minor"))
        .order_by()
    }
    for direction, title in (
        (Transfer.Direction.DEPOSIT, "Deposits"),
        (Transfer.Direction.WITHDRAWAL, "Withdrawals"),
    ):
        days = [first + timedelta(days=number) for number in range(DAYS)]
        points = tuple((f"{day:%b} {day.day}", sums.get((day, direction), 0) // 100) for day in days)
        if any(value for _, value in points):
            yield Chart(f"{title} of the last {DAYS} days", points, "US dollars")
