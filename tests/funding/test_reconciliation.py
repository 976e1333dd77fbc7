"""Planted differences between our books and the provider's record: each is one item, until it is right or resolved."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client

from compliance import kinds
from compliance.models import Case
from funding.models import (
    AccountReading,
    LedgerBalance,
    MoneyRun,
    ReconciliationItem,
    StatedMovement,
    Transfer,
)
from funding.reconciliation import files, items, matching, resolving, runs, stating
from onboarding import second_person
from onboarding.models import ProviderAccount
from portal import audit, clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import StatusChange, User
from providers.bakkt.fiat_events import Movement, movement_fields
from sandbox.testing import SandboxProcess
from tests.faults.money import ask, assert_books_agree, call_of, funded, now, settle
from tests.faults.way import at_once, wait_for
from tests.flow import drain
from tests.funding.people import open_account
from tests.people import make_customer_user
from tests.sandboxed import environment

pytestmark = pytest.mark.django_db(transaction=True)
Staff = Callable[[str], User]
Item = ReconciliationItem


def later(minutes: float) -> time_machine.travel:
    return time_machine.travel(clock.now() + timedelta(minutes=minutes), tick=True)


def finish() -> None:
    for _ in range(50):
        MoneyRun.objects.filter(status="running").update(next_at=clock.now())
        if not runs.step():
            return
    raise AssertionError("the run did not end")


def compared(minutes: float = 3) -> MoneyRun:
    """A whole run, its pauses skipped, so long after now that nothing is on its way any more."""
    with later(minutes):
        run = runs.start()
        finish()
    run.refresh_from_db()
    return run


def waiting() -> Counter[str]:
    return Counter(Item.objects.filter(status__in=Item.ACTIVE).values_list("kind", flat=True))


def item(kind: str) -> ReconciliationItem:
    return Item.objects.get(kind=kind, status__in=Item.ACTIVE)


def only_here(account: ProviderAccount) -> Transfer:
    """A deposit that we believe to be complete, and that the provider never heard of."""
    with transaction.atomic():
        transfer = Transfer.objects.create(
            account=account, status="completed", direction="deposit", rail="ach", origin="customer",
            amount_minor=12_300, reference="only-here", provider_word="COMPLETED",
        )  # fmt: skip
        transfer.enter()
    return transfer


def planted(box: SandboxProcess, user: User) -> tuple[ProviderAccount, dict[str, Transfer]]:
    """One account with a difference of each kind; what the provider does is told by no webhook."""
    box.api("POST", "settings", {"return_fee_cents": 0})
    account = funded(box, user)
    made = {
        name: ask(account, cents=cents)
        for name, cents in {"amount": 20_000, "state": 30_000, "right": 40_000}.items()
    }
    drain()
    settle(box)
    made["missing"] = only_here(account)
    Transfer.objects.filter(pk=made["amount"].pk).update(amount_minor=19_900)
    box.fault("webhook_lost", count=None)
    box.api("POST", f"accounts/{account.client_account_id}/adjust", {"amount": "7.00"})
    box.api("POST", f"transfers/{made['state'].reference}/return", {"reasonCode": "R07"})
    return account, made


PLANTED = Counter(["missing_there", "missing_here", "amount", "state", "balance"])


def test_each_difference_is_one_item_and_a_repeat_changes_nothing(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    planted(box, customer_user)
    run = compared()
    assert (run.status, run.compared, run.differ, run.opened) == ("finished", 5, 5, 5)
    assert waiting() == PLANTED
    assert (item("amount").our_minor, item("amount").their_minor) == (19_900, 20_000)
    assert (item("state").our_status, item("state").their_status) == ("completed", "returned")
    before = set(Item.objects.values_list("pk", "kind", "status"))
    again = compared(6)
    assert (again.differ, again.opened, again.settled) == (5, 0, 0)
    assert set(Item.objects.values_list("pk", "kind", "status")) == before
    assert not StatedMovement.objects.exists()


def test_what_is_right_by_the_next_run_closes_by_itself_with_its_case(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    account, made = planted(box, customer_user)
    compared()
    with later(60 * 25):
        runs.sweep()
        runs.sweep()
    assert Case.objects.filter(kind="funding.reconciliation", status="open").count() == 5
    # The rules of the queues know whose it is and by how much; whoever changed the customer's data is no second person.
    about = Case.objects.get(subject_id=item("amount").pk)
    assert (about.country, about.amount_minor, about.currency) == ("US", 100, "USD")
    audit.record("account.settlement", subject=account.application, actor=staff("funding_operator"))
    out = kinds.get(about.kind).ruled_out([about.subject_id])[about.subject_id]
    assert list(out.values()) == [second_person.CHANGED]
    Transfer.objects.filter(pk=made["amount"].pk).update(amount_minor=20_000)
    run = compared(60 * 26)
    assert (run.settled, waiting()["amount"]) == (1, 0)
    assert Case.objects.filter(kind="funding.reconciliation", status="closed").count() == 1
    assert waiting() == PLANTED - Counter(["amount"])
    assert account.transfers.count() == 5


def test_one_click_makes_both_sides_agree_and_only_once(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    account, made = planted(box, customer_user)
    compared()
    boss, colleague = staff("funding_operator"), staff("compliance_manager")
    for kind in ("missing_here", "state"):
        found = item(kind)
        resolving.item_apply(actor=boss, item_id=found.pk, source="page")
        with pytest.raises(Conflict, match="already"):
            resolving.item_apply(actor=boss, item_id=found.pk, source="page")
    assert now(made["state"]).status == "returned"
    lost = item("missing_there")
    with pytest.raises(Conflict, match="not sent twice"):
        resolving.item_send_again(actor=boss, item_id=lost.pk, source="page")
    resolving.item_theirs(actor=boss, item_id=lost.pk, note="Ticket 4711", source="page")
    resolving.write_off_propose(actor=boss, item_id=lost.pk, note="They never had it", source="page")
    with pytest.raises(Forbidden, match="colleague"):
        resolving.write_off_approve(actor=boss, item_id=lost.pk, source="page")
    resolving.write_off_approve(actor=colleague, item_id=lost.pk, source="page")
    with pytest.raises(Conflict, match="already"):
        resolving.write_off_approve(actor=colleague, item_id=lost.pk, source="page")
    with pytest.raises(Forbidden):
        resolving.item_theirs(actor=staff("auditor"), item_id=lost.pk, note="No", source="page")
    Transfer.objects.filter(pk=made["amount"].pk).update(amount_minor=20_000)
    drain()
    run = compared(9)
    assert (run.opened, waiting()) == (0, Counter()), list(Item.objects.values("kind", "status", "key"))
    assert_books_agree(box, account)
    assert LedgerBalance.objects.get(account=account, book="available").amount_minor == 1000_00 + 700 + 600_00


def test_stuck_transfers_are_sent_again(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    account = funded(box, customer_user)
    transfer = ask(account)
    # Its call was given up long ago.
    call_of(transfer).delete()
    Transfer.objects.filter(pk=transfer.pk).update(stuck_at=clock.now())
    compared()
    resolving.item_send_again(
        actor=staff("funding_operator"), item_id=item("missing_there").pk, source="page"
    )
    drain()
    settle(box)
    assert (compared(6).differ, now(transfer).status) == (0, "completed")


def test_one_run_at_a_time_and_a_killed_worker_loses_nothing(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    planted(box, customer_user)
    with later(3):
        runs.start()
        with pytest.raises(Conflict, match="already"):
            runs.start()
        box.fault("hang", "list_transactions")

        def hangs() -> bool:
            return any(fault["kind"] == "hang" for fault in box.state()["faults"])

        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.perform", "funding.reconciliation.runs.step"],
            env=environment(box, DJANGO_SETTINGS_MODULE="portal.settings", BAKKT_TRANSACTION_READS="true"),
            start_new_session=True,
        )
        try:
            # The database's row is due three minutes from the worker's now: it is told to begin.
            MoneyRun.objects.update(next_at=clock.now() - timedelta(hours=1))
            wait_for(lambda: not hangs())
        finally:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
        assert MoneyRun.objects.get().stage == "gather"
        finish()
    assert MoneyRun.objects.get().status == "finished"
    assert waiting() == PLANTED


def test_the_same_words_again_change_nothing(customer_user: User) -> None:
    account = open_account(customer_user)
    run = MoneyRun.objects.create(since=clock.now())

    def said(number: int, word: str) -> Movement:
        fields = {
            "partnerTransactionRef": f"r{number}", "instrumentType": "ACH", "fiatTransactionType": "DEPOSIT",
            "transactionStatus": word, "amount": "1.00", "currency": "USD", "partnerPartyRef": "other",
        }  # fmt: skip
        return Movement(**movement_fields(fields))

    stating.state(run, [said(n, "PENDING") for n in range(3)], as_of=clock.now(), account=account)
    # The pages of a list that grows meanwhile overlap, and a page may hold the same twice.
    again = [said(n, "COMPLETE") for n in range(5)] + [said(4, "FAILED")]
    stating.state(run, again, as_of=clock.now(), account=account)
    words = StatedMovement.objects.order_by("key").values_list("key", "word", "account")
    assert list(words) == [(f"r{n}", "PENDING" if n < 3 else "COMPLETE", account.pk) for n in range(5)]


@pytest.mark.parametrize("lease", [timedelta(minutes=5), timedelta(0)])
def test_two_workers_at_once_come_to_what_one_comes_to(
    box: SandboxProcess,
    customer_user: User,
    monkeypatch: pytest.MonkeyPatch,
    lease: timedelta,
) -> None:
    """Each step is as small as can be. Where a lease is over at once, both read the same account."""
    planted(box, customer_user)
    funded(box, make_customer_user("Bo Berg"))
    for place, name in ((matching, "CHUNK"), (items, "CHUNK"), (runs, "CLEAR_AT_ONCE"), (runs, "BATCH")):
        monkeypatch.setattr(place, name, 1)
    monkeypatch.setattr(runs, "PAUSE", timedelta(0))
    monkeypatch.setattr(runs, "LEASE", lease)
    steps: Counter[int] = Counter()

    def worker() -> None:
        until = time.monotonic() + 60
        while MoneyRun.objects.filter(status="running").exists() and time.monotonic() < until:
            if runs.step():
                steps[threading.get_ident()] += 1
            else:
                time.sleep(0.002)

    with later(3):
        runs.start()
        at_once(worker, worker)
    run = MoneyRun.objects.get()
    counted = (run.done, run.not_answered, run.stated_count, run.compared, run.differ, run.opened)
    assert (run.status, counted) == ("finished", (2, 0, 6, 6, 7, 7))
    # Nobody told us of what came to Bo's account either.
    assert waiting() == PLANTED + Counter(["missing_here", "balance"])
    assert StatusChange.objects.filter(subject_id=run.pk, new="finished").count() == 1
    assert not StatedMovement.objects.exists()
    assert not AccountReading.objects.exists()
    assert len(steps) == 2, "one worker did it all"


def test_workers_killed_in_mid_stage_are_followed_by_others(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    planted(box, customer_user)
    with later(3):
        run = runs.start()
        for stage, table in (
            ("match", "funding_reconciliationitem"),
            ("absent", "funding_reconciliationitem"),
            ("clear", "funding_statedmovement"),
        ):
            while MoneyRun.objects.get().stage != stage:
                MoneyRun.objects.update(next_at=clock.now())
                assert runs.step()
            # A process of its own knows nothing of the clock that was moved on.
            MoneyRun.objects.update(next_at=clock.now() - timedelta(hours=1))
            before = MoneyRun.objects.values().get()
            killed_writing(box, table)
            assert MoneyRun.objects.values().get() == before, f"half of {stage} is left"
        finish()
    run.refresh_from_db()
    assert (run.status, run.compared, run.differ, run.opened) == ("finished", 5, 5, 5)
    assert waiting() == PLANTED
    assert not StatedMovement.objects.exists()


def killed_writing(box: SandboxProcess, table: str) -> None:
    """A worker takes the next step and is killed when it writes to the table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.perform", "funding.reconciliation.runs.step"],
            env=environment(box, DJANGO_SETTINGS_MODULE="portal.settings"),
            start_new_session=True,
        )

        def stands_still() -> list[int]:
            cursor.execute(
                "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            return [pid for (pid,) in cursor.fetchall()]

        try:
            (backend,) = wait_for(stands_still, seconds=60)
        finally:
            # While it still stands there: let go, it might be through before the signal comes.
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
    with connection.cursor() as cursor:

        def gone() -> bool:
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend])
            return cursor.fetchone() is None

        wait_for(gone)


