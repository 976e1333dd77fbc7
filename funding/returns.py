"""The playbook of returned ACH transfers: what follows from each code, and how near the limits returns have come.

What each code means stands in providers/bakkt/return_codes.py. Nacha counts the entries by which banks were debited
against those that came back within 60 days; the provider counts an account's returns by itself and suspends it with
MAX_ACH_RETURNS.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import caches
from django.db.models import Count

from compliance import services as compliance
from compliance.models import Case
from funding.models import LinkedBank, Transfer
from funding.subjects import subject_of
from onboarding.models import ProviderAccount
from portal import audit, clock
from portal.models import User
from providers.bakkt import return_codes
from providers.bakkt.assumptions import MOST_ACH_RETURNS
from providers.bakkt.return_codes import Category, ReturnCode

KIND = "funding.ach_return"
SPAN = timedelta(days=60)
REMEMBERED_SECONDS = 60
#: Nacha's thresholds, in percent of the debits of 60 days, and where we begin to warn.
LIMITS = {
    "unauthorized": ("Unauthorized", 0.5, 0.3),
    "administrative": ("Administrative", 3.0, 2.0),
    "overall": ("All returns", 15.0, 10.0),
}


@dataclass(frozen=True)
class CodeCount:
    """How often a code came back in the 60 days."""

    code: ReturnCode
    number: int


@dataclass(frozen=True)
class Rates:
    """Debits of the last 60 days, and what came back of all debits in that time, in percent by group."""

    debits: int
    codes: tuple[CodeCount, ...]

    def number(self, group: str) -> int:
        """How many came back: of one group, or "overall"."""
        return sum(row.number for row in self.codes if group in {"overall", row.code.category})

    def percent(self, group: str) -> float:
        """The same in percent of the debits; 0 where there were none."""
        return round(self.number(group) / self.debits * 100, 2) if self.debits else 0.0

    @property
    def warnings(self) -> list[str]:
        """A sentence for each threshold that is near or reached."""
        found = []
        for group, (label, limit, warn) in LIMITS.items():
            percent = self.percent(group)
            if percent >= warn:
                how = "has reached" if percent >= limit else "comes close to"
                found.append(f"{label}: {percent:g} % {how} Nacha's threshold of {limit:g} %.")
        return found


def returned(transfer: Transfer, *, source: str) -> None:
    """What follows from a return, in the transaction in which the locked transfer became RETURNED.

    The bank's next deposits are held longer; where the code says that the same may not be tried again, deposits from
    it stop until a person allows them. A case opens.
    """
    if transfer.rail != Transfer.Rail.ACH or transfer.kind != Transfer.Kind.TRANSFER:
        return
    code = return_codes.look_up(transfer.reason_code)
    if transfer.bank is not None and transfer.is_deposit:
        _mark(transfer.bank, code)
    left = returns_left(transfer.account)
    urgent = code.category == Category.UNAUTHORIZED or left <= 1
    compliance.case_open(
        kind=KIND,
        subject=subject_of(transfer),
        title=f"{transfer.get_direction_display()} of {transfer.amount.format()} returned: {code.code or 'no code'}",
        facts={
            "code": code.code,
            "amount": transfer.amount.as_decimal_string(),
            "after completion": "yes" if transfer.completed_at else "no",
            "returns left before the provider would suspend": left,
        },
        source=source,
        dedupe="returned",
        priority=Case.Priority.HIGH if urgent else None,
    )


def _mark(bank: LinkedBank, code: ReturnCode) -> None:
    before = {"extra_hold_days": bank.extra_hold_days, "stopped_for": bank.stopped_for}
    bank.extra_hold_days = max(bank.extra_hold_days, code.hold_days_next)
    if not code.retryable:
        bank.stopped_for = code.code or "other"
    bank.save(update_fields=["extra_hold_days", "stopped_for"])
    audit.record(
        "linked_bank.returned",
        subject=bank,
        before=before,
        after={"extra_hold_days": bank.extra_hold_days, "stopped_for": bank.stopped_for},
        source="playbook",
    )


def allow_again(bank: LinkedBank, *, actor: User) -> None:
    """Deposits from the bank may be asked for again, by a person's decision, in the caller's transaction."""
    before = {"stopped_for": bank.stopped_for}
    bank.stopped_for = ""
    bank.save(update_fields=["stopped_for"])
    audit.record(
        "linked_bank.allow_again",
        subject=bank,
        actor=actor,
        before=before,
        after={"stopped_for": ""},
        source="case",
    )


def count_of(account: ProviderAccount) -> int:
    """How many of the account's deposits by ACH were ever returned."""
    return Transfer.objects.filter(
        account=account,
        status=Transfer.Status.RETURNED,
        rail=Transfer.Rail.ACH,
        kind=Transfer.Kind.TRANSFER,
        direction=Transfer.Direction.DEPOSIT,
    ).count()


def returns_left(account: ProviderAccount) -> int:
    """How many more may come back before the provider would suspend the account, by the number we assume."""
    return max(0, MOST_ACH_RETURNS - count_of(account))


def rates() -> Rates:
    """The rates of the last 60 days, two queries on indexes, remembered for a minute."""
    kept: Rates | None = caches["local"].get("ach_return_rates")
    if kept is None:
        since = clock.now() - SPAN
        debits = Transfer.objects.filter(
            rail=Transfer.Rail.ACH, kind=Transfer.Kind.TRANSFER, direction=Transfer.Direction.DEPOSIT
        )
        sent = debits.filter(created_at__gte=since).exclude(
            status__in=[Transfer.Status.HELD, Transfer.Status.REQUESTED, Transfer.Status.CANCELLED]
        )
        back = debits.filter(status=Transfer.Status.RETURNED, status_at__gte=since)
        rows = back.values_list("reason_code").annotate(number=Count("pk")).order_by("-number")
        codes = tuple(CodeCount(return_codes.look_up(code), number) for code, number in rows)
        kept = Rates(sent.count(), codes)
        caches["local"].set("ach_return_rates", kept, REMEMBERED_SECONDS)
    return kept
