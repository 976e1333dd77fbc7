"""What funding holds about a customer, how it comes into the copy of their data, and when it goes.

One table, `HOLDINGS`: a model that is in it neither as copied nor with the reason why not fails a test, and so does one
without an end. Transfers, what customers agreed to for them, and where the money went are kept for as long as the
account's identity is (onboarding/privacy/policy.py); the ledger stays, and names nobody once the account is erased.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from funding import standing, statements
from funding.models import (
    AccountReading,
    Authorisation,
    BankLogin,
    LedgerBalance,
    LedgerEntry,
    LedgerLine,
    LinkedBank,
    LinkSession,
    MoneyRun,
    Notice,
    NoticeChoice,
    ProviderBalance,
    ReconciliationItem,
    StatedMovement,
    Transfer,
    TransferDraft,
    TransferLimit,
    WireRecipient,
)
from onboarding.models import Application, ProviderAccount
from onboarding.privacy import policy
from onboarding.privacy.elsewhere import Holder
from portal.models import OutboundCall, User
from portal.money import Money
from providers.models import InboundEvent

#: Nacha asks for two years after an authorisation ended, which the five contain.
LAW = (
    "31 CFR 1010.430(d) (records of transfers: five years), Nacha Operating Rules 2.3.2 (what you authorised)"
)


class End(StrEnum):
    """When rows of a model go."""

    AT_ONCE = "when the customer has their data erased"
    WITH_ACCOUNT = "when the time of the closed account is over"
    STAYS = "not at all: without its account it names nobody"


@dataclass(frozen=True)
class Holding:
    """One model: the way from it to its account or its user, what of it the customer's copy tells, and its end."""

    model: type[Model]
    route: str
    end: End
    #: The section in the copy, and one row of it. Where there is none, `why_not` says why.
    section: str = ""
    row: Callable[[Any], dict[str, Any]] | None = None
    why_not: str = ""
    #: What stands in the place of what is personal, where other rows point at the row; without it the row is deleted.
    emptied: dict[str, Any] | None = None

    def of(self, owner: ProviderAccount | User) -> QuerySet[Any]:
        """The rows of an account, or of a user."""
        return self.model._default_manager.filter(**{self.route: owner.pk}).order_by("pk")


def _transfer(row: Transfer) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "what": standing.name(row),
        "other_side": standing.other_side(row),
        "amount": row.amount.as_decimal_string(),
        "currency": row.currency,
        "direction": row.direction,
        "status": str(row.get_status_display()),
        "asked_for": row.created_at,
        "expected_on": row.expected_on,
        "completed_at": row.completed_at,
        "can_be_withdrawn_from": row.release_on,
    }


def _authorisation(row: Authorisation) -> dict[str, Any]:
    return {"text": row.text, "at": row.accepted_at, "ip": row.ip, "device": row.user_agent}


def _bank(row: LinkedBank) -> dict[str, Any]:
    return {
        "bank": row.institution,
        "account": row.name,
        "ends_in": row.mask,
        "kind": row.subtype,
        "owner": str(row.get_owner_display()),
        "status": str(row.get_status_display()),
        "linked_at": row.linked_at,
    }


def _login(row: BankLogin) -> dict[str, Any]:
    offered = row.accounts.reveal() if row.accounts is not None else []
    return {
        "bank": row.institution,
        "status": str(row.get_status_display()),
        "at": row.created_at,
        "accounts": [
            {"name": one["name"], "ends_in": one["mask"], "kind": one["subtype"]} for one in offered
        ],
    }


def _recipient(row: WireRecipient) -> dict[str, Any]:
    """As the customer's page shows it: of the numbers the last digits."""
    return {
        "bank": row.bank_name,
        "address": row.bank_address,
        "account_number": str(row.account_number),
        "routing_number": str(row.routing_number),
        "swift_code": row.swift_code,
        "added": row.created_at,
        "removed": row.removed_at,
    }


def _draft(row: TransferDraft) -> dict[str, Any]:
    return {
        "direction": row.direction,
        "rail": row.rail,
        "amount": row.amount.as_decimal_string(),
        "currency": row.currency,
        "at": row.created_at,
    }


def _limit(row: TransferLimit) -> dict[str, Any]:
    def dollars(minor: int | None) -> str | None:
        return None if minor is None else Money(minor, "USD").as_decimal_string()

    return {
        "rail": row.rail,
        "direction": row.direction,
        "each": dollars(row.single_minor),
        "a_day": dollars(row.day_minor),
        "in_30_days": dollars(row.month_minor),
    }


