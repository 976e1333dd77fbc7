"""Fixtures every test may use: people, the sandbox over a socket, and the drain that stands for the workers."""

import gc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django import conf
from django.test import Client, TransactionTestCase
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from portal import doorbell
from portal.ids import new_id
from portal.models import Role, User
from providers import clients
from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.database import empty_tables
from tests.people import make_customer_user, make_staff, sign_in
from tests.sandboxed import point_at

#: Few tests that take long: begun last, one of their files would keep one process busy and the others waiting.
LONG = ("tests/access/", "tests/e2e/", "tests/run/")
#: So are these, and they measure time: not first either, while the gate has something else running.
FAULTS, BEFORE_FAULTS = "tests/faults/", "tests/onboarding/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, every test has a name of its own, and what a browser did not do it is asked once more.

    A browser on a busy machine loses a click now and then. The second go is told as one (`R`), and is for these
    tests alone: elsewhere a test that fails now and then has found something.

    Of two tests with one name, processes that share the tests would run one; Schemathesis gives all operations of
    a test the test's own name.
    """
    for item in items:
        if label := getattr(item, "operation_label", None):
            item._id = item.id.with_params(label)
    doubled = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if doubled:
        raise pytest.UsageError(f"tests with the name of another: {', '.join(doubled)}")
    for item in items:
        if item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: _when(item, sizes[item.path]))


def _when(item: pytest.Item, size: int) -> tuple[object, ...]:
    if item.nodeid.startswith(LONG):
        # By name: what waits for processes then runs beside what drives a browser.
        return (0, item.path.name, item.nodeid.partition("::")[0])
    part = 1 if item.nodeid.startswith(BEFORE_FAULTS) else 2 if item.nodeid.startswith(FAULTS) else 3
    return (part, -size, item.nodeid.partition("::")[0])


def pytest_collection_finish() -> None:
    """What was imported stays; looking through it for rubbish again and again would find none."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Transactional tests end with the tables emptied our way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield


@pytest.fixture
def customer_user(db: None) -> User:
    """A signed-up customer with a verified e-mail."""
    return make_customer_user()


@pytest.fixture
def staff(db: None) -> Callable[[str], User]:
    """Makes a staff member in a role, second factor enrolled."""
    return make_staff


@pytest.fixture
def signed_in(db: None) -> Callable[[User], Client]:
    """A test client signed in as the user."""

    return lambda user: sign_in(Client(), user)


@pytest.fixture
def roles() -> Iterator[list[str]]:
    """Every role there is."""
    yield list(Role.values)


@pytest.fixture(autouse=True)
def _mail_is_rows(settings: Settings) -> None:
    """Django's test runner swaps the mail backend for a list; ours writes rows, and that is what we test."""
    settings.EMAIL_BACKEND = "portal.mail.RowBackend"


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Settings) -> None:
    """Argon2 is slow on purpose, which helps nobody where every test makes its own people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache(settings: Settings) -> None:
    """No test meets the rate limits, tokens or circuits that another one left, whatever holds the cache."""
    prefix = {"KEY_PREFIX": str(new_id())}
    settings.CACHES = {name: {**cache, **prefix} for name, cache in settings.CACHES.items()}


@pytest.fixture(scope="session")
def _box(live_server: LiveServer, django_db_setup: None) -> Iterator[SandboxProcess]:
    address = f"{live_server.url}/webhooks/bakkt/{conf.settings.BAKKT_WEBHOOK_SECRET}/"
    # A delay that never passes by itself: tests say when outcomes come, and none of them sleeps.
    with testing.start(address, webhook_delay=500) as box:
        yield box


@pytest.fixture
def box(_box: SandboxProcess, transactional_db: None, settings: Settings) -> Iterator[SandboxProcess]:
    """The sandbox, empty, with the portal pointed at it. Rows are committed: other threads must see them."""
    _box.api("POST", "reset")
    point_at(settings, _box.url)
    # People sign up by the dozen here, and a slow hash is not what is tried.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    doorbell._silent_until = 0.0
    yield _box
    # Answers that hang are let go and messages on their way end before the tables are emptied.
    _box.api("DELETE", "faults")
    _box.api("POST", "reset")
    for cached in (clients._crypto, clients._partner, clients._fiat, clients._plaid, clients._transport):
        cached.cache_clear()
