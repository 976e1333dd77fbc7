"""May this money move, and on what terms: the one answer for the button, the REST API and the staff page.

`terms` gives every reason against it at once, each with its fix, and what else it takes: a second factor, a second
person. The provider checks again.
"""

from dataclasses import dataclass, field
from datetime import date

from django.utils.formats import date_format

from funding import balances, business_days, limits
from funding.models import LinkedBank, Transfer, TransferLimit, WireRecipient
from onboarding import availability
from onboarding.availability import Stop
from onboarding.models import ProviderAccount
from portal import clock
from portal.models import User
from portal.money import Money
from providers.bakkt.return_codes import look_up

Direction, Rail = Transfer.Direction, Transfer.Rail
USES = {
    Direction.DEPOSIT: availability.Use.DEPOSIT,
    Direction.WITHDRAWAL: availability.Use.WITHDRAW,
}
#: From here on the provider asks more about a wire (contract 5.5): a person looks first.
ENHANCED_FROM = Money(50_000_000, "USD")
#: Why a transfer waits for a second person, in words for staff.
HELD_FOR = {
    "second_person": "Asked for by staff, above the amount for which one person is enough",
    "enhanced": "A wire from $500,000 on: the provider will ask where the money comes from and goes to",
}


@dataclass(frozen=True)
class Order:
    """What somebody wants to move. Without an amount the answer is about whether anything can be moved at all."""

    direction: str
    rail: str
    amount: Money | None = None
    recipient: WireRecipient | None = None


@dataclass(frozen=True)
class Terms:
    """The answer. `stops` empty: it may be asked for. `field` of a stop's code: see FIELDS."""

    order: Order
    stops: list[Stop]
    bank: LinkedBank | None
    limits: limits.Limits
    money: balances.Standing
    #: The most that can be asked for now, by limits and, for a withdrawal, by what may leave.
    most: Money | None
    expected_on: date
    release_on: date | None
    second_factor: bool = False
    held_for: list[str] = field(default_factory=list)


#: The codes of stops that are about the amount; all others are about the account or the bank.
ABOUT_AMOUNT = frozenset(
    {"too_little", "over_single", "over_day", "over_month", "not_enough", "not_released"}
)


def terms(actor: User | None, account: ProviderAccount, order: Order) -> Terms:
    """Every reason against the order now, and the terms on which it would go.

    Whether the actor has anything to do with the account is asked elsewhere. Lock the account before, where a transfer
    is made of the answer.
    """
    asker = TransferLimit.Asker.STAFF if actor and actor.is_staff_member else TransferLimit.Asker.CUSTOMER
    rule = limits.limits_for(account, asker, order.rail, order.direction)
    gone = limits.used(account, order.rail, order.direction)
    money = balances.standing(account)
    bank = live_bank(account) if order.rail == Rail.ACH else None
    stops = availability.can(actor, USES[Direction(order.direction)], account)
    stops += _of_bank(bank, order) if order.rail == Rail.ACH else _of_recipient(order)
    if order.amount is not None:
        stops += _of_amount(order, order.amount, rule, gone, money)
    most = limits.left(rule, gone, balances.CURRENCY)
    if order.direction == Direction.WITHDRAWAL:
        most = money.usable if most is None else min(most, money.usable)
    moment = clock.now()
    deposit = order.direction == Direction.DEPOSIT
    extra = bank.extra_hold_days if bank else 0
    return Terms(
        order=order,
        stops=stops,
        bank=bank,
        limits=rule,
        money=money,
        most=most,
        expected_on=business_days.expected_on(order.direction, order.rail, moment),
        release_on=business_days.release_on(order.rail, moment, extra_days=extra) if deposit else None,
        second_factor=_above(order.amount, rule.second_factor),
        held_for=_held_for(order, rule),
    )


def live_bank(account: ProviderAccount) -> LinkedBank | None:
    """The account's linked bank, in whatever state; None when there is none."""
    return LinkedBank.objects.filter(account=account, status__in=LinkedBank.LIVE).first()


