"""Queues and rules: where a case goes, who sees it there, what a dry run promises, and who changed what."""

from collections import Counter
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import jobs, kinds, permissions, routing, services, tasks
from compliance.models import Case, Queue, Rule, RuleBook, WorkCalendar
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, User
from portal.money import Money
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.kinds import KIND, traits

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
HOME = reverse("cases:queues")


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture(autouse=True)
def _no_traits() -> None:
    traits.clear()


def version() -> int:
    return RuleBook.current().version


def queue(actor: User, name: str, **how: Any) -> Queue:
    given: dict[str, Any] = {
        "purpose": "",
        "seen_by": ["compliance_analyst"],
        "decided_by": ["compliance_analyst"],
        "calendar": None,
        "is_default": False,
        "queue_id": None,
    }
    return services.queue_save(actor=actor, name=name, version=version(), **{**given, **how})


def rule(actor: User, into: Queue, *, position: int = 1, rule_id: Any = None, **how: Any) -> Rule:
    wish = services.RuleWish(position=position, queue=into, **how)
    return services.rule_save(actor=actor, rule_id=rule_id, wish=wish, version=version())


def office_hours() -> WorkCalendar:
    made, _ = WorkCalendar.objects.get_or_create(
        name="US business hours",
        defaults={
            "time_zone": "America/New_York",
            "weekdays": [0, 1, 2, 3, 4],
            "opens": time(9),
            "closes": time(17),
        },
    )
    return made


def where(case: Case) -> str:
    return str(Case.objects.select_related("queue").get(pk=case.pk).queue)


# --- Where a case goes --------------------------------------------------------------------------------------


def test_without_rules_everything_lies_in_one_queue() -> None:
    assert where(opened()) == "All cases"


@pytest.mark.parametrize(
    ("how", "told", "urgent", "matches"),
    [
        ({"kind": KIND}, kinds.Traits(), False, True),
        ({"kind": "tests.other"}, kinds.Traits(), False, False),
        ({"priority_from": 3}, kinds.Traits(), True, True),
        ({"priority_from": 3}, kinds.Traits(), False, False),
        ({"country": "MX"}, kinds.Traits(country="MX"), False, True),
        ({"country": "MX"}, kinds.Traits(country="US"), False, False),
        ({"country": "MX"}, kinds.Traits(), False, False),
        ({"language": "es"}, kinds.Traits(language="es"), False, True),
        ({"language": "es"}, kinds.Traits(), False, False),
        ({"amount": Money(100_00, "USD")}, kinds.Traits(amount=Money(100_00, "USD")), False, True),
        ({"amount": Money(100_00, "USD")}, kinds.Traits(amount=Money(99_99, "USD")), False, False),
        ({"amount": Money(100_00, "USD")}, kinds.Traits(amount=Money(999_00, "MXN")), False, False),
        ({"amount": Money(100_00, "USD")}, kinds.Traits(), False, False),
        ({"country": "MX", "language": "es"}, kinds.Traits(country="MX"), False, False),
    ],
)
def test_what_a_rule_matches(
    manager: User, how: dict[str, Any], told: kinds.Traits, urgent: bool, matches: bool
) -> None:
    rule(manager, queue(manager, "Chosen"), **how)
    subject = a_subject()
    traits[subject.id] = told
    case = opened(subject, priority=Case.Priority.URGENT if urgent else None)
    assert where(case) == ("Chosen" if matches else "All cases")


def test_the_first_rule_holds_and_gives_priority_and_time(manager: User) -> None:
    first = rule(manager, queue(manager, "First"), kind=KIND, priority=4, due_hours=3)
    rule(manager, queue(manager, "Second"), position=2)
    case = opened()
    assert where(case) == "First"
    assert (case.priority, case.due_at) == (4, case.opened_at + timedelta(hours=3))
    rule(manager, first.queue, position=2, rule_id=first.pk, kind=KIND)
    assert [row.queue.name for row in Rule.objects.all()] == ["Second", "First"]
    later = opened()
    assert where(later) == "Second"
    assert (later.priority, later.due_at) == (2, later.opened_at + timedelta(days=2))


