"""The addresses of rows. Django looks each up among all patterns anew; these are looked up once for all rows."""

from functools import lru_cache
from uuid import UUID, uuid4

from django.conf import settings
from django.urls import get_script_prefix, reverse

#: Stands for a row's key where an address, or what is drawn of a row, is kept for all of them (portal/ui/drawing.py).
KEY = uuid4()
_KEY = str(KEY)


def address(name: str, key: UUID, *before: str) -> str:
    """`reverse(name, args=[*before, key])`."""
    return _pattern(name, before, settings.ROOT_URLCONF, get_script_prefix()).replace(_KEY, str(key))


@lru_cache(maxsize=512)
def _pattern(name: str, before: tuple[str, ...], urlconf: object, prefix: str) -> str:
    # All that `reverse` depends on is in the key.
    return reverse(name, args=[*before, KEY])
