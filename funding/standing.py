"""Where a transfer stands: who has the ball, what the customer is told, what an app does next.

Computed from the row alone, so that the customer's page, the staff's page and the API say the same thing. The words of
returns and refusals come from their tables (providers/bakkt/return_codes.py, fiat_problems.py).
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.formats import date_format

from funding import business_days
from funding.balances import Release
from funding.expecting import PENDING_WITHIN
from funding.models import Transfer
from portal import clock
from portal.ball import Ball
from portal.money import Money
from providers.bakkt import fiat_problems, return_codes
from providers.bakkt.fiat_problems import Step

Status, Kind, Rail = Transfer.Status, Transfer.Kind, Transfer.Rail

#: How long one of us may take to look at a transfer that waits.
LOOKED_AT_WITHIN = timedelta(days=1)
TONES = {
    Status.HELD: "warning",
    Status.REQUESTED: "info",
    Status.SENT: "info",
    Status.PENDING: "info",
    Status.COMPLETED: "success",
    Status.DECLINED: "danger",
    Status.FAILED: "danger",
    Status.RETURNED: "danger",
    Status.CANCELLED: "neutral",
}


@dataclass(frozen=True)
class Words:
    """What the customer is told. `kind` says what an app does next: wait, none, link_bank, change_amount,
    contact_support."""

    title: str
    body: str
    kind: str = "none"
    #: After how many seconds it is worth asking again; None when nothing will change soon.
    poll_after: int | None = None


@dataclass(frozen=True)
class Reason:
    """Why a transfer did not stand: for the customer, for staff, and what the customer can do (as Words.kind)."""

    customer: str
    staff: str
    kind: str = "contact_support"


_NEXT = {Step.SHOW: "change_amount", Step.REFRESH_BALANCE: "change_amount", Step.RELINK: "link_bank"}
_HELP = {
    "link_bank": "Link a bank account, then ask for a new transfer.",
    "change_amount": "Check the amount and ask for a new transfer.",
    "contact_support": "Write to us and we tell you what can be done.",
    "none": "You can ask for a new transfer.",
}


def name(transfer: Transfer) -> str:
    """What it is, as a customer names it."""
    if transfer.kind != Kind.TRANSFER:
        return str(transfer.get_kind_display())
    what = "Deposit" if transfer.is_deposit else "Withdrawal"
    return f"{what} by {transfer.get_rail_display()}" if transfer.rail == Rail.ACH else f"Wire {what.lower()}"


def other_side(transfer: Transfer) -> str:
    """Where the money comes from or goes to, masked."""
    if transfer.bank is not None:
        return f"{transfer.bank.institution} ending in {transfer.bank.mask}"
    if transfer.recipient is not None:
        return f"{transfer.recipient.bank_name} {transfer.recipient.account_number}"
    return "" if transfer.kind != Kind.TRANSFER else "Your own bank"


def signed(transfer: Transfer) -> Money:
    """The amount as it counts for the account: what leaves is negative."""
    return transfer.amount if transfer.is_deposit else -transfer.amount


def day(on: date | None) -> str:
    """A day in words: Friday, 4 December."""
    return date_format(on, "l, j F") if on else ""


def reason_of(transfer: Transfer) -> Reason:
    """Why it was declined, failed or returned, by the code that came with it."""
    code = transfer.reason_code
    if return_codes.is_return_code(code):
        row = return_codes.look_up(code)
        kind = "link_bank" if row.unlink_bank else "none" if row.retryable else "contact_support"
        return Reason(row.customer, f"{code}: {row.staff}", kind)
    if code in fiat_problems.PROBLEMS:
        problem = fiat_problems.look_up(code)
        return Reason(
            problem.customer, f"{code}: {problem.staff}", _NEXT.get(problem.step, "contact_support")
        )
    said = f" {transfer.problem}" if transfer.problem else ""
    staff = f"The provider said {code or transfer.provider_word or 'no reason'}.{said}"
    return Reason("The provider did not tell us a reason that we can pass on.", staff)


def explain(transfer: Transfer) -> Words:
    """What the customer is told about it now, and what they can do."""
    status = Status(transfer.status)
    if status in {Status.DECLINED, Status.FAILED, Status.RETURNED}:
        return _bad_end(transfer, status)
    if status == Status.CANCELLED:
        return Words("Cancelled", "Nothing was moved.")
    if status == Status.COMPLETED:
        return _completed(transfer)
    expected = f" We expect it there by {day(transfer.expected_on)}." if transfer.expected_on else ""
    if status == Status.HELD:
        body = "We look at it before we send it, usually within a business day. You can cancel it until then."
        return Words("We look at it first", body, "wait", 60)
    if transfer.stuck_at is not None:
        body = "We are finding out what became of it. You need not do anything; do not ask for it again."
        return Words("One of us looks at it", body, "wait", 300)
    if status == Status.REQUESTED:
        return Words("We are passing it on", f"It goes to the provider now.{expected}", "wait", 5)
    if status == Status.SENT and transfer.rail != Rail.WIRE:
        return Words("The provider has it", f"The provider starts the transfer now.{expected}", "wait", 15)
    return Words("On its way", f"The money is on its way.{expected}", "wait", 300)


def _completed(transfer: Transfer) -> Words:
    if transfer.kind != Kind.TRANSFER:
        return Words("Booked", "The provider booked it on your account.")
    if not transfer.is_deposit:
        return Words(
            "Sent to your bank", "The money has left. Your bank may take until the next day to show it."
        )
    if is_unreleased(transfer):
        return Words(
            "It is here",
            f"You can use it now, and withdraw it from {day(transfer.release_on)} on.",
            poll_after=None,
        )
    return Words("It is here", "You can use it and withdraw it.")


def _bad_end(transfer: Transfer, status: Transfer.Status) -> Words:
    reason = reason_of(transfer)
    if status == Status.RETURNED:
        title = "Returned by the bank"
        back = "The money came back."
        if transfer.is_deposit:
            taken = "The money was taken out of your account again."
            back = taken if transfer.completed_at else "No money came to your account."
    else:
        title, back = "Not made", "No money was moved."
    return Words(title, f"{reason.customer} {back} {_HELP[reason.kind]}", reason.kind)


def is_unreleased(transfer: Transfer) -> bool:
    """Whether it is a deposit that arrived and may not be withdrawn yet."""
    return (
        transfer.is_deposit
        and transfer.status == Status.COMPLETED
        and transfer.release_on is not None
        and transfer.release_on > business_days.today(clock.now())
    )


def ball(transfer: Transfer) -> Ball:
    """Who has it. The same line on the customer's page, the staff's page and in the API."""
    since, status = transfer.status_at, Status(transfer.status)
    if status == Status.HELD:
        return Ball("us", "We look at it before it goes", since, "Our decision", since + LOOKED_AT_WITHIN)
    if transfer.stuck_at is not None and status in Transfer.UNDER_WAY:
        return Ball(
            "us",
            "One of us finds out what became of it",
            transfer.stuck_at,
            "What the provider's record says",
            transfer.stuck_at + LOOKED_AT_WITHIN,
        )
    if status == Status.REQUESTED:
        return Ball(
            "us",
            "We are passing it on to the provider",
            since,
            "The provider's receipt",
            since + PENDING_WITHIN,
        )
    if status == Status.SENT and transfer.rail != Rail.WIRE:
        return Ball(
            "provider",
            "Waiting for the provider to start it",
            since,
            "The provider's first word, usually within minutes",
            since + PENDING_WITHIN,
        )
    if status in Transfer.UNDER_WAY:
        return Ball(
            "provider",
            "The money is on its way between the banks",
            since,
            "The banks",
            _end_of(transfer.expected_on),
        )
    return _after_the_end(transfer, status, since)


def _after_the_end(transfer: Transfer, status: Transfer.Status, since: datetime) -> Ball:
    if status == Status.COMPLETED:
        if is_unreleased(transfer):
            line = f"Done; it can be withdrawn from {day(transfer.release_on)} on"
            return Ball("nobody", line, since)
        return Ball("nobody", "Done", since)
    if status == Status.CANCELLED:
        return Ball("nobody", "Cancelled", since)
    kind = reason_of(transfer).kind
    if kind == "contact_support":
        return Ball("us", "It did not go through; one of us looks at why", since, "A look at the reason")
    line = "Waiting for the customer to link a bank" if kind == "link_bank" else "It did not go through"
    holder = "customer" if kind in {"link_bank", "change_amount"} else "nobody"
    return Ball(holder, line, since, "" if holder == "nobody" else _HELP[kind])


def _end_of(on: date | None) -> datetime | None:
    return datetime.combine(on, time(23, 59), tzinfo=business_days.NEW_YORK) if on else None


def release_line(release: Release) -> str:
    """A line of the release plan, for customers and staff alike."""
    return f"{release.amount.format()} can be withdrawn from {day(release.on)} on, if the deposit is not returned."
