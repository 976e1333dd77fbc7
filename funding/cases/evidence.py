"""Evidence that several kinds share."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from funding import balances, returns, standing, watching
from funding.balances import CURRENCY
from funding.models import Transfer
from funding.subjects import account_id_of, transfer_of
from onboarding.models import InvestmentProfile, ProviderAccount
from portal.models import OutboundCall
from portal.money import Money
from portal.ui.time import moment_words
from providers.models import CallLog

#: So many of an account's transfers stand in a case; its list has them all.
MOST = 10
#: So many attempts of a call are told of; its own page has them all.
MOST_ATTEMPTS = 8


def of_transfer(transfer: Transfer) -> kinds.Section:
    """The transfer in lines."""
    rows = [
        kinds.Row(
            "Transfer",
            f"{transfer.get_rail_display()} {transfer.get_direction_display().lower()}, {transfer.amount.format()}",
            reverse("funding_staff:transfer", args=[transfer.pk]),
        ),
        kinds.Row("How far", transfer.get_status_display()),
        kinds.Row("Who has the ball", standing.ball(transfer).line),
        kinds.Row("Asked for", moment_words(transfer.created_at)),
        kinds.Row("Asked by", str(transfer.requested_by or transfer.get_origin_display())),
    ]
    if transfer.bank is not None:
        rows.append(kinds.Row("Bank", f"{transfer.bank}, {transfer.bank.get_owner_display().lower()}"))
    if transfer.recipient is not None:
        rows.append(kinds.Row("Goes to", f"{transfer.recipient}, {transfer.recipient.account_number}"))
        rows.append(kinds.Row("Known since", moment_words(transfer.recipient.created_at)))
    if transfer.provider_word:
        rows.append(
            kinds.Row("The provider's word", f"{transfer.provider_word} {transfer.reason_code}".strip())
        )
    return kinds.Section("The transfer", tuple(rows))


def of_account(account: ProviderAccount) -> kinds.Section:
    """Money, returns and the newest transfers of an account."""
    money = balances.standing(account)
    theirs = money.theirs
    rows = [
        kinds.Row("Available by our books", money.available.format()),
        kinds.Row("On its way in, out", f"{money.incoming.format()}, {money.outgoing.format()}"),
        kinds.Row(
            "At the provider",
            f"{theirs.settled.format()} settled, read {moment_words(theirs.read_at)}"
            if theirs
            else "Not read yet",
            is_clock=True,
        ),
        kinds.Row("Returned deposits", f"{returns.count_of(account)}, {returns.returns_left(account)} left"),
    ]
    newest = Transfer.objects.filter(account=account).order_by("-created_at", "-pk")[:MOST]
    lines = tuple(
        (
            moment_words(row.created_at),
            f"{row.get_rail_display()} {row.get_direction_display().lower()}",
            row.amount.format(),
            row.get_status_display(),
        )
        for row in newest
    )
    table = kinds.Comparison(("Asked for", "What", "Amount", "How far"), lines) if lines else None
    return kinds.Section("The account's money", tuple(rows), table)


def of_case(case: Case) -> Sequence[kinds.Section]:
    """Both, for a case about a transfer or an account."""
    transfer = transfer_of(case.subject_id)
    account = transfer.account if transfer else ProviderAccount.objects.filter(pk=case.subject_id).first()
    if account is None:
        return ()
    return ([of_transfer(transfer)] if transfer else []) + [of_account(account)]


def stated(case: Case) -> Sequence[kinds.Section]:
    """What the customer stated about their money, beside what came in."""
    account = ProviderAccount.objects.filter(pk=account_id_of(case.subject_id)).first()
    profile = InvestmentProfile.objects.filter(application__account=account).first() if account else None
    if account is None or profile is None:
        return [kinds.Section("What the customer stated", (kinds.Row("Stated", "Nothing"),))]
    came = Money(watching.deposited(account), CURRENCY).format()
    return [
        kinds.Section(
            "What the customer stated",
            (
                kinds.Row(
                    "Deposits of a month", profile.get_expected_monthly_deposits_display() or "Not given"
                ),
                kinds.Row("Deposited within 30 days, or on its way in", came, is_clock=True),
                kinds.Row("Income of a year", profile.get_annual_income_range_display() or "Not given"),
                kinds.Row("Liquid net worth", profile.get_liquid_net_worth_range_display() or "Not given"),
                kinds.Row("Source of funds", profile.source_of_funds or "Not given"),
            ),
        )
    ]


def calls_of(subject_id: UUID, names: Mapping[str, str]) -> list[kinds.Section]:
    """The newest calls about it with their attempts; `names` says what one is, where it is not what was asked for."""
    calls = OutboundCall.objects.filter(subject_id=subject_id).defer("body").order_by("-created_at")
    sections = []
    for call in calls[:3]:
        attempts = CallLog.objects.filter(outbound_call_id=call.pk).order_by("-at")[:MOST_ATTEMPTS]
        told = tuple(
            (moment_words(row.at), str(row.status or "none"), str(row.outcome).replace("_", " "))
            for row in attempts
        )
        rows = (
            kinds.Row("State", call.get_status_display(), reverse("operations:call", args=[call.pk])),
            kinds.Row("First sent", moment_words(call.first_sent_at) if call.first_sent_at else "Never"),
            kinds.Row("Attempts", str(call.attempts)),
            kinds.Row("What was said last", call.problem or "Nothing"),
        )
        table = kinds.Comparison(("Sent", "HTTP status", "Outcome"), told) if told else None
        title = names.get(call.operation, "The call that asks for it")
        sections.append(kinds.Section(title, rows, table))
    return sections