def test_a_fact_that_changes_what_a_rule_reads_moves_the_case(manager: User, analyst: User) -> None:
    rule(manager, queue(manager, "Pressing"), priority_from=3, priority=1)
    rule(manager, queue(manager, "Mexico"), position=2, country="MX")
    subject = a_subject()
    case = opened(subject)
    traits[subject.id] = kinds.Traits(country="MX")
    opened(subject)
    assert where(case) == "Mexico"
    before = Case.objects.get(pk=case.pk).version
    opened(subject, priority=3)
    case = Case.objects.get(pk=case.pk)
    # The rule gives another priority than it reads, which does not lead it away.
    assert (where(case), case.priority, case.version) == ("Pressing", 1, before + 1)
    opened(subject)
    assert (where(case), Case.objects.get(pk=case.pk).priority) == ("Pressing", 1)
    moves = AuditEntry.objects.filter(action="case.routed", subject_id=case.pk).order_by("at")
    assert [(row.before, row.after) for row in moves] == [
        ({"queue": "All cases"}, {"queue": "Mexico"}),
        ({"queue": "Mexico"}, {"queue": "Pressing"}),
    ]


def test_a_dry_run_promises_what_then_happens(manager: User, analyst: User) -> None:
    subjects = [a_subject() for _ in range(6)]
    for at, subject in enumerate(subjects):
        traits[subject.id] = kinds.Traits(country="MX" if at % 2 else "US", language="es" if at < 2 else "")
        opened(subject)
    done = opened()
    services.case_settle(
        kind=KIND, subject=services.Subject(done.subject_type, done.subject_id, ""), reason="x", source="page"
    )
    mexico, spanish = queue(manager, "Mexico"), queue(manager, "Spanish")
    rule(manager, mexico, country="MX")
    wish = services.RuleWish(position=1, queue=spanish, language="es")
    rules, _ = services.queues.rules_with(wish, None)
    promised = routing.moves(rules)
    assert [(move.before, move.after, move.cases) for move in promised] == [
        ("All cases", "Mexico", 2),
        ("All cases", "Spanish", 2),
    ]
    assert {where(case) for case in Case.objects.all()} == {"All cases"}
    services.rule_save(actor=manager, rule_id=None, wish=wish, version=version())
    tasks.cases_route()
    assert jobs.cases_route() == 0
    assert Counter(where(case) for case in Case.objects.all()) == {"All cases": 3, "Mexico": 2, "Spanish": 2}
    assert where(done) == "All cases"
    assert routing.moves(list(Rule.objects.all())) == []


def test_cases_from_before_the_queues_are_taken_in() -> None:
    case = opened()
    Case.objects.filter(pk=case.pk).update(
        queue=None, routed_by=0, told_priority=None, sla_seconds=None, clock_from=None, due_at=None
    )
    assert jobs.cases_route() == 1
    now = Case.objects.get(pk=case.pk)
    assert (str(now.queue), now.due_at, now.told_priority) == (
        "All cases",
        case.opened_at + timedelta(days=2),
        2,
    )


# --- Who sees and decides -----------------------------------------------------------------------------------


def hidden(manager: User, **how: Any) -> Case:
    """A case in a queue that only managers see."""
    closed = queue(manager, "Sanctions", **{"seen_by": [], "decided_by": [], **how})
    rule(manager, closed)
    return opened()


def test_a_queue_hides_its_cases_from_a_role(
    manager: User, analyst: User, staff: Staff, signed_in: SignIn
) -> None:
    case = hidden(manager)
    browser = signed_in(analyst)
    assert case.reference not in browser.get(reverse("cases:list")).content.decode()
    assert browser.get(reverse("cases:detail", args=[case.pk])).status_code == 404
    assert services.case_take_next(actor=analyst) is None
    with pytest.raises(NotFound):
        services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    with pytest.raises(NotFound):
        services.case_note(actor=analyst, case_id=case.pk, text="x")
    with pytest.raises(Conflict, match="does not see the queue"):
        services.case_assign(actor=manager, case_id=case.pk, to=analyst)
    for other in (manager, staff("auditor")):
        page = signed_in(other).get(reverse("cases:detail", args=[case.pk]))
        assert page.status_code == 200
        assert "Sanctions" in page.content.decode()
    taken = services.case_take_next(actor=manager)
    assert taken
    assert taken.pk == case.pk


