"""Who is given what: the next case, capacity and skill, and being away."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import jobs, kinds, selectors, services, tasks
from compliance.models import Case, Worker
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, User
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.kinds import KIND
from tests.compliance.test_queues import queue, rule
from tests.plans import plan_of, settle

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
PEOPLE = reverse("cases:people")
AWAY = reverse("cases:away")


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def works(manager: User, person: User, capacity: int, *takes: str) -> User:
    services.worker_save(actor=manager, person=person, capacity=capacity, takes=takes)
    return person


def who(case: Case) -> User | None:
    return Case.objects.select_related("assignee").get(pk=case.pk).assignee


# --- The next case ------------------------------------------------------------------------------------------


def test_the_next_case_presses_most_and_is_due_soonest(analyst: User, manager: User) -> None:
    late, never = opened(), opened()
    rule(manager, queue(manager, "Soon"), country="", due_hours=1)
    soon = opened()
    urgent = opened(priority=4)
    Case.objects.filter(pk=never.pk).update(due_at=None)
    taken = []
    while found := services.case_take_next(actor=analyst):
        taken.append(found.pk)
    assert taken == [urgent.pk, soon.pk, late.pk, never.pk]


def test_the_next_case_reads_an_index(analyst: User) -> None:
    now = clock.now()
    Case.objects.bulk_create(
        Case(
            kind="y",
            subject_type="y",
            subject_id=a_subject().id,
            subject_label="y",
            due_at=now + timedelta(minutes=at),
        )
        for at in range(2000)
    )
    settle("compliance_case")
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        selectors.to_take(analyst).select_for_update(skip_locked=True, of=("self",)).first()
    sql = next(row["sql"] for row in captured if "compliance_case" in row["sql"])
    plan = plan_of(sql)
    assert "using case_to_take_by_due " in plan, plan
    assert "Sort" not in plan, plan


# --- Capacity and skill -------------------------------------------------------------------------------------


def test_cases_go_to_the_least_loaded_up_to_their_capacity(manager: User, staff: Staff) -> None:
    first, second = (works(manager, staff("compliance_analyst"), size) for size in (2, 4))
    cases = [opened() for _ in range(8)]
    tasks.cases_assign()
    assert [sum(who(case) == person for case in cases) for person in (first, second)] == [2, 4]
    assert [who(case) for case in cases[6:]] == [None, None]
    assert jobs.cases_assign() == 0
    given = Case.objects.get(pk=cases[0].pk)
    assert (given.status, given.version) == ("in_progress", 2)
    entry = AuditEntry.objects.filter(action="case.assigned", subject_id=given.pk).get()
    assert (entry.actor, entry.after) == (None, {"assignee": str(given.assignee_id)})
    # What waits for others leaves room.
    services.case_wait(
        actor=first,
        case_id=next(case.pk for case in cases if who(case) == first),
        on="customer",
        until=clock.now() + timedelta(days=1),
        reason="Asked",
    )
    assert jobs.cases_assign() == 1


def test_each_is_given_what_they_handle_and_may_decide(manager: User, staff: Staff) -> None:
    kinds.register(kinds.CaseKind(name="tests.other", title="Other", purpose="", decisions=()))
    try:
        parrots = works(manager, staff("compliance_analyst"), 9, KIND)
        others = works(manager, staff("compliance_analyst"), 9, "tests.other", "tests.made_up")
        assert Worker.objects.get(pk=others.pk).kinds == ["tests.other"]
        first = opened()
        other = services.case_open(
            kind="tests.other", subject=a_subject(), title="x", facts={}, source="page", dedupe="x"
        )
        rule(manager, queue(manager, "Sanctions", seen_by=["compliance_analyst"], decided_by=[]))
        hidden = opened()
        assert jobs.cases_assign() == 2
        assert (who(first), who(other), who(hidden)) == (parrots, others, None)
        works(manager, manager, 1)
        assert jobs.cases_assign() == 1
        assert who(hidden) == manager
    finally:
        kinds._kinds.pop("tests.other")


def test_room_that_others_have_fills_nobody_over_their_capacity(manager: User, staff: Staff) -> None:
    kinds.register(kinds.CaseKind(name="tests.other", title="Other", purpose="", decisions=()))
    try:
        parrots = works(manager, staff("compliance_analyst"), 1, KIND)
        works(manager, staff("compliance_analyst"), 9, "tests.other")
        cases = [opened() for _ in range(3)]
        assert jobs.cases_assign() == 1
        assert [who(case) for case in cases] == [parrots, None, None]
    finally:
        kinds._kinds.pop("tests.other")


def test_nobody_is_given_anything_unless_a_manager_says_so(analyst: User, manager: User) -> None:
    case = opened()
    assert jobs.cases_assign() == 0
    with pytest.raises(Forbidden):
        works(analyst, analyst, 5)
    with pytest.raises(Invalid):
        works(manager, analyst, 201)
    works(manager, analyst, 5)
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert jobs.cases_assign() == 0
    User.objects.filter(pk=analyst.pk).update(is_active=True, role="auditor")
    assert jobs.cases_assign() == 0
    assert who(case) is None


@pytest.mark.django_db(transaction=True)
def test_two_at_once_fill_nobody_twice(staff: Staff) -> None:
    """Interposed: the second begins while the first has given and not committed."""
    analyst = works(staff("compliance_manager"), staff("compliance_analyst"), 2)
    cases = [opened() for _ in range(4)]
    given = []

    def again() -> None:
        given.append(jobs.cases_assign())
        connection.close()

    with transaction.atomic():
        assert jobs.cases_assign() == 2
        other = threading.Thread(target=again)
        other.start()
    other.join(30)
    assert given == [0]
    assert sum(who(case) == analyst for case in cases) == 2


# --- Away ---------------------------------------------------------------------------------------------------


def test_whoever_goes_away_gives_their_cases_back(manager: User, analyst: User, staff: Staff) -> None:
    works(manager, analyst, 9)
    open_one, escalated, waiting, done = (ready(analyst) for _ in range(4))
    services.case_escalate(actor=analyst, case_id=escalated.pk, reason="Too loud")
    services.case_wait(
        actor=analyst, case_id=waiting.pk, on="customer", until=clock.now() + timedelta(days=1), reason="x"
    )
    services.case_decide(
        actor=analyst, case_id=done.pk, decision="stun", version=done.version, reason_code="nap"
    )
    assert services.away_set(actor=analyst, person=analyst, is_away=True) == 3
    found = {case.pk: case for case in Case.objects.all()}
    assert [
        (found[case.pk].status, found[case.pk].assignee_id) for case in (open_one, escalated, waiting, done)
    ] == [("open", None), ("escalated", None), ("waiting_customer", None), ("closed", analyst.pk)]
    assert jobs.cases_assign() == 0
    with pytest.raises(Conflict, match="You are away"):
        services.case_take_next(actor=analyst)
    with pytest.raises(Conflict, match="is away"):
        services.case_assign(actor=manager, case_id=open_one.pk, to=analyst)
    with time_machine.travel(clock.now() + timedelta(days=2)):
        jobs.cases_return()
    assert Case.objects.get(pk=waiting.pk).status == "open"
    services.away_set(actor=analyst, person=analyst, is_away=False)
    assert jobs.cases_assign() == 2
    actions = AuditEntry.objects.filter(action="case.away").order_by("at").values_list("after", flat=True)
    assert list(actions) == [{"away": True}, {"away": False}]


def test_a_manager_says_it_of_others_and_an_analyst_does_not(
    manager: User, analyst: User, staff: Staff, signed_in: SignIn
) -> None:
    other = staff("compliance_analyst")
    case = ready(other)
    with pytest.raises(Forbidden):
        services.away_set(actor=analyst, person=other, is_away=True)
    data: dict[str, Any] = {"person": str(other.pk), "away": "yes"}
    assert signed_in(analyst).post(AWAY, data).status_code == 403
    assert who(case) == other
    browser = signed_in(manager)
    assert browser.post(AWAY, data).status_code == 302
    assert "1 case went back." in browser.get(PEOPLE).content.decode()
    assert who(case) is None
    for wrong in ("x", str(case.pk), str(staff("auditor").pk)):
        assert browser.post(AWAY, data | {"person": wrong}).status_code == 404


def test_the_pages_of_people(manager: User, analyst: User, staff: Staff, signed_in: SignIn) -> None:
    boss = signed_in(manager)
    page = reverse("cases:person", args=[analyst.pk])
    assert boss.post(page, {"capacity": "-1"}).status_code == 422
    assert boss.post(page, {"capacity": "5", "takes": ["x"]}).status_code == 422
    assert boss.post(page, {"capacity": "5", "takes": [KIND]}).status_code == 302
    assert "Silent parrot" in boss.get(PEOPLE).content.decode()
    assert boss.get(reverse("cases:person", args=[staff("auditor").pk])).status_code == 404
    browser = signed_in(analyst)
    assert browser.get(PEOPLE).status_code == browser.get(page).status_code == 403
    auditor = signed_in(staff("auditor"))
    shown = auditor.get(PEOPLE)
    assert shown.status_code == 200
    assert AWAY not in shown.content.decode()
    assert auditor.get(page).status_code == auditor.post(AWAY, {"away": "yes"}).status_code == 403
    assert "I am away" in browser.get(reverse("cases:list")).content.decode()
    assert browser.post(AWAY, {"away": "yes"}).status_code == 302
    shown_list = browser.get(reverse("cases:list")).content.decode()
    assert "I am back" in shown_list
    assert "You are away. 0 cases went back." in shown_list
    assert "I am away" not in auditor.get(reverse("cases:list")).content.decode()


def test_the_page_of_people_costs_the_same_for_few_and_many(
    manager: User, staff: Staff, signed_in: SignIn
) -> None:
    browser, costs = signed_in(manager), []
    for number in (1, 4):
        for _ in range(number):
            person = works(manager, staff("compliance_analyst"), 3)
            ready(person)
        browser.get(PEOPLE)
        with CaptureQueriesContext(connection) as queries:
            browser.get(PEOPLE)
        costs.append(len(queries))
    assert costs[0] == costs[1]


@pytest.mark.django_db(transaction=True)
def test_whoever_takes_a_case_as_they_are_set_away_does_not_keep_it(staff: Staff) -> None:
    """Interposed: set away while the taking is not committed."""
    manager, analyst = staff("compliance_manager"), staff("compliance_analyst")
    Worker.objects.create(user=analyst)
    case, returned = opened(), []

    def set_away() -> None:
        returned.append(services.away_set(actor=manager, person=analyst, is_away=True))
        connection.close()

    with transaction.atomic():
        services.case_take_next(actor=analyst)
        other = threading.Thread(target=set_away)
        other.start()
        other.join(0.2)
    other.join(30)
    assert (returned, who(case)) == ([1], None)
