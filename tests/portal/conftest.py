"""A clock that gives one-time codes time to be typed."""

import time
from collections.abc import Iterator

import pytest
import time_machine

PERIOD = 30


@pytest.fixture(autouse=True)
def _early_in_the_period(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests of second factors begin just after a code's period did, so that it does not end in between."""
    if "test_auth" not in request.node.nodeid:
        yield
        return
    with time_machine.travel(time.time() // PERIOD * PERIOD + 1):
        yield