def _balance(row: ProviderBalance) -> dict[str, Any]:
    return {
        "settled": row.settled.as_decimal_string(),
        "unsettled": row.unsettled.as_decimal_string(),
        "currency": row.currency,
        "read_at": row.read_at,
    }


_IN_STATEMENTS = "the statements in the copy are made of it"
_OURS = "it compares the provider's record with ours and tells of the customer what transfers tell"
_OF_ACCOUNT = (
    Holding(Authorisation, "transfer__account", End.WITH_ACCOUNT, "authorisations", _authorisation),
    Holding(Transfer, "account", End.WITH_ACCOUNT, "transfers", _transfer, emptied={"problem": ""}),
    Holding(TransferDraft, "account", End.AT_ONCE, "transfers_begun", _draft),
    Holding(
        WireRecipient,
        "account",
        End.WITH_ACCOUNT,
        "wire_accounts",
        _recipient,
        emptied={
            "bank_name": "",
            "bank_address": "",
            "routing_number": "",
            "account_number": "",
            "numbers_index": "",
            "swift_code": "",
        },
    ),
    Holding(
        LinkedBank,
        "account",
        End.WITH_ACCOUNT,
        "banks",
        _bank,
        emptied={
            "institution": "",
            "name": "",
            "mask": "",
            "item_id": "",
            "plaid_account_id": "",
            "access_token": None,
            "same_account": "",
            "owner_score": None,
            "problem": "",
        },
    ),
    Holding(
        BankLogin,
        "account",
        End.WITH_ACCOUNT,
        "bank_logins",
        _login,
        emptied={
            "item_id": "",
            "access_token": None,
            "institution": "",
            "accounts": None,
            "plaid_account_id": "",
        },
    ),
    Holding(
        LinkSession,
        "account",
        End.WITH_ACCOUNT,
        why_not="it holds keys of Plaid's that let whoever has them link, and no fact about the customer",
        emptied={"token": None, "hosted_url": None},
    ),
    Holding(TransferLimit, "account", End.WITH_ACCOUNT, "limits", _limit),
    Holding(ProviderBalance, "account", End.WITH_ACCOUNT, "balances", _balance),
    Holding(LedgerEntry, "transfer__account", End.STAYS, why_not=_IN_STATEMENTS),
    Holding(LedgerLine, "account", End.STAYS, why_not=_IN_STATEMENTS),
    Holding(LedgerBalance, "account", End.STAYS, why_not=_IN_STATEMENTS),
    Holding(ReconciliationItem, "account", End.WITH_ACCOUNT, why_not=_OURS, emptied={"note": ""}),
    Holding(StatedMovement, "account", End.WITH_ACCOUNT, why_not=_OURS),
    Holding(AccountReading, "account", End.WITH_ACCOUNT, why_not=_OURS),
)


def _notice(row: Notice) -> dict[str, Any]:
    return {"what": row.title or str(row.get_kind_display()), "at": row.created_at, "read_at": row.read_at}


def _choice(row: NoticeChoice) -> dict[str, Any]:
    return {"what": str(row.get_kind_display()), "by_mail": row.by_mail, "in_list": row.in_list}


_OF_USER = (
    Holding(Notice, "user", End.AT_ONCE, "notices", _notice),
    Holding(NoticeChoice, "user", End.AT_ONCE, "notice_choices", _choice),
)
HOLDINGS = (*_OF_ACCOUNT, *_OF_USER)
#: Models of this app that hold nothing of a customer.
OF_NOBODY: tuple[type[Model], ...] = (MoneyRun,)


def _account(application: Application) -> ProviderAccount | None:
    return ProviderAccount.objects.filter(application=application).first()


#: Each leads to its account.
_SUBJECTS: tuple[type[Model], ...] = (
    Transfer,
    LinkedBank,
    BankLogin,
    LinkSession,
    WireRecipient,
    ReconciliationItem,
)


def subjects(application: Application) -> list[UUID]:
    """Whatever of funding cases and calls are about."""
    account = _account(application)
    if account is None:
        return []
    return [
        key
        for model in _SUBJECTS
        for key in model._default_manager.filter(account=account).values_list("pk", flat=True)
    ]


def copied(application: Application) -> dict[str, Any]:
    """The account's money as its customer may see it, with every statement; {} before there is an account."""
    account = _account(application)
    if account is None:
        return {}
    found: dict[str, Any] = _sections(_OF_ACCOUNT, account)
    found["statements"] = [
        {
            "month": f"{month:%Y-%m}",
            "opening": one.opening.as_decimal_string(),
            "lines": [
                {
                    "on": line.on,
                    "what": line.what,
                    "from_or_to": line.other,
                    "reference": line.reference,
                    "amount": line.amount.as_decimal_string(),
                    "balance": line.balance.as_decimal_string(),
                }
                for line in one.lines()
            ],
        }
        for month in reversed(statements.months(account))
        for one in [statements.statement(account, f"{month:%Y-%m}")]
    ]
    return {"money": found}


