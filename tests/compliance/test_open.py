"""Opening: one open case per subject and kind, events that add, and repeats that add nothing."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction

from compliance import kinds, services
from compliance.models import Case, CaseFact
from portal import clock
from portal.models import AuditEntry, User
from portal.sealed_value import Codec, Sealed
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.kinds import KIND
from tests.people import make_staff

pytestmark = pytest.mark.django_db


def test_a_first_event_opens_a_case() -> None:
    subject = a_subject()
    case = opened(subject, facts={"days": 1})
    assert case.reference.startswith("CS-")
    assert (case.status, case.priority, case.version) == ("open", Case.Priority.NORMAL, 1)
    assert (case.subject_type, case.subject_id, case.subject_label) == (
        subject.type,
        subject.id,
        subject.label,
    )
    assert case.due_at == case.opened_at + timedelta(days=2)
    fact = case.facts.get()
    assert (fact.title, fact.evidence, fact.source) == ("It said nothing for a day", {"days": 1}, "webhook")
    assert AuditEntry.objects.filter(action="case.opened", subject_id=case.pk).count() == 1


def test_another_event_adds_and_a_repeat_adds_nothing() -> None:
    subject = a_subject()
    case = opened(subject, dedupe="day 1")
    again = opened(subject, dedupe="day 2", priority=Case.Priority.HIGH)
    assert (again.pk, again.version, again.priority) == (case.pk, 2, Case.Priority.HIGH)
    assert case.facts.count() == 2
    repeated = opened(subject, dedupe="day 2")
    assert (repeated.pk, repeated.version) == (case.pk, 2)
    assert case.facts.count() == 2
    assert opened(subject, dedupe="day 3", priority=Case.Priority.LOW).priority == Case.Priority.HIGH


def test_a_repeat_after_the_decision_adds_nothing_and_a_new_event_opens_another(
    staff: Callable[[str], User],
) -> None:
    subject, analyst = a_subject(), staff("compliance_analyst")
    case = ready(analyst, subject, dedupe="day 1")
    services.case_decide(
        actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
    )
    assert opened(subject, dedupe="day 1").pk == case.pk
    assert Case.objects.count() == 1
    assert opened(subject, dedupe="day 2").pk != case.pk


def test_other_subjects_and_kinds_have_their_own() -> None:
    subject = a_subject()
    first = opened(subject, dedupe="same")
    assert opened(a_subject(), dedupe="same").pk != first.pk
    kinds.register(kinds.CaseKind(name="tests.other", title="Other", purpose="", decisions=()))
    try:
        other = services.case_open(
            kind="tests.other", subject=subject, title="x", facts={}, source="page", dedupe="same"
        )
    finally:
        kinds._kinds.pop("tests.other")
    assert other.pk != first.pk


def test_evidence_is_masked() -> None:
    case = opened(
        facts={
            "tax_id": "536-22-1234",
            "note": "SSN 536-22-1234\x00 of ana@example.test",
            "sealed": Sealed(Codec("text", "last4"), plain=b"536221234"),
            "list": [1, True, None, {"phone": "+15125550142"}],
        }
    )
    stored = str(CaseFact.objects.get(case=case).evidence)
    for secret in ("536", "ana@", "+1512"):
        assert secret not in stored


def test_what_is_missing_is_refused_loudly() -> None:
    with pytest.raises(ValueError, match="registered"):
        services.case_open(
            kind="tests.nobody", subject=a_subject(), title="", facts={}, source="", dedupe="x"
        )
    with pytest.raises(ValueError, match="dedupe"):
        opened(dedupe="")
    with pytest.raises(ValueError, match="already"):
        kinds.register(kinds.CaseKind(name=KIND, title="", purpose="", decisions=()))
    twice = (kinds.Decision("a", "A"), kinds.Decision("a", "B"))
    with pytest.raises(ValueError, match="share"):
        kinds.register(kinds.CaseKind(name="tests.twice", title="", purpose="", decisions=twice))


def test_it_goes_with_the_transaction_of_what_was_noticed() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        opened()
        raise RuntimeError
    assert not Case.objects.exists()


@pytest.mark.parametrize("model", ["facts", "notes", "decisions"])
def test_what_happened_cannot_be_edited(model: str, staff: Callable[[str], User]) -> None:
    analyst = staff("compliance_analyst")
    case = ready(analyst)
    services.case_note(actor=analyst, case_id=case.pk, text="It is resting.")
    case.refresh_from_db()
    services.case_decide(
        actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
    )
    rows = getattr(case, model)
    # Past Django's own look at what refers to them.
    for change in (lambda: rows.update(at=clock.now()), lambda: rows.all()._raw_delete(rows.db)):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def together(*calls: Callable[[], Any]) -> list[Any]:
    """What each call answered or raised, all started at the same moment on connections of their own."""
    barrier, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place: int, call: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            results[place] = call()
        except Exception as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def waits_for_us() -> None:
    """Until another connection to this database waits for a lock."""
    with connection.cursor() as cursor:
        for _ in range(20_000):
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waited.")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_open_one_case() -> None:
    subject = a_subject()
    cases = together(*(lambda day=day: opened(subject, dedupe=f"day {day % 4}") for day in range(8)))
    assert {case.pk for case in cases} == {Case.objects.get().pk}
    assert sorted(CaseFact.objects.values_list("dedupe", flat=True)) == [
        f"{KIND}:{subject.type}:{subject.id}:day {day}" for day in range(4)
    ]


@pytest.mark.django_db(transaction=True)
def test_the_second_opener_waits_for_the_first_and_adds_to_its_case() -> None:
    """Interposed: the second has found no case when the first, not yet committed, has written one."""
    subject, found = a_subject(), []
    other = threading.Thread(target=lambda: found.append(opened(subject, dedupe="b")) or connection.close())
    with transaction.atomic():
        first = opened(subject, dedupe="a")
        other.start()
        waits_for_us()
    other.join(30)
    assert [case.pk for case in found] == [first.pk]
    assert first.facts.count() == 2


@pytest.mark.django_db(transaction=True)
def test_what_comes_while_a_case_is_decided_opens_another() -> None:
    """Interposed: the fact finds the case open, and the decision is committed before it is added."""
    subject, analyst, found = a_subject(), make_staff(), []
    case = ready(analyst, subject)
    other = threading.Thread(target=lambda: found.append(opened(subject)) or connection.close())
    with transaction.atomic():
        services.case_decide(
            actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
        )
        other.start()
        waits_for_us()
    other.join(30)
    (newer,) = found
    assert (newer.pk != case.pk, newer.status, case.facts.count()) == (True, "open", 1)


def test_a_new_fact_brings_a_waiting_case_back(staff: Callable[[str], User]) -> None:
    subject, analyst = a_subject(), staff("compliance_analyst")
    case = ready(analyst, subject)
    due = case.due_at
    assert due
    services.case_wait(
        actor=analyst,
        case_id=case.pk,
        on="customer",
        until=clock.now() + timedelta(days=9),
        reason="Asked for a photo",
    )
    with time_machine.travel(clock.now() + timedelta(days=3)):
        back = opened(subject)
    assert (back.status, back.waiting_until, back.assignee_id) == ("in_progress", None, analyst.pk)
    assert back.due_at
    assert abs(back.due_at - due - timedelta(days=3)) < timedelta(minutes=1)


def test_what_settles_itself_closes(staff: Callable[[str], User]) -> None:
    subject, analyst = a_subject(), staff("compliance_analyst")
    case = ready(analyst, subject)
    settled = services.case_settle(
        kind=KIND, subject=subject, reason="It spoke again", source="reconciliation"
    )
    assert settled
    assert (settled.pk, settled.status) == (case.pk, "closed")
    assert not settled.decisions.exists()
    assert services.case_settle(kind=KIND, subject=subject, reason="", source="webhook") is None


def test_a_fact_may_leave_the_ball_with_others(staff: Callable[[str], User]) -> None:
    subject = a_subject()
    day = clock.now() + timedelta(days=4)
    case = opened(subject, rests=services.Rest("provider", day))
    assert (case.status, case.waiting_until, case.due_at) == ("waiting_provider", day, None)
    # The next one says whom it waits on now; one that says nothing brings it back.
    opened(subject, rests=services.Rest("customer", day))
    case.refresh_from_db()
    assert case.status == "waiting_customer"
    opened(subject)
    case.refresh_from_db()
    assert (case.status, case.waiting_until) == ("open", None)
    assert case.due_at is not None
    # Whoever works on it goes on working.
    analyst = staff("compliance_analyst")
    services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    opened(subject, rests=services.Rest("provider", day))
    case.refresh_from_db()
    assert (case.status, case.facts.count()) == ("in_progress", 4)
