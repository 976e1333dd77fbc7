"""Moving money under every fault of its call: it moves once or not at all, and both sides' books agree to the cent."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
import time_machine
from django.db import transaction

from compliance.models import CaseFact
from funding import operations, services
from funding.errors import TransferRefused
from funding.models import Transfer
from portal import clock, outbox
from portal.models import OutboundCall, User
from providers import expected
from sandbox.testing import SandboxProcess
from tests.faults.matrix import FAULTS, Row, table_of, until_finished
from tests.faults.money import (
    ask,
    assert_books_agree,
    at_sandbox,
    call_of,
    funded,
    now,
    settle,
)
from tests.faults.way import LEASE_OVER, at_once, exchanges, later, wait_for
from tests.flow import drain
from tests.people import make_staff
from tests.sandboxed import environment

Status = Transfer.Status
Call = OutboundCall.Status

#: No status or a 5xx: the key goes out again. Any other answer that is no verdict spends it (seed 001).
SAME_KEY = frozenset({"time-out", "reset", "500", "502 HTML"})
#: A 2xx counts as the answer whatever its body (contract, question 16).
TAKEN = frozenset({"200 nonsense"})
MONEY = {
    "ACH deposit": ("deposit", "ach"),
    "ACH withdrawal": ("withdrawal", "ach"),
    "wire withdrawal": ("withdrawal", "wire"),
}


table = table_of("call", "fault", "effect", "asked", "moved", "lost", "doubled", "tries", "keys", "person")
#: The full cross by `make faults` and in the gate's pass on the servers; else the calls share what differs.
CROSS = [
    (what, name)
    for what in MONEY
    for name in FAULTS
    if os.environ.get("FAULTS") == "all" or what == "ACH deposit" or name in {"500", "429"}
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("what", "name"), CROSS)
def test_a_fault_of_the_transfer_call(
    box: SandboxProcess, customer_user: User, table: list[Row], what: str, name: str, when: str
) -> None:
    account = funded(box, customer_user)
    transfer = ask(account, *MONEY[what])
    box.fault(operation="transfer", after_effect=when == "after", **FAULTS[name])
    outbox.perform(call_of(transfer).pk)

    took_effect = when == "after"
    assert len(at_sandbox(box, transfer)) == took_effect
    call = call_of(transfer)
    if name in TAKEN:
        assert (call.status, now(transfer).status) == (Call.SUCCEEDED, Status.SENT)
    else:
        assert call.status == (Call.UNKNOWN if name in SAME_KEY else Call.QUEUED)
        assert call.key_spent == (name not in SAME_KEY)
        assert now(transfer).status == Status.REQUESTED
        until_finished(lambda: call_of(transfer))
    person = "no"
    if name in TAKEN and not took_effect:
        # They said that they have it, and have not: nothing of it is repeated by itself.
        person = "decides"
        with later(days=9):
            expected.sweep()
        assert now(transfer).stuck_at is not None
        services.transfer_send_again(
            actor=make_staff("funding_operator"), transfer_id=transfer.pk, reason="Not in their record"
        )
        with later(days=9, minutes=1):
            drain()
    settle(box)

    moved = at_sandbox(box, transfer)
    assert [row["status"] for row in moved] == ["COMPLETED"]
    assert now(transfer).status == Status.COMPLETED
    assert_books_agree(box, account)
    keys = [entry["body"]["idempotencyKey"] for entry in exchanges(box, "transfer")]
    again = name not in SAME_KEY and not took_effect
    assert len(set(keys)) == 1 + again, "a key went out again, or was changed, where it must not"
    tries = sum(row.attempts for row in OutboundCall.objects.filter(subject_id=transfer.pk))
    lost, doubled = 1 - len(moved), len(moved) - 1
    table.append((what, name, when, 1, len(moved), lost, doubled, tries, len(set(keys)), person))


def test_a_conflict_about_our_own_key_is_the_answer(box: SandboxProcess, customer_user: User) -> None:
    """The first answer was lost, the repeat is told that its key is in use: it arrived, once (seed 001)."""
    account = funded(box, customer_user)
    transfer = ask(account)
    box.fault("drop_before", "transfer", after_effect=True)
    outbox.perform(call_of(transfer).pk)
    with later(minutes=6):
        outbox.perform(call_of(transfer).pk)
    assert call_of(transfer).answer == {"replayed": True}
    assert [entry["status"] for entry in exchanges(box, "transfer")][-1] == 409
    assert now(transfer).status == Status.SENT and len(at_sandbox(box, transfer)) == 1


def test_a_spent_key_without_a_record_to_read_goes_to_a_person(
    box: SandboxProcess, customer_user: User, settings: Any
) -> None:
    """Until the provider confirms how transactions are read, nobody guesses."""
    account = funded(box, customer_user)
    settings.BAKKT_TRANSACTION_READS = False
    transfer = ask(account)
    box.fault("401", "transfer", after_effect=True)
    outbox.perform(call_of(transfer).pk)
    with later(minutes=6):
        outbox.perform(call_of(transfer).pk)
    assert call_of(transfer).status == Call.NEEDS_PERSON
    assert now(transfer).stuck_at is not None
    settle(box)
    assert now(transfer).status == Status.COMPLETED and now(transfer).stuck_at is None, "its webhook tells"
    assert_books_agree(box, account)


def test_after_nine_days_without_an_answer_nothing_is_sent_again(
    box: SandboxProcess, customer_user: User
) -> None:
    account = funded(box, customer_user)
    transfer = ask(account, "withdrawal")
    box.fault("500_before", "transfer", count=None)
    outbox.perform(call_of(transfer).pk)
    with later(days=9, minutes=1):
        outbox.perform(call_of(transfer).pk)
    assert call_of(transfer).status == Call.NEEDS_PERSON
    assert len(exchanges(box, "transfer")) == 1
    services.transfer_give_up(
        actor=make_staff("funding_operator"), transfer_id=transfer.pk, reason="Not in their record"
    )
    assert now(transfer).status == Status.CANCELLED
    assert_books_agree(box, account)


def test_what_a_person_sends_again_is_looked_up_first(box: SandboxProcess, customer_user: User) -> None:
    """It had arrived after all: whoever presses "try again" moves nothing twice."""
    account = funded(box, customer_user)
    transfer = ask(account)
    box.fault("drop_before", "transfer", after_effect=True)
    outbox.perform(call_of(transfer).pk)
    with later(days=9, minutes=1):
        outbox.perform(call_of(transfer).pk)
        assert call_of(transfer).status == Call.NEEDS_PERSON
        outbox.retry_by_person(
            actor=make_staff("administrator"), call_id=call_of(transfer).pk, reason="Again"
        )
        outbox.perform(call_of(transfer).pk)
    assert call_of(transfer).answer == {"looked_up": True}
    settle(box)
    assert len(exchanges(box, "transfer")) == 1 and now(transfer).status == Status.COMPLETED
    assert_books_agree(box, account)


def test_a_look_up_that_is_refused_says_nothing_of_the_transfer(
    box: SandboxProcess, customer_user: User
) -> None:
    """It arrived, under a key that is spent; their record will not be read. It is neither declined nor absent."""
    account = funded(box, customer_user)
    transfer = ask(account)
    box.fault("401", "transfer", after_effect=True)
    box.fault("409", "read_transaction", count=None)
    outbox.perform(call_of(transfer).pk)
    with later(minutes=6):
        outbox.perform(call_of(transfer).pk)
    assert call_of(transfer).status == Call.NEEDS_PERSON
    assert now(transfer).status == Status.REQUESTED and now(transfer).stuck_at is not None
    with transaction.atomic():
        outbox.enqueue(operation=operations.LOOK_UP, subject=transfer, body={}, actor=None)
    drain()
    told = CaseFact.objects.filter(case__subject_id=transfer.pk).order_by("pk").last()
    assert told is not None and "refused the question" in told.title
    settle(box)
    assert now(transfer).status == Status.COMPLETED and len(exchanges(box, "transfer")) == 1
    assert_books_agree(box, account)


@pytest.mark.parametrize(
    ("kind", "after_effect"), [("hang", True), ("delay", False)], ids=["after effect", "before effect"]
)
def test_a_worker_killed_while_it_asks(
    box: SandboxProcess, customer_user: User, kind: str, after_effect: bool
) -> None:
    account = funded(box, customer_user)
    transfer = ask(account)
    box.fault(kind, "transfer", seconds=60, after_effect=after_effect)
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.perform", str(call_of(transfer).pk)],
        env=environment(box),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # The fault is counted down when the call has arrived.
        wait_for(lambda: not box.state()["faults"], seconds=60)
        if after_effect:
            wait_for(lambda: at_sandbox(box, transfer))
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(5)
    assert call_of(transfer).status == Call.SENDING
    with time_machine.travel(clock.now() + LEASE_OVER):
        outbox.perform(call_of(transfer).pk)
    # The first request, if it still waits over there, takes effect only now: its key is known by then.
    box.api("DELETE", "faults")
    wait_for(lambda: len(exchanges(box, "transfer")) == 2)
    settle(box)
    assert len(at_sandbox(box, transfer)) == 1 and now(transfer).status == Status.COMPLETED
    assert_books_agree(box, account)


def test_two_workers_one_row(box: SandboxProcess, customer_user: User) -> None:
    account = funded(box, customer_user)
    transfer = ask(account)
    call = call_of(transfer).pk
    box.fault("delay", "transfer", seconds=0.3)
    at_once(lambda: outbox.perform(call), lambda: outbox.perform(call))
    settle(box)
    assert len(exchanges(box, "transfer")) == 1
    assert_books_agree(box, account)


def test_the_last_money_is_withdrawn_once_from_two_devices(box: SandboxProcess, customer_user: User) -> None:
    """Two requests race for the same balance: one gets it, the other every reason why not."""
    account = funded(box, customer_user, dollars=100)

    def press() -> str:
        try:
            return ask(account, "withdrawal", cents=10_000).status
        except TransferRefused as refusal:
            return refusal.stops[0].code

    assert sorted(at_once(press, press)) == ["not_enough", "requested"]
    settle(box)
    assert_books_agree(box, account)


def test_a_return_after_completion_takes_the_money_back(box: SandboxProcess, customer_user: User) -> None:
    account = funded(box, customer_user, dollars=0)
    transfer = ask(account, cents=10_010)  # the cents choose R10, which comes late
    settle(box)
    settle(box)
    returned = now(transfer)
    assert (returned.status, returned.reason_code) == (Status.RETURNED, "R10")
    assert Transfer.objects.filter(account=account, kind="return_fee", status="completed").exists()
    assert_books_agree(box, account)


def test_words_doubled_late_and_in_another_order_change_nothing(
    box: SandboxProcess, customer_user: User
) -> None:
    account = funded(box, customer_user)
    for kind in ("webhook_duplicate", "webhook_out_of_order"):
        box.fault(kind, "FIAT_EVENT", count=None)
    transfers = [ask(account), ask(account, "withdrawal"), ask(account, cents=10_001)]
    settle(box)
    settle(box)
    assert [now(transfer).status for transfer in transfers] == ["completed", "completed", "returned"]
    assert_books_agree(box, account)


def test_a_word_before_the_answer(box: SandboxProcess, customer_user: User) -> None:
    account = funded(box, customer_user)
    transfer = ask(account)
    box.fault("webhook_early", "FIAT_EVENT")
    outbox.perform(call_of(transfer).pk)
    settle(box)
    assert now(transfer).status == Status.COMPLETED
    assert_books_agree(box, account)


def test_words_that_stay_out_are_read(box: SandboxProcess, customer_user: User) -> None:
    account = funded(box, customer_user)
    transfer = ask(account)
    drain()
    box.fault("webhook_lost", "FIAT_EVENT", count=None)
    settle(box)
    assert now(transfer).status == Status.SENT
    with later(days=9):
        expected.sweep()
    assert now(transfer).status == Status.COMPLETED
    assert_books_agree(box, account)


def test_a_day_without_the_provider(box: SandboxProcess) -> None:
    """Transfers wait through a day and then all move exactly once. `make faults` does it with a thousand."""
    accounts = [funded(box) for _ in range(int(os.environ.get("TRANSFERS", "40")) // 20)]
    box.fault("500_before", "transfer", count=None)
    transfers = [
        ask(account, "deposit" if number % 2 else "withdrawal", cents=1_000)
        for account in accounts
        for number in range(20)
    ]
    drain(1)
    box.api("DELETE", "faults")
    with later(days=1):
        drain(30)
    settle(box)
    assert set(
        Transfer.objects.filter(pk__in=[row.pk for row in transfers]).values_list("status", flat=True)
    ) == {"completed"}
    references = [
        row["reference"]
        for account in box.state()["accounts"]
        for row in account["movements"]
        if row["reference"]
    ]
    assert sorted(references) == sorted(row.reference for row in transfers)
    assert_books_agree(box, *accounts)
