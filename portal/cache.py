"""The cache in Redis, with the database's table behind it while Redis is away.

The cache holds rate limits. Without them nobody could be let in, and a limit that does not hold while Redis is away
would invite whoever can make it go away; so the counting goes on in the table, and starts anew there.
"""

import time
from typing import Any

import structlog
from django.core.cache import BaseCache, caches
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisAway
from redis.exceptions import TimeoutError as RedisSilent

log = structlog.get_logger(__name__)

#: The alias of the cache that stands in.
TABLE = "table"
#: So long this process asks the table alone after Redis failed it.
PAUSE_SECONDS = 5.0

_away_until = 0.0


class RedisOrTableCache(RedisCache):
    """Django's Redis cache; what Redis does not answer, the cache named TABLE does."""

    def _ask(self, name: str, *args: Any, **kwargs: Any) -> Any:
        global _away_until
        if time.monotonic() >= _away_until:
            try:
                return getattr(super(), name)(*args, **kwargs)
            except (RedisAway, RedisSilent) as error:
                _away_until = time.monotonic() + PAUSE_SECONDS
                log.error("cache_away", error=type(error).__name__, pause_seconds=PAUSE_SECONDS)
        table: BaseCache = caches[TABLE]
        return getattr(table, name)(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("add", *args, **kwargs)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set", *args, **kwargs)

    def touch(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("touch", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete", *args, **kwargs)

    def get_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get_many", *args, **kwargs)

    def has_key(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("has_key", *args, **kwargs)

    def incr(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("incr", *args, **kwargs)

    def set_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("set_many", *args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("delete_many", *args, **kwargs)

    def clear(self) -> Any:
        return self._ask("clear")
