"""Waking once for many: at once for the first, once for all who ask meanwhile, and nobody is forgotten."""

import os
import threading
import time
from queue import Empty, SimpleQueue

import pytest

from portal import waker
from portal.waker import Waker

#: Far longer than anything takes here; reached only by a test that fails.
SOON = 20.0


class Broker:
    """Takes messages; each `send` waits until the test lets it through."""

    def __init__(self) -> None:
        self.arriving: SimpleQueue[None] = SimpleQueue()
        self.let_through = threading.Semaphore(0)
        self.taken: SimpleQueue[None] = SimpleQueue()

    def send(self) -> None:
        self.arriving.put(None)
        assert self.let_through.acquire(timeout=SOON)
        self.taken.put(None)


def none_follows(queue: "SimpleQueue[None]", seconds: float = 0.2) -> bool:
    try:
        queue.get(timeout=seconds)
    except Empty:
        return True
    return False


def test_a_lone_wake_is_sent_at_once_and_once() -> None:
    taken: SimpleQueue[None] = SimpleQueue()
    Waker(lambda: taken.put(None), pause=0.01).wake()
    taken.get(timeout=SOON)
    assert none_follows(taken)


def test_who_asks_while_a_message_is_on_its_way_is_told_of_by_one_more() -> None:
    broker = Broker()
    shared = Waker(broker.send, pause=0.01)
    shared.wake()
    broker.arriving.get(timeout=SOON)
    began = time.monotonic()
    for _ in range(50):
        shared.wake()
    # Nobody who asks waits for the broker, which has not taken the first message yet.
    assert time.monotonic() - began < SOON / 2
    assert broker.taken.empty()
    broker.let_through.release()
    broker.taken.get(timeout=SOON)
    # The worker that the first message woke may have looked already: there is a second, and no third.
    broker.arriving.get(timeout=SOON)
    broker.let_through.release()
    assert none_follows(broker.arriving)


def test_within_the_pause_many_are_one_message() -> None:
    taken: SimpleQueue[float] = SimpleQueue()
    shared = Waker(lambda: taken.put(time.monotonic()), pause=0.3)
    shared.wake()
    first = taken.get(timeout=SOON)
    for _ in range(50):
        shared.wake()
    assert taken.get(timeout=SOON) - first >= 0.3
    with pytest.raises(Empty):
        taken.get(timeout=0.5)


def test_a_refusal_is_survived_and_the_broker_left_alone_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waker, "REFUSED_PAUSE_SECONDS", 0.3)
    tries: SimpleQueue[float] = SimpleQueue()

    def refuse() -> None:
        tries.put(time.monotonic())
        raise ConnectionError("redis://portal:hush@broker")

    shared = Waker(refuse, pause=0.01)
    shared.wake()
    first = tries.get(timeout=SOON)
    shared.wake()
    assert tries.get(timeout=SOON) - first >= 0.3


def test_a_forked_process_wakes_by_itself() -> None:
    reading, writing = os.pipe()
    taken: SimpleQueue[None] = SimpleQueue()

    def send() -> None:
        os.write(writing, b"%d " % os.getpid())
        taken.put(None)

    shared = Waker(send, pause=0.01)
    shared.wake()
    taken.get(timeout=SOON)
    child = os.fork()
    if child == 0:
        shared.wake()
        taken.get(timeout=SOON)
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    assert os.read(reading, 100) == b"%d %d " % (os.getpid(), child)
