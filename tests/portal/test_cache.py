"""The cache while Redis does not answer: the table stands in, and nobody waits."""

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from portal import cache as portal_cache
from portal.cache import PAUSE_SECONDS, RedisOrTableCache

OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}
TABLE = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "portal_cache"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(portal_cache, "_away_until", 0.0)
    settings.CACHES = {**settings.CACHES, "table": TABLE}


@pytest.fixture(params=["silent", "refused"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Redis that takes connections and says nothing, or one that takes none."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "silent":
            listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


def test_the_table_stands_in_and_only_the_first_look_up_waits(address: str) -> None:
    cache = RedisOrTableCache(address, {"OPTIONS": OPTIONS})
    assert cache.add("count", 1, 60) is True
    began = time.monotonic()
    assert cache.incr("count") == 2
    assert (cache.get("count"), cache.has_key("count"), cache.add("count", 9, 60)) == (2, True, False)
    cache.set_many({"a": 1, "b": 2}, 60)
    assert cache.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cache.touch("a", 60) is True
    cache.delete_many(["a", "b"])
    assert cache.delete("count") is True
    assert cache.get_or_set("other", 5, 60) == 5
    cache.clear()
    assert cache.get("other") is None
    # Ten look-ups at a fifth of a second each would be two seconds.
    assert time.monotonic() - began < 1


def test_redis_is_asked_again_after_a_pause(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = RedisOrTableCache(address, {"OPTIONS": OPTIONS})
    assert cache.get("anything") is None
    away_until = portal_cache._away_until
    assert 0 < away_until - time.monotonic() <= PAUSE_SECONDS
    monkeypatch.setattr(portal_cache, "_away_until", time.monotonic())
    assert cache.get("anything") is None
    assert portal_cache._away_until > time.monotonic()
