"""Every way of changing the trail is found and named by audit_verify."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from portal import audit, audit_seals, clock
from portal.models import AuditEntry, AuditSeal, AuditSealedEntry

pytestmark = pytest.mark.django_db
TABLES = ("portal_auditentry", "portal_auditseal", "portal_auditsealedentry")


def note(count: int = 1, **values: Any) -> list[AuditEntry]:
    return [audit.record("thing.done", subject=None, after={"n": n}, **values) for n in range(count)]


@contextmanager
def tampering() -> Iterator[Any]:
    """A person with the database owner's rights, who takes the triggers off first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no table is altered with checks pending on it
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only_rows")
        yield cursor
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only_rows")


@pytest.fixture
def sealed_trail() -> list[AuditEntry]:
    """Three seals over two entries each."""
    entries: list[AuditEntry] = []
    for _ in range(3):
        entries += note(2)
        assert audit.seal_pending() == 2
    assert audit.verify() == []
    return entries


def texts() -> str:
    return "\n".join(problem.text for problem in audit.verify())


def test_sealing_takes_each_entry_once_and_chains() -> None:
    note(3)
    assert (audit.seal_pending(), audit.seal_pending()) == (3, 0)
    note(1)
    assert audit.seal_pending() == 1
    first, second = AuditSeal.objects.order_by("seq")
    assert (first.count, second.count) == (3, 1)
    assert second.previous_digest == first.digest
    assert audit.verify() == []


def test_an_entry_that_commits_late_is_sealed_by_the_next_run() -> None:
    with time_machine.travel(clock.now() - timedelta(minutes=5), tick=False):
        late_moment = clock.now()
    note(1)
    audit.seal_pending()
    with time_machine.travel(late_moment, tick=False):
        note(1)
    assert audit.seal_pending() == 1
    assert audit.verify() == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE portal_auditentry SET reason = 'nothing' WHERE id = %s", "was edited after seal 2"),
        ("UPDATE portal_auditentry SET at = at + interval '1 second' WHERE id = %s", "was edited"),
        ("UPDATE portal_auditentry SET after = '{}' WHERE id = %s", "was edited"),
        ("DELETE FROM portal_auditentry WHERE id = %s", "of seal 2 was removed"),
    ],
)
def test_a_changed_entry_is_named(sealed_trail: list[AuditEntry], statement: str, said: str) -> None:
    victim = sealed_trail[2]
    with tampering() as cursor:
        cursor.execute(statement, [victim.pk])
    assert [problem.entry for problem in audit.verify()] == [victim.pk]
    assert said in texts()
    assert str(victim.pk) in texts()


def test_an_edit_with_its_listed_digest_forged_breaks_the_seal(sealed_trail: list[AuditEntry]) -> None:
    victim = sealed_trail[2]
    with tampering() as cursor:
        cursor.execute("UPDATE portal_auditentry SET reason = 'nothing' WHERE id = %s", [victim.pk])
        victim.refresh_from_db()
        cursor.execute(
            "UPDATE portal_auditsealedentry SET digest = %s WHERE entry_id = %s",
            [audit_seals.entry_digest(victim), victim.pk],
        )
    assert "Seal 2 does not match its list" in texts()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda cursor: (
                cursor.execute("DELETE FROM portal_auditsealedentry WHERE seal_id = 2"),
                cursor.execute("DELETE FROM portal_auditseal WHERE seq = 2"),
            ),
            "Seals 2 to 2 are missing",
        ),
        (
            lambda cursor: cursor.execute(
                "UPDATE portal_auditsealedentry SET position = 7 - position WHERE seal_id = 2"
            ),
            "Seal 2 covers 2 entries",
        ),
        (
            lambda cursor: (
                cursor.execute("UPDATE portal_auditsealedentry SET position = position + 10 WHERE seal_id=2"),
                cursor.execute("UPDATE portal_auditsealedentry SET position = 11 - position WHERE seal_id=2"),
            ),
            "Seal 2 does not match its list",
        ),
        (
            lambda cursor: cursor.execute("UPDATE portal_auditseal SET previous_digest = '' WHERE seq = 2"),
            "Seal 2 does not follow",
        ),
        (
            lambda cursor: cursor.execute(
                "UPDATE portal_auditseal SET digest = repeat('0', 64) WHERE seq = 2"
            ),
            "Seal 3 does not follow",
        ),
        (
            lambda cursor: cursor.execute(
                "DELETE FROM portal_auditsealedentry WHERE seal_id = 2 AND position = 1"
            ),
            "Seal 2 covers 2 entries; 1 are listed",
        ),
    ],
)
def test_a_changed_seal_is_named(
    sealed_trail: list[AuditEntry], change: Callable[[Any], object], said: str
) -> None:
    with tampering() as cursor:
        change(cursor)
    assert said in texts()


