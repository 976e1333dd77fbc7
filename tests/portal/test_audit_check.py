"""The check of the whole trail in the background: in stretches, once at a time, and loud when something is wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from portal import audit, audit_check, audit_walk, clock, gauges, tasks
from portal.errors import Conflict, Forbidden
from portal.models import AuditCheck, AuditEntry, MailMessage, Role, StatusChange, User
from tests.people import make_staff
from tests.portal.test_audit_seals import tampering

pytestmark = pytest.mark.django_db
Status = AuditCheck.Status


@pytest.fixture
def long_trail(db: None, monkeypatch: pytest.MonkeyPatch) -> list[AuditEntry]:
    """Five seals of two entries, walked two entries at a time, two stretches a task."""
    monkeypatch.setattr(audit_walk, "STRETCH_ENTRIES", 2)
    monkeypatch.setattr(audit_check, "STRETCHES", 2)
    while audit.seal_pending():
        pass
    made = []
    for _ in range(5):
        made += [audit.record("thing.done", subject=None, after={"n": n}) for n in range(2)]
        audit.seal_pending()
    return made


def finish(check: AuditCheck) -> AuditCheck:
    """Run the steps a worker would; answers the row as it is then."""
    for _ in range(20):
        audit_check.check_step(check.pk)
        check.refresh_from_db()
        if check.status != Status.RUNNING:
            return check
    raise AssertionError("it never ended")


def test_a_whole_trail_is_walked_stretch_by_stretch(long_trail: list[AuditEntry]) -> None:
    check = audit_check.check_start(actor=make_staff(Role.AUDITOR))
    audit_check.check_step(check.pk)
    check.refresh_from_db()
    assert (check.status, check.entries, check.seq) == (Status.RUNNING, 4, check.until - 3)
    done = finish(check)
    assert (done.status, done.entries, done.seq, done.problems) == (Status.WHOLE, 10, done.until, [])
    assert (gauges._check_problems(), gauges._check_age()["audit"] >= 0) == ({"audit": 0.0}, True)
    assert StatusChange.objects.filter(subject_id=check.pk, new=Status.WHOLE).exists()


def test_what_is_wrong_is_named_and_administrators_hear_of_it(long_trail: list[AuditEntry]) -> None:
    admin = make_staff(Role.ADMINISTRATOR)
    make_staff(Role.COMPLIANCE_ANALYST)
    first, last = long_trail[1], long_trail[-1]
    with tampering() as cursor:
        cursor.execute("UPDATE portal_auditentry SET reason = 'nothing' WHERE id = %s", [first.pk])
        cursor.execute("DELETE FROM portal_auditentry WHERE id = %s", [last.pk])
    with time_machine.travel(clock.now() - timedelta(hours=1)):
        slipped_in = audit.record("thing.slipped", subject=None)
    done = finish(audit_check.check_start(actor=None))
    assert (done.status, done.problem_count) == (Status.BROKEN, 3)
    for entry in (first, last, slipped_in):
        assert sum(str(entry.pk) in problem for problem in done.problems) == 1
    letter = MailMessage.objects.get().content.reveal()
    assert letter["to"] == [admin.email]
    assert str(first.pk) in letter["text"]
    assert gauges._check_problems() == {"audit": 3.0}


def test_one_runs_at_a_time_and_a_dead_workers_is_taken_up(long_trail: list[AuditEntry]) -> None:
    check = audit_check.check_start(actor=make_staff(Role.ADMINISTRATOR))
    with pytest.raises(Conflict):
        audit_check.check_start(actor=None)
    tasks.audit_check_nightly()
    AuditCheck.objects.update(lease_until=clock.now() + audit_check.LEASE)
    audit_check.check_step(check.pk)
    check.refresh_from_db()
    assert (check.entries, audit_check.checks_left()) == (0, [])
    with time_machine.travel(clock.now() + audit_check.LEASE + timedelta(seconds=1)):
        assert audit_check.checks_left() == [check.pk]
        tasks.audit_check_sweep()
    check.refresh_from_db()
    assert check.entries == 4


def test_the_page_begins_one_and_shows_how_far_it_is(
    long_trail: list[AuditEntry], signed_in: Callable[[User], Client]
) -> None:
    client, page = signed_in(make_staff(Role.AUDITOR)), reverse("audit:checks")
    assert "Not checked yet" in client.get(page).content.decode()
    assert client.post(page)["Location"] == page
    assert client.post(page).status_code == 409
    check = AuditCheck.objects.get()
    audit_check.check_step(check.pk)
    assert "4 entries looked at" in client.get(page).content.decode()
    assert "HX-Refresh" not in client.get(reverse("audit:check_progress"))
    finish(check)
    assert client.get(reverse("audit:check_progress"))["HX-Refresh"] == "true"
    assert "The trail is whole" in client.get(page).content.decode()
    with pytest.raises(Forbidden):
        audit_check.check_start(actor=make_staff(Role.COMPLIANCE_ANALYST))
