"""The forms of a case's page as they are sent: what is wrong stands there once, and is kept for nobody else."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from compliance.models import Case
from portal.models import User
from tests.compliance.conftest import ready

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]


def url(name: str, case: Case) -> str:
    return reverse(f"cases:{name}", args=[case.pk])


@pytest.mark.parametrize(
    ("name", "data", "kept"),
    [
        ("note", {"note-text": "Ünlikely words " * 300}, "Ünlikely words"),
        ("decide", {"decide-decision": "stun", "decide-text": "Ünlikely words"}, "Ünlikely words"),
        ("wait", {"wait-until": "1999-01-01"}, "1999-01-01"),
        ("hold", {"hold-until": "1999-01-01"}, "1999-01-01"),
        ("escalate", {"escalate-reason": ""}, None),
    ],
)
def test_a_form_that_was_sent_stands_there_once_and_on_no_other_page(
    staff: Staff, signed_in: SignIn, name: str, data: dict[str, str], kept: str | None
) -> None:
    analyst = staff("compliance_analyst")
    client = signed_in(analyst)
    case, other = ready(analyst), ready(analyst)
    answer = client.post(url(name, case), {"decide-version": case.version} | data)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count(f'action="{url(name, case)}"') == 1
    assert page.count("data-error-summary") == 1
    assert kept is None or kept in page
    again = client.post(url(name, other), {"decide-version": other.version}).content.decode()
    assert kept is None or kept not in again
    assert str(case.pk) not in again
