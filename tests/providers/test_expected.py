"""Answers that must come: met, recovered, late, and one notice when a provider falls silent."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine

from portal import clock
from portal.ids import new_id
from portal.models import AuditEntry, User
from providers import expected
from providers.models import ExpectedEvent, ProviderOutage

pytestmark = pytest.mark.django_db
State = ExpectedEvent.State
KIND = "test.answer"
Move = Callable[[timedelta], None]


class Provider:
    """What reading a late answer's record comes to, and which were read."""

    def __init__(self) -> None:
        self.answers = True
        self.broken: set[UUID] = set()
        self.read: list[UUID] = []

    def recover(self, subject_id: UUID) -> bool:
        self.read.append(subject_id)
        if subject_id in self.broken:
            raise KeyError(subject_id)
        return self.answers


@pytest.fixture
def provider() -> Iterator[Provider]:
    one = Provider()
    expected.register(KIND, one.recover)
    yield one
    del expected._recoverers[KIND]


@pytest.fixture
def move() -> Iterator[Move]:
    with time_machine.travel(clock.now(), tick=False) as moving:
        yield moving.shift


def person() -> User:
    """A subject that is never saved: expectations name their subjects by type and id."""
    return User(pk=new_id())


def waiting(count: int, provider: str = "bakkt", minutes: int = 10) -> list[User]:
    people = [person() for _ in range(count)]
    for one in people:
        expected.expect(one, KIND, provider=provider, due_in=timedelta(minutes=minutes))
    return people


def states() -> list[str]:
    return list(ExpectedEvent.objects.order_by("pk").values_list("state", flat=True))


def test_before_it_is_due_nothing_is_read(provider: Provider, move: Move) -> None:
    waiting(1)
    move(timedelta(minutes=9))
    assert expected.sweep() == 0
    assert (states(), provider.read) == ([State.WAITING], [])


@pytest.mark.parametrize(("settle", "state"), [("met", State.MET), ("recovered", State.RECOVERED)])
def test_an_answer_settles_it(provider: Provider, move: Move, settle: str, state: str) -> None:
    (one,) = waiting(1)
    getattr(expected, settle)(one, KIND)
    found = ExpectedEvent.objects.get()
    assert (found.state, found.settled_at) == (state, clock.now())
    move(timedelta(days=1))
    expected.sweep()
    assert not provider.read


def test_a_late_answer_is_read_ever_less_often_until_it_is_settled(provider: Provider, move: Move) -> None:
    (one,) = waiting(1)
    move(timedelta(minutes=11))
    assert expected.sweep() == 1
    assert expected.sweep() == 0
    assert states() == [State.LATE]
    move(timedelta(minutes=5))
    assert expected.sweep() == 1
    move(timedelta(minutes=5))
    assert expected.sweep() == 0
    move(timedelta(minutes=5))
    assert expected.sweep() == 1
    expected.recovered(one, KIND)
    move(timedelta(days=2))
    assert expected.sweep() == 0
    assert states() == [State.RECOVERED]


def test_expecting_again_gives_the_open_one_new_time(provider: Provider, move: Move) -> None:
    (one,) = waiting(1)
    move(timedelta(minutes=11))
    expected.sweep()
    expected.expect(one, KIND, provider="bakkt", due_in=timedelta(minutes=10))
    found = ExpectedEvent.objects.get()
    assert (found.state, found.looks) == (State.WAITING, 0)
    expected.met(one, KIND)
    expected.expect(one, KIND, provider="bakkt", due_in=timedelta(minutes=10))
    assert states() == [State.MET, State.WAITING]


def test_what_nothing_can_read_is_late_all_the_same(move: Move) -> None:
    expected.expect(person(), "test.unreadable", provider="bakkt", due_in=timedelta(minutes=1))
    move(timedelta(minutes=2))
    expected.sweep()
    assert states() == [State.LATE]
    assert not expected.outages()