def test_who_sees_may_still_not_decide(manager: User, analyst: User, signed_in: SignIn) -> None:
    case = hidden(manager, seen_by=["compliance_analyst"])
    assert services.case_take_next(actor=analyst) is None
    services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    case = services.case_check(actor=analyst, case_id=case.pk, done={"looked", "spoke"})
    with pytest.raises(Forbidden, match="does not decide in the queue “Sanctions”"):
        services.case_decide(
            actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
        )
    page = signed_in(analyst).get(reverse("cases:detail", args=[case.pk])).content.decode()
    assert "does not decide in the queue “Sanctions”" in page
    services.case_assign(actor=manager, case_id=case.pk, to=manager)
    assert permissions.why_not(manager, "decide", Case.objects.get(pk=case.pk)) == []


def test_whoever_does_not_see_the_new_queue_has_the_case_no_more(manager: User, analyst: User) -> None:
    case = ready(analyst)
    closed = queue(manager, "Sanctions", seen_by=[], decided_by=[])
    rule(manager, closed)
    jobs.cases_route()
    now = Case.objects.get(pk=case.pk)
    assert (now.status, now.assignee, now.version) == ("open", None, case.version + 1)


def test_a_queue_that_is_closed_to_a_role_takes_its_cases_back(manager: User, analyst: User) -> None:
    case = ready(analyst)
    usual = Queue.default()
    queue(manager, "All cases", queue_id=usual.pk, seen_by=[], decided_by=[], is_default=True)
    jobs.cases_route()
    assert Case.objects.get(pk=case.pk).assignee is None


# --- Changing them ------------------------------------------------------------------------------------------


def test_every_change_is_counted_and_says_who(manager: User) -> None:
    start = version()
    made = queue(manager, "Mexico")
    added = rule(manager, made, country="MX", due_hours=8)
    rule(manager, made, rule_id=added.pk, country="MX", due_hours=4)
    services.rule_remove(actor=manager, rule_id=added.pk, version=version())
    assert version() == start + 4
    entries = AuditEntry.objects.filter(action="queues.rule").order_by("at", "id")
    assert [(row.before, row.after) for row in entries] == [
        (None, {"place": 1, "when": "country MX", "queue": "Mexico", "then": "due in 8 hours"}),
        (
            {"place": 1, "when": "country MX", "queue": "Mexico", "then": "due in 8 hours"},
            {"place": 1, "when": "country MX", "queue": "Mexico", "then": "due in 4 hours"},
        ),
        ({"place": 1, "when": "country MX", "queue": "Mexico", "then": "due in 4 hours"}, None),
    ]
    assert {row.actor for row in entries} == {manager}


def test_of_two_managers_the_second_looks_again(manager: User) -> None:
    seen = version()
    made = queue(manager, "First")
    wish = services.RuleWish(position=1, queue=made)
    with pytest.raises(Conflict, match="changed the queues"):
        services.rule_save(actor=manager, rule_id=None, wish=wish, version=seen)
    assert not Rule.objects.exists()


def test_there_is_always_one_queue_for_the_rest(manager: User) -> None:
    usual = Queue.default()
    with pytest.raises(Invalid):
        queue(manager, usual.name, queue_id=usual.pk, is_default=False)
    other = queue(manager, "Other", is_default=True)
    assert Queue.objects.get(is_default=True) == other
    with pytest.raises(Invalid) as refused:
        queue(manager, "Other")
    assert list(refused.value.fields) == ["name"]


@pytest.mark.parametrize("role", ["compliance_analyst", "onboarding_agent", "funding_operator", "auditor"])
def test_only_managers_change_them(role: str, staff: Staff, manager: User, signed_in: SignIn) -> None:
    made = queue(manager, "Mexico")
    added = rule(manager, made)
    calendar = office_hours()
    person = staff(role)
    browser = signed_in(person)
    page = browser.get(HOME)
    assert page.status_code == (200 if role == "auditor" else 403)
    assert "Add a rule" not in page.content.decode()
    before = version()
    for name, args in (
        ("rule_new", []), ("queue_new", []), ("calendar_new", []), ("rule", [added.pk]),
        ("rule_remove", [added.pk]), ("queue", [made.pk]), ("calendar", [calendar.pk]),
    ):  # fmt: skip
        address = reverse(f"cases:{name}", args=args)
        assert browser.get(address).status_code == 403, name
        assert browser.post(address, {"version": str(before), "do": "save"}).status_code == 403, name
        assert Client().get(address).status_code == 302
    with pytest.raises(Forbidden):
        services.rule_remove(actor=person, rule_id=added.pk, version=before)
    with pytest.raises(Forbidden):
        queue(person, "Mine")
    assert version() == before


