"""The dashboard: marks as things happen, days that are kept, sums that agree with a plain count, and its pages."""

import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance import dashboard, figures, jobs, marking, panels, services
from compliance.dashboard_forms import DashboardForm
from compliance.models import Case, CaseMark, DayCounted, Figure, Queue, WorkCalendar
from compliance.panels import Asked
from compliance.sums import Period, Scope, sums
from portal import clock
from portal.models import User
from tests.compliance.conftest import a_subject, opened
from tests.compliance.kinds import KIND
from tests.compliance.test_queues import queue, rule

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
HOME = reverse("dashboard:home")
#: A Monday, 9 in the morning in New York.
MONDAY = datetime(2026, 9, 14, 13, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LAST_30_DAYS = ("2026-08-16", "2026-09-14", ("2026-07-17", "2026-08-15"))


@pytest.fixture
def at() -> Iterator[Callable[[datetime], Any]]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller.move_to


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def decide(case: Case, actor: User, decision: str = "stun", reason: str = "nap") -> None:
    services.case_check(actor=actor, case_id=case.pk, done={"looked", "spoke"})
    version = Case.objects.get(pk=case.pk).version
    services.case_decide(actor=actor, case_id=case.pk, decision=decision, version=version, reason_code=reason)


def take(case: Case, actor: User) -> None:
    services.case_assign(actor=actor, case_id=case.pk, to=actor)


def a_fortnight(at: Callable[[datetime], Any], manager: User, analyst: User) -> None:
    """Cases of two queues, one on working hours, over two weeks: waited for, late, settled, reopened."""
    office = WorkCalendar.objects.create(
        name="Office", time_zone="America/New_York", weekdays=[0, 1, 2, 3, 4], opens=time(9), closes=time(17)
    )
    slow = queue(manager, "Office hours")
    Queue.objects.filter(pk=slow.pk).update(calendar=office)
    rule(manager, slow, country="", priority_from=4, due_hours=4)
    for day in range(12):
        begin = MONDAY + timedelta(days=day)
        at(begin)
        case = opened(priority=4 if day % 2 else 2)
        at(begin + HOUR * (1 + day % 3))
        services.case_note(actor=manager, case_id=case.pk, text="Looks quiet.") if day % 4 == 0 else None
        who = manager if day % 3 == 0 else analyst
        take(case, who)
        if day % 5 == 1:
            until = clock.now() + timedelta(days=3)
            services.case_wait(actor=who, case_id=case.pk, on="customer", until=until, reason="An answer")
            at(begin + HOUR * 6)
            services.case_resume(actor=who, case_id=case.pk)
        at(begin + HOUR * (6 + day))
        if day == 4:
            subject = services.Subject(case.subject_type, case.subject_id, "")
            services.case_settle(kind=KIND, subject=subject, reason="It spoke", source="task")
        elif day != 7:
            decide(case, who, reason="nap" if day % 2 else "moult")
        if day == 5:
            at(begin + HOUR * 20)
            services.case_reopen(actor=manager, case_id=case.pk, reason="Once more")
            at(begin + HOUR * 22)
            take(case, manager)
            decide(case, manager)


def rows_of(model: type[CaseMark]) -> list[tuple[Any, ...]]:
    return sorted(
        model.objects.values_list(
            "case",
            "measure",
            "at",
            "arrived_at",
            "kind",
            "queue",
            "person",
            "seconds",
            "is_met",
            "code",
            "reason",
        ),
        key=str,
    )


def test_marks_say_what_happened_and_history_says_the_same(
    at: Callable[[datetime], Any], manager: User, analyst: User
) -> None:
    a_fortnight(at, manager, analyst)
    marked = rows_of(CaseMark)
    by_measure = {name: sum(row[1] == name for row in marked) for name in CaseMark.Measure.values}
    assert by_measure == {"arrived": 13, "touched": 13, "decided": 11, "settled": 1}
    # Opened on a Saturday and decided that evening: nothing of it was working time.
    saturday = next(row for row in marked if row[1] == "decided" and row[3] == MONDAY + timedelta(days=5))
    assert (saturday[7], saturday[8]) == (0, True)
    # A note of a colleague was the first touch, before the case was taken by another.
    assert {row[6] for row in marked if row[1] == "touched"} == {manager.pk, analyst.pk}
    columns = dict(Case.objects.values_list("pk", "touched_at"))
    CaseMark.objects.all().delete()
    Case.objects.update(touched_at=None, arrived_at=None)
    assert marking.fill() == (12, None)
    assert rows_of(CaseMark) == marked
    assert dict(Case.objects.values_list("pk", "touched_at")) == columns
    assert marking.fill() == (0, None)


def test_being_given_a_case_is_no_touch(manager: User, analyst: User) -> None:
    case = opened()
    services.case_assign(actor=manager, case_id=case.pk, to=analyst)
    assert not CaseMark.objects.filter(measure="touched").exists()
    services.case_check(actor=analyst, case_id=case.pk, done={"looked"})
    assert CaseMark.objects.get(measure="touched").person == analyst


def test_sums_agree_with_a_plain_count_however_they_are_kept(
    at: Callable[[datetime], Any], manager: User, analyst: User
) -> None:
    a_fortnight(at, manager, analyst)
    at(MONDAY + timedelta(days=12, hours=6))
    period = Period.of(date(2026, 9, 20), date(2026, 9, 26), "")
    plain = _plain(period)
    assert any(was for _, _, was in plain)
    assert _summed(period) == plain
    assert not Figure.objects.exists()
    assert jobs.figures_count() > 14
    kept = _kept()
    assert kept
    assert not figures.uncounted("cases", period.before[0], clock.today() - timedelta(days=1))
    assert _summed(period) == plain
    # Again changes nothing, and there is nothing left to do until something comes late.
    for day in period.days[:-1]:
        figures.count_day(figures.CASES, day)
    assert _kept() == kept
    at(clock.now() + HOUR * 2)
    assert figures.days_to_count(figures.CASES) == []
    late = CaseMark.objects.filter(measure="arrived", at__date=date(2026, 9, 21)).first()
    assert late is not None
    late.pk, late.arrived_at, late.written_at, late._state.adding = (
        UUID(int=7),
        late.at - HOUR,
        clock.now(),
        True,
    )
    late.save()
    assert figures.days_to_count(figures.CASES) == [date(2026, 9, 21)]
    jobs.figures_count()
    assert _summed(period) == _plain(period) != plain
    # Seen days are forgotten and filled again from the history alone.
    DayCounted.objects.all().delete()
    Figure.objects.all().delete()
    call_command("figures_fill", "--from", "2026-09-01")
    assert _summed(period) == _plain(period)


def _kept() -> list[tuple[Any, ...]]:
    return sorted(
        Figure.objects.filter(source="cases").values_list(
            "day", "measure", "queue", "person", "number", "seconds"
        ),
        key=str,
    )


def _summed(period: Period) -> list[tuple[Any, ...]]:
    found = sums("cases", period, ["arrived", "touched", "decided", "settled"], by=["queue_id", "person_id"])
    keys = sorted({*found.now, *found.before}, key=str)
    return [
        (
            key,
            *(
                (one.number, one.met, one.judged, one.median, one.p90)
                for one in (found.of(*key), found.was(*key))
            ),
        )
        for key in keys
    ]


def _plain(period: Period) -> list[tuple[Any, ...]]:
    """The same by reading everything and counting by hand."""
    groups: dict[tuple[Any, ...], tuple[list[CaseMark], list[CaseMark]]] = {}
    for mark in CaseMark.objects.all():
        day = timezone.localtime(mark.at).date()
        for place, (first, last) in enumerate(((period.first, period.last), period.before)):
            if first <= day <= last:
                key = (mark.measure, mark.queue_id, mark.person_id)
                groups.setdefault(key, ([], []))[place].append(mark)
    return [(key, *map(_counted, groups[key])) for key in sorted(groups, key=str)]


def _counted(marks: list[CaseMark]) -> tuple[Any, ...]:
    took = sorted(mark.seconds for mark in marks if mark.seconds is not None)
    judged = [mark for mark in marks if mark.is_met is not None]
    met = sum(bool(mark.is_met) for mark in judged)
    median = statistics.median_low(took) if took else None
    p90 = took[-(-9 * len(took) // 10) - 1] if took else None
    return len(marks), met, len(judged), median, p90


def test_the_numbers_lead_to_their_lists(
    at: Callable[[datetime], Any],
    manager: User,
    analyst: User,
    signed_in: SignIn,
    django_assert_max_num_queries: Any,
) -> None:
    a_fortnight(at, manager, analyst)
    at(MONDAY + timedelta(days=12, hours=6))
    jobs.figures_count()
    asked = Asked(manager, Period.of(date(2026, 9, 13), date(2026, 9, 26), ""))
    client = signed_in(manager)
    followed = 0
    for panel in panels.seen_by(manager):
        content = panel.build(asked)
        if content is None:
            assert panel.name in {"quality", "ach_returns"}  # nothing was reviewed, or sent
            continue
        for row in content.table.rows:
            for cell in row:
                if cell.url and cell.text.isdigit() and int(cell.text) <= 25:
                    listed = client.get(cell.url)
                    assert listed.status_code == 200, cell.url
                    assert len(listed.context["rows"]) == int(cell.text), (panel.name, row)
                    followed += 1
    assert followed > 20
    decided = dashboard.decisions(asked)
    assert decided is not None
    assert [cell.text for cell in decided.table.rows[0]] == [
        "Neither",
        "Silent parrot",
        "It rests: stun it",
        "It naps",
        "6",
    ]
    with django_assert_max_num_queries(60):
        page = client.get(HOME, {"period": "custom", "first": "2026-09-13", "last": "2026-09-26"})
    assert b"9 of 10 within" in page.content and b"The first time one of us takes the case" in page.content


def test_an_analyst_sees_their_own_line_and_a_stranger_nothing(
    at: Callable[[datetime], Any], manager: User, analyst: User, staff: Staff, signed_in: SignIn
) -> None:
    a_fortnight(at, manager, analyst)
    client, query = signed_in(analyst), "?period=30"
    page = client.get(HOME + query)
    assert [item["panel"].name for item in page.context["panels"]] == ["people"]
    rows = page.context["panels"][0]["content"].table.rows
    assert [row[0].text for row in rows] == [analyst.label]
    assert client.get(rows[0][1].url).status_code == 200
    behind = reverse("dashboard:behind")
    for forbidden in ("?measure=decided", f"?measure=decided&person={manager.pk}", "?measure=backlog"):
        assert client.get(behind + forbidden).status_code == 403
    assert client.get(reverse("dashboard:table", args=["arrivals"])).status_code == 404
    assert signed_in(staff("auditor")).get(HOME).status_code == 200
    for role in ("funding_operator", "onboarding_agent", "administrator"):
        for address in (HOME, reverse("dashboard:print"), behind + "?measure=decided"):
            assert signed_in(staff(role)).get(address).status_code == 403


def test_each_table_is_a_csv_and_no_formula(
    at: Callable[[datetime], Any], manager: User, signed_in: SignIn
) -> None:
    manager.name = "=HYPERLINK(1)"
    manager.save()
    take(opened(), manager)
    answer = signed_in(manager).get(reverse("dashboard:table", args=["people"]), {"period": "7"})
    head, line = answer.content.decode().splitlines()
    assert head.startswith('Person,Touched first,"Touched first, period before"')
    assert line.startswith("'=HYPERLINK(1)") and ",1,0," in line
    assert answer["Content-Disposition"].endswith('people-2026-09-08-2026-09-14.csv"')


@pytest.mark.parametrize(
    ("query", "first", "last", "before"),
    [
        ({}, *LAST_30_DAYS),
        ({"period": "7"}, "2026-09-08", "2026-09-14", ("2026-09-01", "2026-09-07")),
        ({"period": "quarter"}, "2026-07-01", "2026-09-14", ("2026-04-01", "2026-06-15")),
        ({"period": "last_quarter"}, "2026-04-01", "2026-06-30", ("2026-01-01", "2026-03-31")),
        (
            {"period": "custom", "first": "2026-01-05", "last": "2026-01-06"},
            "2026-01-05", "2026-01-06", ("2026-01-03", "2026-01-04"),
        ),
        # What does not hold is left out, and said.
        ({"period": "custom", "first": "2026-02-05", "last": "2026-01-06"}, *LAST_30_DAYS),
        ({"period": "\x00", "queue": "x", "first": "no"}, *LAST_30_DAYS),
    ],
)  # fmt: skip
def test_the_days_that_are_chosen(
    at: Callable[[datetime], Any],
    manager: User,
    signed_in: SignIn,
    query: dict[str, str],
    first: str,
    last: str,
    before: Any,
) -> None:
    page = signed_in(manager).get(HOME, query)
    assert page.status_code == 200
    period = page.context["period"]
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)
    assert tuple(day.isoformat() for day in period.before) == before
    form = page.context["form"]
    assert isinstance(form, DashboardForm) and bool(form.errors) == (
        "\x00" in str(query.values()) or query.get("first", "") > query.get("last", "3")
    )


def test_lists_refuse_addresses_that_no_link_has(manager: User, signed_in: SignIn) -> None:
    client = signed_in(manager)
    for query in (
        "",
        "measure=x",
        "measure=decided&queue=x",
        "measure=decided&first=x",
        "measure=decided&person=1",
    ):
        assert client.get(f"{reverse('dashboard:behind')}?{query}").status_code == 404
    assert client.get(f"{reverse('dashboard:behind')}?measure=decided&queue=none&after=x").status_code == 200


def test_the_backlog_by_age(manager: User) -> None:
    now = clock.now()
    for days in (0, 2, 2, 5, 40):
        with time_machine.travel(now - timedelta(days=days, minutes=1)):
            opened(a_subject())
    content = dashboard.backlog(Asked(manager, Period.of(clock.today(), clock.today(), "")))
    assert [row[1].text for row in content.table.rows] == ["1", "2", "1", "0", "1"]
    assert [one.value for one in content.stats] == ["5", "4"]
    assert dashboard.by_person(Asked(manager, Period.of(clock.today(), clock.today(), ""))).table.rows == ()
    assert (
        sums(
            "cases", Period.of(clock.today(), clock.today(), ""), ["arrived"], scope=Scope(person=manager.pk)
        ).now
        == {}
    )