def test_one_row_that_cannot_be_read_keeps_no_other_waiting(provider: Provider, move: Move) -> None:
    people = waiting(6)
    provider.broken = {people[0].pk, people[3].pk}
    move(timedelta(minutes=11))
    assert expected.sweep() == 6
    assert len(provider.read) == 6
    assert not expected.outages()


def test_our_own_fault_is_no_outage_of_the_provider(provider: Provider, move: Move) -> None:
    provider.broken = {one.pk for one in waiting(6)}
    move(timedelta(minutes=11))
    expected.sweep()
    assert states() == [State.LATE] * 6
    assert not expected.outages()


# --- Outages ------------------------------------------------------------------------------------------------


def test_many_late_at_a_silent_provider_are_one_notice(provider: Provider, move: Move) -> None:
    provider.answers = False
    waiting(6)
    move(timedelta(minutes=11))
    expected.sweep()
    move(timedelta(minutes=6))
    expected.sweep()
    (notice,) = expected.outages()
    assert (notice.provider, notice.late_count) == ("bakkt", 6)
    assert AuditEntry.objects.filter(action="provider.outage").count() == 1


def test_a_few_late_are_no_outage(provider: Provider, move: Move) -> None:
    provider.answers = False
    waiting(4)
    move(timedelta(minutes=11))
    expected.sweep()
    assert not expected.outages()


@pytest.mark.parametrize(("met", "late", "outage"), [(11, 5, True), (14, 6, False)])
def test_only_more_than_a_share_of_what_was_due_is_an_outage(
    provider: Provider, move: Move, met: int, late: int, outage: bool
) -> None:
    provider.answers = False
    for one in waiting(met):
        expected.met(one, KIND)
    waiting(late)
    move(timedelta(minutes=11))
    expected.sweep()
    assert bool(expected.outages()) is outage


def test_slow_reviews_at_a_provider_that_answers_are_no_outage(provider: Provider, move: Move) -> None:
    waiting(20)
    move(timedelta(minutes=11))
    expected.sweep()
    assert states() == [State.LATE] * 20
    assert not expected.outages()


def test_one_provider_s_silence_is_not_another_s(provider: Provider, move: Move) -> None:
    provider.answers = False
    waiting(6, "bakkt")
    waiting(2, "plaid")
    move(timedelta(minutes=11))
    expected.sweep()
    assert [notice.provider for notice in expected.outages()] == ["bakkt"]


def test_during_an_outage_only_a_few_are_probed(provider: Provider, move: Move) -> None:
    provider.answers = False
    waiting(40)
    move(timedelta(minutes=11))
    expected.sweep()
    provider.read.clear()
    move(timedelta(minutes=6))
    expected.sweep()
    assert len(provider.read) == expected.PROBES


def test_the_first_answer_ends_it_and_all_that_waited_is_read(provider: Provider, move: Move) -> None:
    provider.answers = False
    people = waiting(40)
    for _ in range(6):
        move(timedelta(minutes=40))
        expected.sweep()
    assert expected.outages()
    provider.answers = True
    move(timedelta(hours=6))
    expected.sweep()
    assert not expected.outages()
    notice = ProviderOutage.objects.get()
    assert notice.ended_at == clock.now()
    assert AuditEntry.objects.filter(action="provider.outage_end").count() == 1
    provider.read.clear()
    expected.sweep()
    assert set(provider.read) == {one.pk for one in people}


def test_it_ends_when_the_answers_came_by_themselves(provider: Provider, move: Move) -> None:
    provider.answers = False
    people = waiting(6)
    move(timedelta(minutes=11))
    expected.sweep()
    assert expected.outages()
    for one in people:
        expected.met(one, KIND)
    expected.sweep()
    assert not expected.outages()


def test_a_second_silence_is_a_second_notice(provider: Provider, move: Move) -> None:
    for _ in range(2):
        provider.answers = False
        waiting(6)
        move(timedelta(minutes=11))
        expected.sweep()
        assert len(expected.outages()) == 1
        provider.answers = True
        move(timedelta(minutes=30))
        expected.sweep()
        assert not expected.outages()
    assert ProviderOutage.objects.count() == 2
