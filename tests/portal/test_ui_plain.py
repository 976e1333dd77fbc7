"""What the audit trail keeps as JSON is printed in plain words."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal import audit
from portal.models import User
from portal.ui.plain import changes_in_words, in_words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (["crypto-user-agreement 2026-01", "e-sign 1"], "crypto-user-agreement 2026-01, e-sign 1"),
        ([], "nothing"),
        (["tax_id", "date_of_birth"], "tax id, date of birth"),
        (None, "nothing"),
        ("", "nothing"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (12, "12"),
        ("2026-11-03", "Nov 3, 2026"),
        ("2026-11-03 19:05:00+00:00", "Nov 3, 2026, 2:05 PM EST"),
        ("2026-11-03T19:05:00.123456+00:00", "Nov 3, 2026, 2:05 PM EST"),
        ("2026-99-03", "2026-99-03"),
        ("liquidate_only", "liquidate only"),
        ("ACTIVE ENROLLMENT", "ACTIVE ENROLLMENT"),
        ("•••-••-1234", "•••-••-1234"),
        ({"owner": ["a", "b"], "is_open": True}, "Owner: a, b, Is open: yes"),
    ],
)
def test_values_in_words(value: Any, said: str) -> None:
    assert in_words(value) == said


def test_changes_say_what_became_of_each_value() -> None:
    before = {"status": "pending", "kept": 1, "gone": "x"}
    after = {"status": "under_review", "kept": 1, "accepted": ["a 1", "b 2"], "version": "2026-01-02"}
    assert changes_in_words(before, after) == [
        "Status: pending → under review",
        "Gone: x → nothing",
        "Accepted: a 1, b 2",
        "Version: 2026-01-02",
    ]
    assert changes_in_words(None, None) == []


@pytest.mark.django_db
def test_the_audit_page_prints_no_code(
    staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    auditor = staff("auditor")
    audit.record(
        "application.step",
        subject=None,
        actor=auditor,
        before={"status": "in_review", "open": True},
        after={
            "status": "approved",
            "open": None,
            "accepted": ["user-agreement 1", "e-sign 1"],
            "by": {"a": 1},
        },
    )
    text = signed_in(auditor).get(reverse("audit:list")).content.decode()
    for line in (
        "Status: in review → approved",
        "Open: yes → nothing",
        "Accepted: user-agreement 1, e-sign 1",
    ):
        assert line in text
    for code in ("[&#x27;", "{&#x27;", "None", "True", json.dumps(["user-agreement 1", "e-sign 1"])):
        assert code not in text
