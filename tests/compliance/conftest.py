"""The made-up kind, and cases of it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from compliance import kinds, services
from compliance.models import Case
from portal.models import User
from tests.compliance.kinds import KIND, PARROT, Seen, seen


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


@pytest.fixture
def effects() -> Seen:
    """What the effects of this test did."""
    seen.effects.clear()
    seen.locks.clear()
    return seen


def subject_of(user: User, label: str = "Polly Parrot") -> services.Subject:
    return services.Subject.of(user, label=label)


def a_subject(label: str = "Polly Parrot") -> services.Subject:
    return services.Subject("tests.parrot", uuid4(), label)


def opened(subject: services.Subject | None = None, **how: Any) -> Case:
    """A case of the made-up kind."""
    given: dict[str, Any] = {
        "title": "It said nothing for a day",
        "facts": {"days": 1},
        "source": "webhook",
        "dedupe": str(uuid4()),
    }
    return services.case_open(kind=KIND, subject=subject or a_subject(), **{**given, **how})


def ready(actor: User, subject: services.Subject | None = None, **how: Any) -> Case:
    """A case that the actor works on, its checklist done."""
    case = opened(subject, **how)
    services.case_assign(actor=actor, case_id=case.pk, to=actor)
    return services.case_check(actor=actor, case_id=case.pk, done={"looked", "spoke"})
