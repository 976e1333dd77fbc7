"""Putting a case on hold: ours, until a day or something new, with its clock running on."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from compliance import jobs, services, standing
from compliance.models import Case
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import StatusChange, User
from tests.compliance.conftest import a_subject, opened, ready

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def held(analyst: User, case: Case, days: int = 3) -> Case:
    until = clock.now() + timedelta(days=days)
    return services.case_hold(actor=analyst, case_id=case.pk, until=until, reason="The bank is closed")


def now(case: Case) -> Case:
    return Case.objects.select_related("assignee").get(pk=case.pk)


def test_a_hold_stops_no_clock_and_ends_on_its_day(analyst: User) -> None:
    case = ready(analyst)
    due = now(case).due_at
    held(analyst, case)
    assert (now(case).status, now(case).due_at, standing.ball(now(case)).holder) == ("held", due, "us")
    assert standing.ball(now(case)).line.startswith(f"Put on hold by {analyst} until ")
    assert jobs.cases_return() == 0
    with time_machine.travel(clock.now() + timedelta(days=2, hours=1)):
        assert standing.due(now(case)).words == "Overdue"
    with time_machine.travel(clock.now() + timedelta(days=3, hours=1)):
        assert jobs.cases_return() == 1
    back = now(case)
    assert (back.status, back.assignee, back.waiting_until, back.due_at) == (
        "in_progress",
        analyst,
        None,
        due,
    )
    words = StatusChange.objects.filter(subject_id=case.pk).order_by("at").values_list("new", "reason")
    assert list(words)[-2:] == [("held", "The bank is closed"), ("in_progress", "Its day has come")]


def test_a_hold_ends_with_something_new_and_with_another_pair_of_hands(analyst: User, staff: Staff) -> None:
    subject, manager = a_subject(), staff("compliance_manager")
    case = ready(analyst, subject)
    held(analyst, case)
    opened(subject)
    assert now(case).status == "in_progress"
    held(analyst, case)
    services.case_assign(actor=manager, case_id=case.pk, to=manager)
    assert (now(case).status, now(case).waiting_until) == ("in_progress", None)
    held(manager, case)
    services.away_set(actor=manager, person=manager, is_away=True)
    assert (now(case).status, now(case).assignee, now(case).waiting_until) == ("open", None, None)


def test_only_whose_it_is_holds_it_and_once(analyst: User, staff: Staff) -> None:
    case = opened()
    with pytest.raises(Conflict, match="Nobody works on it"):
        held(analyst, case)
    with pytest.raises(Forbidden):
        held(staff("auditor"), case)
    services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    with pytest.raises(Invalid):
        held(analyst, case, days=-1)
    held(analyst, case)
    with pytest.raises(Conflict, match="on hold already"):
        held(analyst, case)
    assert now(case).status == "held"


def test_the_page_offers_it_and_takes_it_up_again(analyst: User, signed_in: SignIn) -> None:
    case, browser = ready(analyst), signed_in(analyst)
    page, hold = (reverse(f"cases:{name}", args=[case.pk]) for name in ("detail", "hold"))
    assert "Put it on hold" in browser.get(page).content.decode()
    answers = {"hold-until": f"{clock.today() + timedelta(days=2)}", "hold-reason": "Public holiday"}
    assert browser.post(hold, answers | {"hold-until": f"{clock.today()}"}).status_code == 422
    assert browser.post(hold, answers).status_code == 302
    shown = browser.get(page).content.decode()
    assert "Put on hold by" in shown
    assert hold not in shown
    browser.post(reverse("cases:resume", args=[case.pk]))
    assert now(case).status == "in_progress"
