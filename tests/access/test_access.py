"""Every address and method, for every role, against the one table.

What is not declared there fails, and so does what is answered otherwise.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from pytest_django import DjangoDbBlocker

from portal.models import Role
from portal.permissions import TABLE as ROLES
from portal.permissions import WORDS
from portal.ui.drawing import forget_all
from tests.access.table import ALLAUTH, AUDITOR_MAY_SEND, BY_LINK, TABLE
from tests.access.walk import address, answer, patterns
from tests.access.world import build
from tests.people import sign_in

pytestmark = pytest.mark.django_db
NOBODY = "nobody"
#: Refused, and how: not signed in, not allowed, not to be known of.
REFUSED = {401, 403, 404}
#: What an address says to a method it does not know; resumable uploads ask for their version first.
UNKNOWN_METHOD = {403, 404, 405, 412}


class _Undone(Exception):
    """Takes the world back."""


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[dict[str, Client], dict[str, Any]]]:
    """A client of each role, signed in once, and the things that addresses name; taken back after the module."""
    with django_db_blocker.unblock():
        try:
            with transaction.atomic():
                users, things = build()
                clients = {role: sign_in(Client(), user) for role, user in users.items()}
                yield clients | {NOBODY: Client()}, things
                raise _Undone
        except _Undone:
            pass


@pytest.fixture(autouse=True)
def _only_the_answer(monkeypatch: pytest.MonkeyPatch, world: Any) -> Iterator[None]:
    """Pages are drawn in their own tests, and two thousand requests need no log."""
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    # What was kept is as empty as what was drawn.
    forget_all()


def allowed(role: str, word: str) -> bool:
    """Whether the table's word lets the role in."""
    if word == "public" or (word == "signed in" and role != NOBODY):
        return True
    if word == "staff":
        return role not in {NOBODY, Role.CUSTOMER}
    if word == "customer":
        return role == Role.CUSTOMER
    return any(one in ROLES.get(role, frozenset()) for one in word.split("|"))


def test_every_address_is_declared() -> None:
    found = {name for name, _ in patterns() if not name.startswith((*ALLAUTH, "^"))}
    lacking = "\n".join(sorted(found - set(TABLE)))
    assert not lacking, f"not in tests/access/table.py, add who may do what there:\n{lacking}"
    assert not set(TABLE) - found, f"declared, and not there: {set(TABLE) - found}"
    known = set().union(*ROLES.values()) | {"public", "staff", "customer", "signed in"}
    words = {one for methods in TABLE.values() for word in methods.values() for one in word.split("|")}
    assert not words - known
    assert set().union(*ROLES.values()) == set(WORDS), (
        "each permission word has plain words, and no other has"
    )


def _one(clients: dict[str, Client]) -> dict[str, Client]:
    """What is open to anybody is asked for by nobody and by one who is signed in."""
    return {Role.CUSTOMER: clients[Role.CUSTOMER]}


def test_every_role_is_answered_as_the_table_says(world: tuple[dict[str, Client], dict[str, Any]]) -> None:
    clients, things = world
    wrong = []
    for name, pattern in patterns():
        for method, word in TABLE.get(name, {}).items():
            path = address(name, pattern, things)
            asked = clients if word != "public" else {NOBODY: clients[NOBODY], **_one(clients)}
            for role, client in asked.items():
                status = answer(client, method, path)
                if allowed(role, word):
                    fits = status not in REFUSED | {405} and status < 500
                    fits = fits or (status == 404 and name in BY_LINK)
                else:
                    fits = status in REFUSED
                if not fits:
                    wrong.append(f"{name} {method} as {role} ({word}): {status}")
    assert not wrong, "\n".join(wrong)


def test_what_is_not_declared_is_not_taken(world: tuple[dict[str, Client], dict[str, Any]]) -> None:
    clients, things = world
    wrong = []
    for name, pattern in patterns():
        words = " ".join(TABLE.get(name, {"": "public"}).values())
        if "public" in words:
            continue  # Such an address changes nothing, whatever is asked of it.
        role = Role.CUSTOMER if words.startswith("customer") else Role.COMPLIANCE_MANAGER
        role = Role.ADMINISTRATOR if name.startswith(("users:", "identity_staff:delivery")) else role
        path = address(name, pattern, things)
        for method in {"GET", "POST", "DELETE"} - set(TABLE[name]):
            status = answer(clients[role], method, path)
            if status not in UNKNOWN_METHOD:
                wrong.append(f"{name} {method}: {status}")
    assert not wrong, "\n".join(wrong)


def test_an_auditor_sends_nothing_that_changes_anything(
    world: tuple[dict[str, Client], dict[str, Any]],
) -> None:
    clients, things = world
    wrong = []
    for name, pattern in patterns():
        path = address(name, pattern, things)
        if not path.startswith("/staff/") or name in AUDITOR_MAY_SEND:
            continue
        for method in ("POST", "DELETE"):
            status = answer(clients[Role.AUDITOR], method, path)
            if status not in {403, 404, 405}:
                wrong.append(f"{name} {method}: {status}")
    assert not wrong, "\n".join(wrong)