def test_the_page_shows_how_far_it_is(staff: Staff, signed_in: Callable[[User], Client]) -> None:
    run = MoneyRun.objects.create(
        since=clock.now(), stage="match", expected=3, done=3, stated_count=987, compared=123
    )
    client = signed_in(staff("auditor"))
    address = f"/staff/transfers/reconciliation/runs/{run.pk}/"
    page = client.get(address).content.decode()
    assert f'hx-get="{address}progress/"' in page
    assert f'<a href="{address}">Look again</a>' in page
    part = client.get(f"{address}progress/")
    assert "123 of 987" in part.content.decode()
    assert "HX-Refresh" not in part
    assert "123 of 987" in client.get("/staff/transfers/reconciliation/").content.decode()
    MoneyRun.objects.update(status="finished", stage="clear")
    part = client.get(f"{address}progress/")
    assert "hx-get" not in part.content.decode()
    assert part["HX-Refresh"] == "true"


def test_a_silent_provider_makes_no_differences(box: SandboxProcess, customer_user: User) -> None:
    planted(box, customer_user)
    box.fault("500_before", count=None)
    run = compared()
    assert (run.status, run.not_answered, run.differ) == ("stopped", 1, 0)


def test_files_feed_it_where_reads_are_off(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    settings: object,
) -> None:
    account, made = planted(box, customer_user)
    # The days of a file are the provider's own, and near its midnight these transfers are of two of them.
    boss, today = staff("funding_operator"), clock.now().astimezone(files.CENTRAL).date()
    ref = account.client_account_id
    head = (
        "Partner Party Ref,Partner Transaction Ref,Transaction Id,Instrument Type,Fiat Transaction Type,"
        "Transaction Status,Amount\n"
    )
    rows = [
        f"{ref},{made['right'].reference},a1,ACH,DEPOSIT,COMPLETE,400.00",
        f"{ref},{made['right'].reference},a2,ACH,DEPOSIT,COMPLETE,400.00",
        f"{ref},{made['amount'].reference},a3,ACH,DEPOSIT,COMPLETE,200.00",
        f"{ref},,a4,WIRE,DEPOSIT,COMPLETE,5000.00",
        "nobody,,a5,WIRE,DEPOSIT,COMPLETE,5.00",
        f"{ref},{made['state'].reference},a6,ACH,DEPOSIT,IN_LIMBO,300.00",
    ]

    def check(text: str, kind: str = "activity") -> MoneyRun:
        raw = text.encode()
        return files.file_check(
            actor=boss, kind=kind, since=today - timedelta(days=1), until=today + timedelta(days=1),
            file=io.BytesIO(raw), size=len(raw), name="activity.csv", source="page",
        )  # fmt: skip

    bad = check(head + "\n".join([*rows, f"{ref},,,ACH,DEPOSIT,COMPLETE,lots", ",x,,ACH,DEPOSIT,COMPLETE,1"]))
    assert (bad.expected, bad.refused, [row for row, _ in bad.errors]) == (8, 2, [7, 8])
    with pytest.raises(Conflict, match="Mend"):
        runs.compare(actor=boss, run_id=bad.pk, source="page")
    with pytest.raises(Invalid, match="missing"):
        check("a,b\n1,2\n")
    run = runs.compare(actor=boss, run_id=check(head + "\n".join(rows)).pk, source="page")
    with later(60 * 48):
        finish()
    run.refresh_from_db()
    # What was adjusted to begin with is ours and not in this file either.
    assert (run.status, run.compared) == ("finished", 6)
    assert waiting() == Counter({"missing_here": 2, "amount": 1, "state": 1, "twice": 1, "missing_there": 2})
    balances = check(f'Partner Party Ref,Unsettled Amount,Settled Amount\n{ref},0,"1,234.00"\n', "balances")
    runs.compare(actor=boss, run_id=balances.pk, source="page")
    with later(60 * 48):
        finish()
    assert item("balance").their_minor == 123_400
