"""The caller's address: read only as far as our own proxies wrote it, and never anything but an address."""

from typing import Any

import pytest
from django.test import RequestFactory

from portal.middleware import client_ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "unknown", ""),
        (1, "x" * 500, ""),
        (2, "203.0.113.9", "127.0.0.1"),
    ],
)
def test_what_is_taken_for_the_callers_address(
    settings: Any, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", headers={"X-Forwarded-For": forwarded})
    assert client_ip(request) == expected
