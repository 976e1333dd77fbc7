"""Accounts with money on both sides, and what must hold at the end of every bad day: the books agree to the cent."""

from typing import Any

from django.db.models import Sum

from funding import authorising, services
from funding.models import Book, LedgerBalance, LedgerLine, Transfer, WireRecipient
from funding.terms import Order, terms
from onboarding.models import ProviderAccount
from portal.models import OutboundCall, User
from portal.money import Money
from providers.clients import bakkt_fiat
from sandbox.testing import SandboxProcess
from tests.flow import drain
from tests.funding.people import link_bank, open_account

WIRE = {
    "bank_name": "First Platypus Bank",
    "bank_address": "1 Main Street, Springfield",
    "routing_number": "110000000",
    "account_number": "000123456789",
}


def funded(box: SandboxProcess, user: User | None = None, *, dollars: int = 1000) -> ProviderAccount:
    """An open account with a bank and so much money, at the sandbox and here."""
    account = open_account(user)
    ref = account.client_account_id
    box.api("POST", "accounts", {"clientAccountId": ref})
    bakkt_fiat().link_bank(
        ref,
        account_number="000123456789",
        routing_number="110000000",
        account_type="CHECKING",
        reference="L" + ref,
    )
    link_bank(account)
    if dollars:
        box.api("POST", f"accounts/{ref}/adjust", {"amount": f"{dollars}.00"})
    settle(box)
    return account


def ask(
    account: ProviderAccount, direction: str = "deposit", rail: str = "ach", cents: int = 10_000, **more: Any
) -> Transfer:
    """The customer asks for a transfer, having read and accepted what is shown."""
    actor = account.application.customer.user
    amount = Money(cents, "USD")
    recipient = None
    if rail == "wire":
        recipient = WireRecipient.objects.filter(account=account).first() or services.wire_recipient_add(
            actor=actor, account_id=account.pk, **WIRE
        )
    found = terms(actor, account, Order(direction, rail, amount, recipient))
    text = services.authorisation_text(account, found) if rail == "ach" else ""
    return services.transfer_request(
        actor=actor,
        account_id=account.pk,
        direction=direction,
        rail=rail,
        amount=amount,
        source="page",
        accepted=services.Accepted(authorising.digest(text) if text else "", second_factor=True),
        recipient_id=recipient.pk if recipient else None,
        **more,
    )


def call_of(transfer: Transfer) -> OutboundCall:
    return OutboundCall.objects.get(subject_id=transfer.pk)


def now(transfer: Transfer) -> Transfer:
    return Transfer.objects.get(pk=transfer.pk)


def at_sandbox(box: SandboxProcess, transfer: Transfer) -> list[dict[str, Any]]:
    """The sandbox's movements under the transfer's reference."""
    movements = box.account(transfer.account.client_account_id)["movements"]
    return [found for found in movements if found["reference"] == transfer.reference]


def settle(box: SandboxProcess) -> None:
    """Every outcome of the sandbox that is still to come, sent and processed."""
    for _ in range(3):
        assert box.flush() == 0, "the sandbox could not deliver"
        drain()


def assert_books_agree(box: SandboxProcess, *accounts: ProviderAccount) -> None:
    """Both sides hold the same to the cent, and every entry of ours balances."""
    shown = {row["clientAccountId"]: row["books"] for row in box.state()["accounts"]}
    for account in accounts:
        theirs = shown[account.client_account_id]
        rows = LedgerBalance.objects.filter(account=account)
        ours = dict(rows.values_list("book", "amount_minor"))
        for book, name in (
            (Book.AVAILABLE, "settled"),
            (Book.INCOMING, "unsettled"),
            (Book.OUTGOING, "leaving"),
        ):
            assert Money(ours.get(book, 0), "USD").as_decimal_string() == theirs[name], (book, ours, theirs)
    lines = LedgerLine.objects.filter(account__in=accounts)
    sums = lines.values("entry").annotate(minor=Sum("amount_minor")).exclude(minor=0)
    assert not list(sums)
