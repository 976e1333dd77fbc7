"""Processing: once, whole or not at all; what fails stays visible; a replay does what was shown."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.db import connection, connections, transaction

from portal import clock
from portal.context import acting
from portal.errors import Conflict, Forbidden, IllegalMove, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, StatusChange, User
from providers import inbox, intake
from providers.inbox import Verdict
from providers.models import InboundEvent
from tests.faults.way import wait_for
from tests.providers.inbox_support import Renamer, fresh, handling, stored

pytestmark = pytest.mark.django_db
Status = InboundEvent.Status


@pytest.fixture
def renamer() -> Iterator[Renamer]:
    handler = Renamer()
    with handling(handler):
        yield handler


def renaming(user: User, name: str = "Renamed") -> InboundEvent:
    return stored({"ref": user.email, "name": name, "requestId": "r-1"})


def name_of(user: User) -> str:
    return User.objects.get(pk=user.pk).name


# --- Outcomes -----------------------------------------------------------------------------------------------


def test_it_is_applied_and_says_what_it_did(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user)
    assert inbox.process_due() == 1
    event = fresh(event)
    assert (event.status, event.kind, event.party_ref) == (Status.PROCESSED, "RENAME", customer_user.email)
    assert (event.provider_request_id, event.outcome) == ("r-1", "Name: Ana Ortiz → Renamed.")
    assert (event.subject_type, event.subject_id) == ("portal.user", customer_user.pk)
    assert event.processed_at
    assert not inbox.due_ids()
    assert StatusChange.objects.get(subject_id=event.pk).new == Status.PROCESSED


def test_what_is_known_already_has_no_effect(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user, customer_user.name)
    inbox.process_due()
    assert fresh(event).status == Status.IGNORED
    assert renamer.applied == 0


def test_an_event_about_nobody_waits_for_a_person_and_can_be_replayed(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    event = stored({"ref": "later@example.test", "name": "Renamed"})
    inbox.process_due()
    assert fresh(event).status == Status.QUARANTINED
    User.objects.filter(pk=customer_user.pk).update(email="later@example.test")
    inbox.replay(actor=staff("administrator"), event_id=event.pk, reason="the account exists now")
    inbox.process_due()
    assert (fresh(event).status, name_of(customer_user)) == (Status.PROCESSED, "Renamed")


def test_a_provider_nobody_handles_is_quarantined() -> None:
    intake.store(provider="nobody", body=b"{}", headers={}, source_ip="")
    inbox.process_due()
    assert InboundEvent.objects.get().status == Status.QUARANTINED


def test_a_settled_event_is_not_processed_again(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user)
    inbox.process_due()
    inbox.process(event.pk)
    inbox.process(new_id())
    assert renamer.applied == 1


# --- Failures -----------------------------------------------------------------------------------------------


def fail() -> None:
    raise ZeroDivisionError("Ana Ortiz, 912-34-5678")


def test_a_failure_changes_nothing_is_tried_again_and_then_left_for_a_person(
    renamer: Renamer, customer_user: User
) -> None:
    renamer.on_apply = fail
    event = renaming(customer_user)
    waits = []
    with time_machine.travel(clock.now(), tick=False) as moving:
        for _ in range(inbox.MOST_ATTEMPTS):
            assert inbox.process_due() == 1
            found = fresh(event)
            assert found.outcome.startswith("Processing failed: ZeroDivisionError.")
            assert "Ana" not in found.outcome
            if found.next_attempt_at:
                waits.append((found.next_attempt_at - clock.now()).total_seconds())
                assert inbox.process_due() == 0
                moving.move_to(found.next_attempt_at)
    assert waits == [10, 30, 90, 270]
    assert (fresh(event).status, fresh(event).attempts) == (Status.FAILED, 5)
    assert name_of(customer_user) == "Ana Ortiz"
    assert "912-34-5678" not in "".join(StatusChange.objects.values_list("reason", flat=True))


def test_a_failed_event_is_replayed_when_the_fault_is_mended(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    renamer.on_apply = fail
    event = renaming(customer_user)
    with time_machine.travel(clock.now(), tick=False) as moving:
        for _ in range(inbox.MOST_ATTEMPTS):
            inbox.process_due()
            moving.shift(timedelta(hours=1))
        assert inbox.preview(fresh(event)).verdict == Verdict.FAIL
        renamer.on_apply = lambda: None
        inbox.replay(actor=staff("funding_operator"), event_id=event.pk, reason="mended")
        inbox.process_due()
    assert (fresh(event).status, fresh(event).attempts) == (Status.PROCESSED, 1)
    assert name_of(customer_user) == "Renamed"


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_midway_leaves_nothing_half_done_and_the_event_is_due_again(
    renamer: Renamer, customer_user: User
) -> None:
    event = renaming(customer_user)
    renamer.on_apply = lambda: os.kill(os.getpid(), signal.SIGKILL)
    connections.close_all()
    child = os.fork()
    if child == 0:
        inbox.process_due()
        os._exit(0)
    _, how = os.waitpid(child, 0)
    assert os.WTERMSIG(how) == signal.SIGKILL
    assert (fresh(event).status, name_of(customer_user)) == (Status.RECEIVED, "Ana Ortiz")
    renamer.on_apply = lambda: None
    # What kills its worker does not hold up what comes behind it.
    behind = renaming(customer_user, name="Behind")
    assert inbox.process_due() == 1
    assert (fresh(behind).status, fresh(event).status) == (Status.PROCESSED, Status.RECEIVED)
    with time_machine.travel(clock.now() + inbox.TAKEN_FOR + timedelta(seconds=1)):
        assert inbox.process_due() == 1
    assert (fresh(event).status, name_of(customer_user)) == (Status.PROCESSED, "Renamed")


def a_statement_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None


@pytest.mark.django_db(transaction=True)
def test_a_worker_waits_for_a_repeat_that_is_being_counted(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user)
    counting, go_on = threading.Event(), threading.Event()

    def count_a_repeat() -> None:
        with transaction.atomic():
            InboundEvent.objects.select_for_update().get(pk=event.pk)
            counting.set()
            go_on.wait(20)
        connections.close_all()

    repeat = threading.Thread(target=count_a_repeat)
    repeat.start()
    assert counting.wait(20)
    worker = threading.Thread(target=lambda: (inbox.process(event.pk, taken=True), connections.close_all()))
    worker.start()
    wait_for(a_statement_waits_for_a_lock)
    inbox.process(event.pk)  # Who did not take it does not wait.
    assert fresh(event).status == Status.RECEIVED
    go_on.set()
    repeat.join(20)
    worker.join(20)
    assert fresh(event).status == Status.PROCESSED


def test_what_an_event_causes_bears_the_id_of_the_request_that_brought_it(
    renamer: Renamer, customer_user: User
) -> None:
    with acting(request_id="req-7"):
        event = renaming(customer_user)
    with acting(request_id="task-1"):
        inbox.process_due()
    assert StatusChange.objects.get(subject_id=event.pk).request_id == "req-7"


@pytest.mark.django_db(transaction=True)
def test_an_event_in_another_workers_hands_is_left_alone(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user)
    applying, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        applying.set()
        go_on.wait(20)

    def work() -> None:
        inbox.process(event.pk)
        connections.close_all()

    renamer.on_apply = hold
    worker = threading.Thread(target=work)
    worker.start()
    assert applying.wait(20)
    inbox.process(event.pk)
    assert name_of(customer_user) == "Ana Ortiz"
    go_on.set()
    worker.join(20)
    assert (renamer.applied, fresh(event).status) == (1, Status.PROCESSED)


# --- Replay -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new"), list(product(Status.values, Status.values)))
def test_every_move(old: str, new: str) -> None:
    event = stored(b"{}", status=old)
    settled = set(Status.values) - {Status.RECEIVED}
    allowed = new in settled if old == Status.RECEIVED else new == Status.RECEIVED
    if allowed:
        event.move_to(new, actor=None, source="test")
        assert fresh(event).status == new
    else:
        with pytest.raises(IllegalMove):
            event.move_to(new, actor=None, source="test")
        assert fresh(event).status == old


def test_a_preview_changes_nothing(renamer: Renamer, customer_user: User) -> None:
    event = renaming(customer_user)
    entries = AuditEntry.objects.count()
    plan = inbox.preview(event)
    assert (plan.verdict, plan.lines) == (Verdict.APPLY, ["Name: Ana Ortiz → Renamed."])
    assert (fresh(event).status, name_of(customer_user)) == (Status.RECEIVED, "Ana Ortiz")
    assert AuditEntry.objects.count() == entries


def test_a_replay_is_audited_with_what_was_shown(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    event = renaming(customer_user)
    inbox.process_due()
    actor = staff("compliance_manager")
    seen = inbox.preview(fresh(event)).fingerprint
    inbox.replay(actor=actor, event_id=event.pk, reason="the customer asks", seen=seen)
    entry = AuditEntry.objects.get(action="webhook.replay")
    assert (entry.actor, entry.reason, entry.after) == (
        actor,
        "the customer asks",
        {"shown": "Stale, no effect."},
    )
    inbox.process_due()
    assert fresh(event).status == Status.IGNORED


def test_a_replay_whose_effect_changed_since_it_was_shown_is_refused(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    event = renaming(customer_user)
    inbox.process_due()
    seen = inbox.preview(fresh(event)).fingerprint
    User.objects.filter(pk=customer_user.pk).update(name="Somebody Else")
    with pytest.raises(Conflict, match="different by now"):
        inbox.replay(actor=staff("administrator"), event_id=event.pk, reason="checking", seen=seen)
    assert fresh(event).status == Status.PROCESSED
    assert not AuditEntry.objects.filter(action="webhook.replay").exists()


@pytest.mark.parametrize("role", ["customer", "onboarding_agent", "compliance_analyst", "auditor"])
def test_who_may_not_replay(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User], role: str
) -> None:
    event = renaming(customer_user)
    inbox.process_due()
    actor = customer_user if role == "customer" else staff(role)
    with pytest.raises(Forbidden):
        inbox.replay(actor=actor, event_id=event.pk, reason="checking")
    with pytest.raises(Forbidden):
        inbox.replay_many(actor=actor, chosen=[(event.pk, "")], reason="checking")
    assert fresh(event).status == Status.PROCESSED


def test_a_waiting_or_unknown_event_is_not_replayed(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    actor = staff("administrator")
    event = renaming(customer_user)
    with pytest.raises(Conflict, match="still waiting"):
        inbox.replay(actor=actor, event_id=event.pk, reason="checking")
    with pytest.raises(NotFound):
        inbox.replay(actor=actor, event_id=new_id(), reason="checking")


def test_a_replay_of_many_says_what_came_of_each(
    renamer: Renamer, customer_user: User, staff: Callable[[str], User]
) -> None:
    good = renaming(customer_user)
    unknown = stored({"ref": "nobody@example.test", "name": "X"})
    changed = stored({"ref": customer_user.email, "name": "Third"})
    InboundEvent.objects.update(status=Status.FAILED, next_attempt_at=None)
    chosen = [
        (good.pk, inbox.preview(fresh(good)).fingerprint),
        (unknown.pk, inbox.preview(fresh(unknown)).fingerprint),
        (changed.pk, "something else"),
        (new_id(), ""),
    ]
    results = inbox.replay_many(actor=staff("administrator"), chosen=chosen, reason="after the fix")
    said = [(row.event.pk, row.event.status, row.queued) for row in results]
    assert said == [
        (good.pk, Status.PROCESSED, True),
        (unknown.pk, Status.QUARANTINED, True),
        (changed.pk, Status.FAILED, False),
    ]
    assert "different by now" in results[2].line
    assert name_of(customer_user) == "Renamed"