def test_the_pages_from_a_queue_to_a_rule_that_is_gone(manager: User, signed_in: SignIn) -> None:
    browser = signed_in(manager)
    case = opened()

    def posted(name: str, data: dict[str, Any], *args: Any) -> Any:
        return browser.post(reverse(f"cases:{name}", args=args), {**data, "version": str(version())})

    hours = {
        "name": "Mexico City",
        "time_zone": "America/Mexico_City",
        "weekdays": ["0", "1"],
        "opens": "08:00",
    }
    assert posted("calendar_new", hours | {"closes": "07:00"}).status_code == 422
    assert posted("calendar_new", hours | {"closes": "16:00", "days_off": "christmas"}).status_code == 422
    saved = posted(
        "calendar_new", hours | {"closes": "16:00", "days_off": "2026-12-12 Guadalupe\n\n2026-11-02"}
    )
    assert saved.status_code == 302
    calendar = WorkCalendar.objects.get(name="Mexico City")
    assert set(calendar.hours().days_off) == {date(2026, 12, 12), date(2026, 11, 2)}
    assert not calendar.keeps_federal_holidays
    assert posted("queue_new", {"name": ""}).status_code == 422
    given = {"name": "Mexico", "decided_by": ["compliance_analyst"], "calendar": str(calendar.pk)}
    assert posted("queue_new", given).status_code == 302
    made = Queue.objects.get(name="Mexico")
    assert made.seen_by == ["compliance_analyst"]
    wish = {"kind": KIND, "priority_from": "1", "queue": str(made.pk), "position": "1", "due_hours": "8"}
    tried = posted("rule_new", wish | {"do": "try"})
    assert "1 open case would move" in tried.content.decode()
    assert not Rule.objects.exists()
    for wrong in ({"amount": "10.00"}, {"currency": "USD"}, {"amount": "ten", "currency": "USD"},
                  {"amount": "0", "currency": "USD"}, {"amount": "1", "currency": "ABC"}, {"language": "Spanish"},
                  {"due_hours": "0"}, {"queue": str(uuid4())}, {"position": "7"}, {"kind": "\x00"}):  # fmt: skip
        assert posted("rule_new", wish | wrong | {"do": "save"}).status_code == 422, wrong
    assert posted("rule_new", wish | {"do": "save", "amount": "", "currency": ""}).status_code == 302
    made_rule = Rule.objects.get()
    stale = {**wish, "do": "save", "version": str(version() - 1)}
    again = browser.post(reverse("cases:rule", args=[made_rule.pk]), stale)
    assert again.status_code == 422
    assert "Someone changed the queues or rules" in again.content.decode()
    page = browser.get(HOME).content.decode()
    for text in ("Silent parrot", "due in 8 working hours", "Mexico City", "Rule added", "Queue added"):
        assert text in page, text
    jobs.cases_route()
    assert where(case) == "Mexico"
    remove = reverse("cases:rule_remove", args=[made_rule.pk])
    assert "1 open case would move" in browser.get(remove).content.decode()
    browser.post(remove, {"version": "x"})
    assert Rule.objects.exists()
    posted("rule_remove", {}, made_rule.pk)
    assert not Rule.objects.exists()
    assert browser.get(remove).status_code == 404
    assert browser.get(reverse("cases:rule", args=[uuid4()])).status_code == 404


def test_the_list_filters_by_queue(manager: User, analyst: User, signed_in: SignIn) -> None:
    usual = opened()
    rule(manager, queue(manager, "Mexico"))
    other = opened()
    address = reverse("cases:list")
    page = (
        signed_in(analyst).get(address, {"queue": str(Queue.objects.get(name="Mexico").pk)}).content.decode()
    )
    assert other.reference in page
    assert usual.reference not in page
    assert signed_in(analyst).get(address, {"queue": "x\x00"}).status_code == 200


def test_a_dry_run_costs_one_reading_however_many_cases(manager: User) -> None:
    rule(manager, queue(manager, "Mexico"), country="MX")
    costs = []
    for _ in range(2):
        for _ in range(5):
            opened()
        rules = list(Rule.objects.select_related("queue"))
        with CaptureQueriesContext(connection) as queries:
            routing.moves(rules)
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 3
