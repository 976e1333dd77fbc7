"""The ledger: it balances, nothing in it is ever changed, and whatever order words come in, it follows the statuses."""

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funding.hearing import Heard, hear
from funding.models import Book, LedgerBalance, LedgerEntry, LedgerLine, Transfer
from funding.models.ledger import position
from onboarding.models import ProviderAccount
from portal import ids
from portal.models import User
from tests.funding.people import open_account

Status = Transfer.Status
ENDS = [Status.PENDING, Status.COMPLETED, Status.DECLINED, Status.FAILED, Status.RETURNED, Status.CANCELLED]


def transfer_of(account: ProviderAccount, **more: object) -> Transfer:
    facts = {"direction": "deposit", "rail": "ach", "origin": "customer", "amount_minor": 10_000}
    transfer = Transfer.objects.create(account=account, reference=str(ids.new_id()), **(facts | more))
    transfer.enter()
    return transfer


def books(account: ProviderAccount) -> dict[str, int]:
    rows = LedgerBalance.objects.filter(account=account).exclude(amount_minor=0)
    return dict(rows.values_list("book", "amount_minor"))


def check_now() -> None:
    """What the database checks at commit, now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_a_deposit_arrives_and_comes_back(customer_user: User) -> None:
    account = open_account(customer_user)
    transfer = transfer_of(account)
    assert books(account) == {}
    for status, expected in (
        ("sent", {"incoming": 10_000, "provider": -10_000}),
        ("pending", {"incoming": 10_000, "provider": -10_000}),
        ("completed", {"available": 10_000, "provider": -10_000}),
        ("returned", {}),
    ):
        transfer.move_to(status, actor=None)
        check_now()
        assert books(account) == expected
    assert [entry.status for entry in transfer.entries.order_by("at")] == ["sent", "completed", "returned"]


def test_a_withdrawal_is_set_aside_at_once_and_given_back_when_it_fails(customer_user: User) -> None:
    account = open_account(customer_user)
    gone = transfer_of(account, direction="withdrawal")
    failed = transfer_of(account, direction="withdrawal", status="held")
    assert books(account) == {"available": -20_000, "outgoing": 20_000}
    failed.move_to("cancelled", actor=None)
    gone.move_to("completed", actor=None)
    check_now()
    assert books(account) == {"available": -10_000, "provider": 10_000}


def test_the_database_refuses_what_does_not_balance(customer_user: User) -> None:
    account = open_account(customer_user)
    transfer = transfer_of(account)
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        entry = LedgerEntry.objects.create(transfer=transfer, status="sent")
        LedgerLine.objects.create(
            entry=entry, account=account, book=Book.AVAILABLE, amount_minor=1, currency="USD"
        )
        check_now()
    with pytest.raises(IntegrityError, match="no lines"), transaction.atomic():
        LedgerEntry.objects.create(transfer=transfer, status="sent")
        check_now()


def test_nothing_written_is_changed(customer_user: User) -> None:
    account = open_account(customer_user)
    transfer = transfer_of(account)
    transfer.move_to("sent", actor=None)
    for change in (
        lambda: LedgerLine.objects.filter(account=account).update(amount_minor=5),
        lambda: LedgerEntry.objects.filter(transfer=transfer).delete(),
        lambda: LedgerBalance.objects.filter(account=account).update(amount_minor=5),
        lambda: LedgerBalance.objects.create(account=account, book="fees", currency="USD", amount_minor=1),
    ):
        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            change()
    with pytest.raises(IntegrityError, match="ledger_entry_once"), transaction.atomic():
        LedgerEntry.objects.create(transfer=transfer, status="sent")


WORDS = st.lists(st.sampled_from(ENDS), max_size=6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.tuples(st.sampled_from(["deposit", "withdrawal"]), WORDS), min_size=1, max_size=3))
def test_books_follow_the_statuses_in_whatever_order_words_come(
    customer_user: User, story: list[tuple[str, list[str]]]
) -> None:
    """Any words in any order and any number of times: the books are the sum of where the transfers stand."""
    with transaction.atomic():
        account = open_account(customer_user)
        transfers = [transfer_of(account, direction=direction) for direction, _ in story]
        for transfer, (_, words) in zip(transfers, story, strict=True):
            for word in words:
                hear(transfer.pk, Heard(str(word), str(word).upper()), source="webhook")
                check_now()
        wanted: dict[str, int] = {}
        for transfer in Transfer.objects.filter(account=account):
            for book, minor in position(transfer).items():
                wanted[book] = wanted.get(book, 0) + minor
        assert books(account) == {book: minor for book, minor in wanted.items() if minor}
        lines = LedgerLine.objects.filter(account=account)
        assert sum(line.amount_minor for line in lines) == 0
        transaction.set_rollback(True)
