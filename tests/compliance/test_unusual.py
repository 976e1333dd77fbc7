"""Unusual reveals: each way to be unusual, what stands behind a line, and the weekly letter, written once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from compliance import unusual
from portal import audit
from portal.errors import Forbidden
from portal.ids import new_id
from portal.models import MailMessage, Reveal, RevealDigest, User

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
#: A Wednesday; 15:00 UTC is ten in the morning in New York.
WEDNESDAY = datetime(2026, 3, 4, 15, tzinfo=UTC)
MONDAY = unusual.monday(WEDNESDAY.date())


def revealed(actor: User, at: datetime = WEDNESDAY, times: int = 1, **how: Any) -> None:
    given: dict[str, Any] = {"had_task": True, "reason": "Compared a letter"} | how
    Reveal.objects.bulk_create(
        Reveal(
            actor=actor,
            field="onboarding.owner.tax_id",
            row_id=new_id(),
            subject_type="onboarding.application",
            subject_id=new_id(),
            subject_label="PA-TEST",
            at=at,
            until=at + timedelta(minutes=10),
            **given,
        )
        for _ in range(times)
    )


def lines(week: Any = MONDAY) -> dict[tuple[str, str], int]:
    return {(line.actor.name, line.kind.code): line.count for line in unusual.lines_of(week)[1]}


def test_each_way_to_be_unusual(staff: Staff) -> None:
    usual, odd, busy = staff("compliance_analyst"), staff("compliance_manager"), staff("auditor")
    revealed(usual, times=3)
    revealed(busy, times=unusual.MANY_IN_A_WEEK + 1)
    revealed(odd, had_task=False, reason="Curious")
    revealed(odd, relation="colleague")
    revealed(odd, relation="self", times=2)
    revealed(odd, WEDNESDAY.replace(hour=4))  # eleven at night in New York
    revealed(odd, WEDNESDAY + timedelta(days=3))  # a Saturday
    revealed(odd, WEDNESDAY - timedelta(days=7), had_task=False)  # another week
    with time_machine.travel(WEDNESDAY):
        audit.record("pii.reveal_refused", subject=None, actor=odd, reason="More")
    assert lines() == {
        (odd.name, "no_task"): 1,
        (odd.name, "colleague"): 1,
        (odd.name, "self"): 2,
        (odd.name, "off_hours"): 2,
        (odd.name, "limit"): 1,
        (busy.name, "many"): unusual.MANY_IN_A_WEEK + 1,
    }
    assert lines(MONDAY - unusual.WEEK) == {(odd.name, "no_task"): 1}


def test_managers_are_told_once_without_names(staff: Staff) -> None:
    manager, odd = staff("compliance_manager"), staff("compliance_analyst")
    staff("auditor")
    revealed(odd, had_task=False, reason="Curious")
    with time_machine.travel(WEDNESDAY):
        digest = unusual.digest()
        assert digest is not None and digest.reveals == 0  # last week, not this one
    MailMessage.objects.all().delete()
    with time_machine.travel(WEDNESDAY + timedelta(days=7)):
        digest = unusual.digest()
        assert digest is not None and (digest.reveals, digest.unusual) == (1, 1)
        assert unusual.digest() is None and RevealDigest.objects.count() == 2
    letter = MailMessage.objects.get().content.reveal()
    assert letter["to"] == [manager.email]
    assert "no case or task of theirs: 1" in letter["text"] and "?week=2026-03-02" in letter["text"]
    assert odd.name not in letter["text"] and "Curious" not in letter["text"]


def test_a_line_opens_the_reveals_behind_it(
    staff: Staff, signed_in: SignIn, customer_user: User, django_assert_max_num_queries: Any
) -> None:
    odd = staff("compliance_analyst")
    revealed(odd, had_task=False, reason="Curious about it", times=30)
    revealed(odd, reason="Compared a letter")
    page = reverse("cases:reveals")
    week = {"week": "2026-03-04"}  # any day of it
    line = reverse("cases:reveals_behind", args=[odd.pk, "no_task"])
    for role in ("compliance_manager", "auditor"):
        client = signed_in(staff(role))
        shown = client.get(page, week).content.decode()
        assert f"{line}?week=2026-03-02" in shown and "30" in shown
        with django_assert_max_num_queries(14):
            behind = client.get(line, week).content.decode()
        assert behind.count("Curious about it") == 25 and "Compared a letter" not in behind
        assert "after=" in behind
        assert client.get(page, {"week": "9999-99-99"}).status_code == 200
        assert client.get(page, {"week": "9999-12-31"}).status_code == 200
        assert client.get(page, {"week": "0001-01-01"}).status_code == 200
        assert client.get(line, {"week": "x", "after": "x"}).status_code == 200
    assert client.get(reverse("cases:reveals_behind", args=[odd.pk, "all"])).status_code == 404
    assert client.get(reverse("cases:reveals_behind", args=[new_id(), "no_task"])).status_code == 404
    for user in (staff("compliance_analyst"), staff("administrator"), customer_user):
        assert signed_in(user).get(page).status_code == 403
        assert signed_in(user).get(line).status_code == 403
    with pytest.raises(Forbidden):
        unusual.week_for(odd, MONDAY)
