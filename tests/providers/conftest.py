"""Fixtures of the client tests: a provider on a socket and transports that give up soon."""

from collections.abc import Callable, Iterator

import pytest

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.types import CryptoCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.http import Timeouts, Transport
from providers.tokens import SharedTokens
from tests.providers import talker as talking

QUICK = Timeouts(connect=0.5, read=0.3, total=0.8)


@pytest.fixture
def talker() -> Iterator[talking.Talker]:
    one, server = talking.start()
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture
def make_transport() -> Callable[..., Transport]:
    def make(**options: object) -> Transport:
        values = {"timeouts": QUICK, "longest_wait": 0.05} | options
        return Transport(circuits=SharedCircuits(), recorder=CallLogRecorder(), **values)  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_client(
    talker: talking.Talker, make_transport: Callable[..., Transport]
) -> Callable[..., CryptoClient]:
    """A crypto client of the talker; `url` for another address."""
    talker.then("/apex-crypto/api/v2/login", talking.answer(body={"token": "T0KEN-ONE"}))

    def make(url: str = "", **options: object) -> CryptoClient:
        return CryptoClient(
            base_url=url or talker.url,
            credentials=CryptoCredentials("portal_ptr", "hunter2-password"),
            transport=make_transport(**options),
            tokens=SharedTokens(),
        )

    return make


@pytest.fixture
def client_of(make_client: Callable[..., CryptoClient]) -> CryptoClient:
    return make_client()
