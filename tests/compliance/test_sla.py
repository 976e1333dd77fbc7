"""The clock: it counts on the queue's calendar, stands still while others have the ball, and is said in words."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from compliance import jobs, services, standing
from compliance.models import Case
from portal import clock
from portal.models import User
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.test_queues import office_hours, queue, rule, version

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
#: A Monday, ten in the morning in New York; Thursday is Thanksgiving.
MONDAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    """A clock of the test's own, standing on a Monday morning."""
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def analyst(travel: time_machine.Traveller, staff: Staff) -> User:
    manager = staff("compliance_manager")
    hours = queue(manager, "Office hours", calendar=office_hours())
    rule(manager, hours, due_hours=10)
    return staff("compliance_analyst")


def now(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_due_is_counted_on_the_calendar(analyst: User) -> None:
    # Seven hours of Monday, three of Tuesday from nine o'clock.
    assert opened().due_at == MONDAY + 26 * HOUR


def test_the_clock_stands_still_while_others_have_the_ball(
    analyst: User, travel: time_machine.Traveller
) -> None:
    subject = a_subject()
    case = ready(analyst, subject)
    travel.move_to(MONDAY + 2 * HOUR)
    for on, days in (("provider", 1), ("customer", 2)):
        case = services.case_wait(
            actor=analyst, case_id=case.pk, on=on, until=clock.now() + timedelta(days=days), reason="Asked"
        )
        assert (case.due_at, standing.due(case).words) == (None, "Clock stopped")
        travel.shift(HOUR)
    # Two working hours are spent. On Wednesday at noon the answer comes: five more that day, three on Friday.
    travel.move_to(MONDAY + timedelta(days=2) + 2 * HOUR)
    opened(subject, title="The customer answered")
    assert now(case).due_at == datetime(2026, 11, 27, 17, 0, tzinfo=UTC)
    assert now(case).spent_seconds == 2 * 3600


def test_what_was_late_before_it_waited_is_late_by_as_much(
    analyst: User, travel: time_machine.Traveller
) -> None:
    case = ready(analyst)
    travel.move_to(MONDAY + 28 * HOUR)
    assert standing.due(now(case)).words == "Overdue"
    services.case_wait(
        actor=analyst, case_id=case.pk, on="customer", until=clock.now() + timedelta(days=9), reason="Asked"
    )
    travel.move_to(MONDAY + timedelta(days=7))
    case = services.case_resume(actor=analyst, case_id=case.pk)
    assert case.due_at == clock.now() - 2 * HOUR


def test_the_clock_runs_on_when_a_manager_is_asked(analyst: User, travel: time_machine.Traveller) -> None:
    case = ready(analyst)
    services.case_wait(
        actor=analyst, case_id=case.pk, on="customer", until=clock.now() + timedelta(days=9), reason="Asked"
    )
    travel.move_to(MONDAY + HOUR)
    case = services.case_escalate(actor=analyst, case_id=case.pk, reason="Too loud")
    assert case.due_at == MONDAY + 27 * HOUR


def test_a_case_that_is_reopened_has_its_whole_time(analyst: User, travel: time_machine.Traveller) -> None:
    case = ready(analyst)
    travel.move_to(MONDAY + 5 * HOUR)
    services.case_decide(
        actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
    )
    assert standing.due(now(case)).words == "Decided"
    travel.move_to(MONDAY + timedelta(days=1))
    case = services.case_reopen(actor=analyst, case_id=case.pk, reason="It spoke again")
    # Seven hours of Tuesday, three of Wednesday.
    assert case.due_at == MONDAY + 50 * HOUR


def test_a_changed_calendar_reaches_open_cases(
    analyst: User, staff: Staff, travel: time_machine.Traveller
) -> None:
    case = opened()
    calendar = office_hours()
    services.calendar_save(
        actor=staff("compliance_manager"),
        calendar_id=calendar.pk,
        name=calendar.name,
        time_zone=calendar.time_zone,
        weekdays=calendar.weekdays,
        opens=calendar.opens,
        closes=calendar.closes,
        keeps_federal_holidays=True,
        days_off={clock.today() + timedelta(days=1): "The move"},
        version=version(),
    )
    assert jobs.cases_route() == 1
    assert now(case).due_at == MONDAY + 50 * HOUR


def test_ageing_is_said_in_words(
    analyst: User, travel: time_machine.Traveller, signed_in: Callable[[User], Client]
) -> None:
    case = opened()
    browser, address = signed_in(analyst), reverse("cases:list")
    for hours, words in ((0, "On time"), (20, "Due today"), (27, "Overdue")):
        travel.move_to(MONDAY + hours * HOUR)
        for page in (address, reverse("cases:detail", args=[case.pk])):
            browser = signed_in(analyst)
            shown = browser.get(page).content.decode()
            assert f">{words}</span>" in shown, (words, page)