def copied_of_user(user: User) -> dict[str, Any]:
    """What the customer was told about their money, and how they want to be told."""
    return _sections(_OF_USER, user)


def _sections(holdings: Iterable[Holding], owner: ProviderAccount | User) -> dict[str, Any]:
    found = {}
    for one in holdings:
        if one.row is not None:
            rows = one.of(owner)
            if one.model is Transfer:
                rows = rows.select_related("bank", "recipient")
            found[one.section] = [one.row(row) for row in rows.iterator(chunk_size=500)]
    return found


def erase_useless(application: Application) -> dict[str, int]:
    """Orders that were never sent or are transfers by now, bank accounts no wire went to, and Plaid's old keys."""
    account = _account(application)
    if account is None:
        return {}
    drafts, _ = TransferDraft.objects.filter(account=account).delete()
    unused, _ = WireRecipient.objects.filter(account=account, transfers=None).delete()
    is_key = Q(token__isnull=False) | Q(hosted_url__isnull=False)
    keys = LinkSession.objects.filter(is_key, account=account)
    return {
        "Orders on their review page": drafts,
        "Bank accounts no wire went to": unused,
        "Keys for linking a bank": keys.update(token=None, hosted_url=None),
    }


def kept(application: Application) -> list[tuple[str, str]]:
    """What of an account's money is kept; nothing where none ever moved and no bank was linked."""
    account = _account(application)
    some = (Transfer, LinkedBank, BankLogin, WireRecipient)
    if account is None or not any(model._default_manager.filter(account=account).exists() for model in some):
        return []
    what = f"Transfers of {application.reference}, what you agreed to for them, and where the money came from or went"
    return [(f"{what}, numbers encrypted", LAW)]


def erase(application: Application) -> None:
    """Everything personal about an erased account's money; rows that the ledger rests on stay, emptied."""
    account = _account(application)
    if account is None:
        return
    keys = subjects(application)
    items = set(
        LinkedBank.objects.filter(account=account).exclude(item_id="").values_list("item_id", flat=True)
    )
    items |= set(
        BankLogin.objects.filter(account=account).exclude(item_id="").values_list("item_id", flat=True)
    )
    for event in InboundEvent.objects.filter(party_ref__in=items).iterator(chunk_size=500):
        event.body = "{}"
        event.save(update_fields=["body"])
    for call in OutboundCall.objects.filter(subject_id__in=keys).iterator(chunk_size=500):
        call.body, call.answer, call.problem_fields = {}, {}, []
        call.save(update_fields=["body", "answer", "problem_fields"])
    # What points at other rows goes before them.
    Notice.objects.filter(transfer__account=account).delete()
    StatedMovement.objects.filter(Q(account=account) | Q(party_ref=account.client_account_id)).delete()
    TransferDraft.objects.filter(account=account).delete()
    for one in _OF_ACCOUNT:
        if one.end == End.STAYS:
            continue
        if one.emptied is None:
            one.of(account).delete()
            continue
        if one.model is not WireRecipient:
            one.of(account).update(**one.emptied)
            continue
        # What is sealed is sealed for its row.
        for row in one.of(account):
            for name, value in one.emptied.items():
                setattr(row, name, value)
            row.save(update_fields=list(one.emptied))


def erase_of_user(user: User) -> dict[str, int]:
    """What they were told, and how they wanted to be told."""
    return {
        "Notices about your money": Notice.objects.filter(user=user).delete()[0],
        "How you wanted to be told": NoticeChoice.objects.filter(user=user).delete()[0],
    }


HOLDER = Holder(
    ways=dict.fromkeys(_SUBJECTS, "account__application"),
    subjects=subjects,
    copied=copied,
    copied_of_user=copied_of_user,
    erase_useless=erase_useless,
    kept=kept,
    erase=erase,
    erase_of_user=erase_of_user,
)

#: Orders that were looked at and never sent.
DRAFTS = policy.DataClass(
    "transfer_drafts",
    "Orders never sent",
    "Amount, direction and bank account of a transfer that was looked at and not asked for",
    "It was typed",
    30,
    policy.NO_LONGER_NEEDED,
    lambda before: TransferDraft.objects.filter(transfer=None, created_at__lte=before).exclude(
        policy.held("account__application__customer__user")
    ),
    lambda row: row.delete(),
)