def _above(amount: Money | None, bound: int | None) -> bool:
    return amount is not None and bound is not None and amount.minor > bound


def _held_for(order: Order, rule: limits.Limits) -> list[str]:
    found = ["second_person"] if _above(order.amount, rule.second_person) else []
    if order.rail == Rail.WIRE and order.amount is not None and order.amount >= ENHANCED_FROM:
        found.append("enhanced")
    return found


_BANK_STOPS = {
    LinkedBank.Status.REVIEW: Stop(
        "bank_review", "We are looking at the bank that was linked.", "We write when it is done."
    ),
    LinkedBank.Status.LINKING: Stop("bank_linking", "The bank is being linked.", "This takes a few minutes."),
    LinkedBank.Status.PENDING: Stop("bank_linking", "The bank is being linked.", "This takes a few minutes."),
    LinkedBank.Status.SIGN_IN: Stop(
        "bank_sign_in", "The bank asks for a new sign-in.", "Sign in at the bank again on the bank page."
    ),
    LinkedBank.Status.UNLINKING: Stop(
        "bank_unlinking", "The bank is being unlinked.", "Link a bank when it is done."
    ),
}


def _of_bank(bank: LinkedBank | None, order: Order) -> list[Stop]:
    if bank is None:
        return [Stop("no_bank", "No bank is linked.", "Link a bank first.")]
    stop = _BANK_STOPS.get(LinkedBank.Status(bank.status))
    stops = [stop] if stop else []
    if bank.stopped_for and order.direction == Direction.DEPOSIT:
        stops.append(
            Stop(
                "bank_returned",
                f"This bank sent a deposit back. {look_up(bank.stopped_for).customer}",
                "Link another bank, or wait until we have looked at it.",
            )
        )
    return stops


def _of_recipient(order: Order) -> list[Stop]:
    if order.direction == Direction.DEPOSIT:
        return [
            Stop(
                "wire_in",
                "A wire is sent from the customer's own bank.",
                "Use the wire instructions of the account.",
            )
        ]
    if order.amount is not None and order.recipient is None:
        return [Stop("no_recipient", "No bank account for the wire was chosen.", "Choose or add one.")]
    return []


def _of_amount(
    order: Order, amount: Money, rule: limits.Limits, gone: limits.Used, money: balances.Standing
) -> list[Stop]:
    stops = []
    if amount.minor < max(rule.least, 1):
        least = Money(max(rule.least, 1), amount.currency).format()
        stops.append(Stop("too_little", f"The least is {least}.", "Enter a larger amount."))
    if rule.single is not None and amount.minor > rule.single:
        stops.append(_over("over_single", "one transfer", rule.single, rule.single, amount.currency))
    if rule.day is not None and amount.minor + gone.day > rule.day:
        stops.append(_over("over_day", "24 hours", rule.day, rule.day - gone.day, amount.currency))
    if rule.month is not None and amount.minor + gone.month > rule.month:
        stops.append(_over("over_month", "30 days", rule.month, rule.month - gone.month, amount.currency))
    if order.direction == Direction.WITHDRAWAL and amount > money.usable:
        stops.append(_too_much(amount, money))
    return stops


def _over(code: str, span: str, bound: int, left: int, currency: str) -> Stop:
    most, rest = Money(bound, currency).format(), Money(max(left, 0), currency).format()
    return Stop(code, f"The most in {span} is {most}.", f"Enter at most {rest}, or come back later.")


def _too_much(amount: Money, money: balances.Standing) -> Stop:
    day = money.usable_from(amount)
    now = f"{money.usable.format()} can be withdrawn now."
    if day is not None:
        when = date_format(day, "l, j F")
        return Stop(
            "not_released",
            now,
            f"This amount can be withdrawn from {when} on, when earlier deposits are final.",
        )
    return Stop("not_enough", now, "Enter that or less.")
