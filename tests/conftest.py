"""Fixtures every test may use: people, the sandbox over a socket, and the drain that stands for the workers."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from portal.ids import new_id
from portal.models import Role, User
from tests.people import make_customer_user, make_staff, sign_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test has a name of its own: of two with one name, processes that share the tests would run one.

    Schemathesis gives all operations of a test the test's own name.
    """
    for item in items:
        if label := getattr(item, "operation_label", None):
            item._id = item.id.with_params(label)
    doubled = [name for name, times in Counter(item.nodeid for item in items).items() if times > 1]
    if doubled:
        raise pytest.UsageError(f"tests with the name of another: {', '.join(doubled)}")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Transactional tests flush by TRUNCATE, which the append-only tables refuse everywhere but here."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in (
            "portal_auditentry",
            "portal_auditseal",
            "portal_auditsealedentry",
            "portal_statuschange",
            "compliance_casefact",
            "compliance_casenote",
            "compliance_casedecision",
        ):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER append_only_table")


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
