"""Calls to a failing host are held back for everyone, then probed by one."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from prometheus_client import REGISTRY

from portal import clock
from providers.circuits import SharedCircuits
from providers.errors import CircuitOpen, OutcomeUnknown, Rejected
from providers.http import Admission, Call, Transport
from providers.http.circuit import COOL_DOWN, LONGEST, PROBE_LEASE, THRESHOLD, WINDOW
from providers.models import CallLog, HostCircuit
from tests.providers.talker import Talker, answer, reset

Make = Callable[..., Transport]


def post(talker: Talker, transport: Transport) -> Any:
    call = Call(operation="test.write", method="POST", base_url=talker.url, template="/thing", json={})
    return transport.call(call, lambda body: body)


@pytest.fixture
def broken(db: None, talker: Talker, make_transport: Make) -> Transport:
    """A transport whose host has just failed often enough."""
    transport = make_transport()
    talker.then("/thing", reset)
    for _ in range(THRESHOLD):
        with pytest.raises(OutcomeUnknown):
            post(talker, transport)
    return transport


@pytest.fixture
def traveller() -> Iterator[Callable[[timedelta], None]]:
    """Moves the clock on."""
    with time_machine.travel(clock.now(), tick=True) as moving:
        yield moving.shift


@pytest.mark.django_db
def test_the_circuit_opens_for_every_transport(
    talker: Talker, make_transport: Make, broken: Transport
) -> None:
    held_before = REGISTRY.get_sample_value("portal_provider_held_back_total", {"host": talker.url[7:]}) or 0
    other = make_transport()
    with pytest.raises(CircuitOpen) as caught:
        post(talker, other)
    assert 0 < (caught.value.retry_after or 0) <= COOL_DOWN.total_seconds()
    assert talker.times("/thing") == THRESHOLD
    assert CallLog.objects.count() == THRESHOLD
    held = REGISTRY.get_sample_value("portal_provider_held_back_total", {"host": talker.url[7:]})
    assert held == held_before + 1


@pytest.mark.django_db
def test_a_good_probe_closes_it(
    talker: Talker, make_transport: Make, traveller: Callable[[timedelta], None], broken: Transport
) -> None:
    traveller(COOL_DOWN + timedelta(seconds=1))
    talker.then("/thing", answer(200, {"b": 1}))
    assert post(talker, make_transport()) == {"b": 1}
    row = HostCircuit.objects.get()
    assert (row.open_until, row.failures, row.failed_probes, row.probe_until) == (None, 0, 0, None)
    assert post(talker, broken) == {"b": 1}


@pytest.mark.django_db
def test_a_refusal_is_a_sign_of_life(
    talker: Talker, traveller: Callable[[timedelta], None], broken: Transport
) -> None:
    traveller(COOL_DOWN + timedelta(seconds=1))
    talker.then("/thing", answer(422, {}))
    with pytest.raises(Rejected):
        post(talker, broken)
    assert HostCircuit.objects.get().open_until is None


@pytest.mark.django_db
def test_a_failed_probe_keeps_it_open_for_longer(
    talker: Talker, traveller: Callable[[timedelta], None], broken: Transport
) -> None:
    waits = []
    for _ in range(6):
        row = HostCircuit.objects.get()
        assert row.open_until is not None
        traveller(row.open_until - clock.now() + timedelta(seconds=1))
        sent = talker.times("/thing")
        with pytest.raises(OutcomeUnknown):
            post(talker, broken)
        assert talker.times("/thing") == sent + 1
        with pytest.raises(CircuitOpen) as caught:
            post(talker, broken)
        waits.append(round((caught.value.retry_after or 0) / COOL_DOWN.total_seconds()))
    assert waits == [2, 4, 8, 16, 20, 20]
    assert LONGEST == 20 * COOL_DOWN


@pytest.mark.django_db
def test_one_caller_probes_and_a_lost_probe_is_given_up(
    talker: Talker, traveller: Callable[[timedelta], None], broken: Transport
) -> None:
    traveller(COOL_DOWN + timedelta(seconds=1))
    circuits = SharedCircuits()
    host = talker.url[7:]
    assert circuits.admit(host).probe
    with pytest.raises(CircuitOpen):
        circuits.admit(host)
    traveller(PROBE_LEASE + timedelta(seconds=1))
    assert circuits.admit(host).probe


@pytest.mark.django_db(transaction=True)
def test_of_many_callers_at_once_one_probes(
    talker: Talker, traveller: Callable[[timedelta], None], broken: Transport
) -> None:
    traveller(COOL_DOWN + timedelta(seconds=1))
    admitted: list[bool] = []
    ready = threading.Barrier(6)

    def ask() -> None:
        ready.wait()
        try:
            admitted.append(SharedCircuits().admit(talker.url[7:]).probe)
        except CircuitOpen:
            admitted.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(admitted) == [False] * 5 + [True]


@pytest.mark.django_db
def test_only_failures_in_a_row_count(talker: Talker, make_transport: Make) -> None:
    transport = make_transport()
    talker.then("/thing", *([reset] * (THRESHOLD - 1)), answer(200, {}), reset)
    for _ in range(THRESHOLD - 1):
        with pytest.raises(OutcomeUnknown):
            post(talker, transport)
    post(talker, transport)
    with pytest.raises(OutcomeUnknown) as caught:
        post(talker, transport)
    assert not isinstance(caught.value, CircuitOpen)
    assert HostCircuit.objects.get().failures == 1


@pytest.mark.django_db
def test_only_failures_close_together_count(traveller: Callable[[timedelta], None]) -> None:
    circuits = SharedCircuits()
    for _ in range(THRESHOLD + 2):
        circuits.failed(Admission("slow.example"))
        traveller(WINDOW + timedelta(seconds=1))
    circuits.admit("slow.example")


@pytest.mark.django_db
def test_failures_of_calls_under_way_do_not_lengthen_it(broken: Transport, talker: Talker) -> None:
    before = HostCircuit.objects.get().open_until
    SharedCircuits().failed(Admission(talker.url[7:]))
    SharedCircuits().succeeded(Admission(talker.url[7:], failures=3))
    assert HostCircuit.objects.get().open_until == before


@pytest.mark.django_db
def test_hosts_do_not_share_a_circuit(broken: Transport, talker: Talker) -> None:
    assert not SharedCircuits().admit("other.example").probe


@pytest.mark.django_db
def test_when_the_database_cannot_say_calls_go_through(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, {"b": 1}))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE providers_hostcircuit RENAME TO away")
        cursor.execute("ALTER TABLE providers_calllog RENAME TO away_too")
    assert post(talker, make_transport()) == {"b": 1}
    talker.then("/thing", reset)
    with pytest.raises(OutcomeUnknown):
        post(talker, make_transport())