def test_an_entry_added_to_the_past_is_named(sealed_trail: list[AuditEntry]) -> None:
    with time_machine.travel(clock.now() - timedelta(days=3), tick=False):
        forged = note(1)[0]
    assert audit.seal_pending() == 0  # Too old for the sealer to take it as a late commit.
    assert [problem.entry for problem in audit.verify()] == [forged.pk]
    assert "was never sealed" in texts()


def test_an_entry_back_dated_a_little_is_named_once_sealed(sealed_trail: list[AuditEntry]) -> None:
    with time_machine.travel(clock.now() - timedelta(hours=2), tick=False):
        forged = note(1)[0]
    audit.seal_pending()
    assert [problem.entry for problem in audit.verify()] == [forged.pk]
    assert "added later than the moment it bears" in texts()


def test_a_sealer_that_was_down_raises_no_alarm_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(clock.now() - timedelta(hours=9), tick=False):
        note(1)
        audit.seal_pending()
    for hours in (8, 5, 1):
        with time_machine.travel(clock.now() - timedelta(hours=hours), tick=False):
            note(2)
    assert "was never sealed" in texts()
    monkeypatch.setattr(audit_seals, "BATCH", 2)
    assert [audit.seal_pending() for _ in range(4)] == [2, 2, 2, 0]
    assert audit.verify() == []


def test_cutting_off_the_newest_shows_against_a_kept_seal(sealed_trail: list[AuditEntry]) -> None:
    kept = AuditSeal.objects.get(seq=3)
    anchor = f"{kept.seq}:{kept.digest}"
    assert verify_command("--anchor", anchor).endswith(f"Last seal: {anchor}\n")
    with tampering() as cursor:
        cursor.execute("DELETE FROM portal_auditsealedentry WHERE seal_id = 3")
        cursor.execute("DELETE FROM portal_auditseal WHERE seq = 3")
        cursor.execute(
            "DELETE FROM portal_auditentry WHERE id = ANY(%s)", [[entry.pk for entry in sealed_trail[4:]]]
        )
    assert audit.verify() == []
    with pytest.raises(CommandError, match="1 problems"):
        verify_command("--anchor", anchor)


def verify_command(*arguments: str) -> str:
    out = StringIO()
    call_command("audit_verify", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_fails_on_a_broken_trail(sealed_trail: list[AuditEntry]) -> None:
    assert "The audit trail holds." in verify_command()
    with tampering() as cursor:
        cursor.execute("UPDATE portal_auditentry SET action = 'other' WHERE id = %s", [sealed_trail[0].pk])
    with pytest.raises(CommandError, match="does not hold: 1 problems"):
        verify_command()


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_each_entry_once() -> None:
    note(5)
    counts: list[int] = []
    inside, done = threading.Event(), threading.Event()

    def second() -> None:
        try:
            inside.wait(10)
            counts.append(audit.seal_pending())
        finally:
            done.set()
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        counts.append(audit.seal_pending())
        inside.set()
        assert done.wait(10)
    thread.join(10)
    assert sorted(counts) == [0, 5]
    assert AuditSealedEntry.objects.count() == 5
    assert audit.verify() == []
