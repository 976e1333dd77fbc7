"""The staff's queue and case page: who sees and does what, finding cases, working on one, and odd input."""

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
from django.utils import timezone

from compliance import jobs, selectors, services, tasks
from compliance.models import Case
from portal import clock
from portal.ids import new_id
from portal.models import AuditEntry, User
from tests.compliance.conftest import a_subject, opened, ready, subject_of
from tests.compliance.kinds import KIND, Seen
from tests.compliance.test_queues import queue, rule
from tests.plans import plan_of, settle

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]

LIST = reverse("cases:list")
WORKERS = {"compliance_analyst", "compliance_manager"}
VIEWERS = {*WORKERS, "auditor"}
OWN = {"onboarding_agent"}
OTHERS = {"funding_operator", "administrator", "customer"}
CHANGES = ("assign", "note", "checklist", "wait", "hold", "resume", "escalate", "decide", "reopen")
HOSTILE = "<script>alert(1)</script> {{ 7 }} '; DROP TABLE x; -- \u202e مرحبا 🙂"


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture
def client(analyst: User, signed_in: SignIn) -> Client:
    """A browser of the analyst."""
    return signed_in(analyst)


def url(name: str, case: Case) -> str:
    return reverse(f"cases:{name}", args=[case.pk])


def shown(client: Client, address: str = LIST, **query: str) -> str:
    response = client.get(address, query)
    assert response.status_code == 200
    return response.content.decode()


def posted(case: Case) -> dict[str, str]:
    """What every form of the page would send."""
    return {
        "whom": "me",
        "note-text": "A note",
        "checklist-done": "looked",
        "wait-on": "customer",
        "wait-until": f"{clock.today() + timedelta(days=3)}",
        "wait-reason": "Asked for a photo",
        "hold-until": f"{clock.today() + timedelta(days=3)}",
        "hold-reason": "The shop is closed",
        "escalate-reason": "Too loud for me",
        "reopen-reason": "It spoke again",
        "decide-version": str(case.version),
        "decide-decision": "stun",
        "decide-reason_stun": "nap",
    }


def cost(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


# --- Who ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", *sorted(VIEWERS | OWN | OTHERS)])
def test_every_page_for_every_role(role: str, customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    case = opened()
    user = customer_user if role in {"", "customer"} else staff(role)
    browser = signed_in(user) if role else Client()
    refused = 403 if role else 302
    assert browser.get(LIST).status_code == (200 if role in VIEWERS | OWN else refused)
    page = browser.get(url("detail", case))
    assert page.status_code == (200 if role in VIEWERS else 404 if role in OWN else refused)
    for name in ("list", "detail"):
        # Reading addresses take no writes, writing ones no reads.
        address = LIST if name == "list" else url(name, case)
        assert browser.post(address).status_code in ({405} if role in VIEWERS | OWN else {405, refused})
    before = Case.objects.values().get(pk=case.pk)
    if role in WORKERS:
        return
    for name in CHANGES:
        assert browser.get(url(name, case)).status_code == 405
        answer = browser.post(url(name, case), posted(case))
        assert answer.status_code == (404 if role in OWN else refused), name
    assert browser.post(reverse("cases:next")).status_code == refused
    assert Case.objects.values().get(pk=case.pk) == before
    assert not (case.notes.exists() or case.ticks.exists() or case.decisions.exists())


def test_an_auditor_sees_everything_and_no_button(staff: Staff, signed_in: SignIn, analyst: User) -> None:
    case = ready(analyst)
    services.case_note(actor=analyst, case_id=case.pk, text="It is resting.")
    page = shown(signed_in(staff("auditor")), url("detail", case))
    assert "It is resting." in page
    assert "Your role does not work on cases." in page
    for name in CHANGES:
        # The checklist is a form that only shows.
        assert name == "checklist" or url(name, case) not in page, name
    assert "Save the checklist" not in page


def test_an_agent_sees_what_they_opened_and_changes_nothing(staff: Staff, signed_in: SignIn) -> None:
    agent = staff("onboarding_agent")
    own, other = opened(actor=agent), opened()
    browser = signed_in(agent)
    page = shown(browser)
    assert own.reference in page
    assert other.reference not in page
    assert url("note", own) not in shown(browser, url("detail", own))
    for name in CHANGES:
        assert browser.post(url(name, own), posted(own)).status_code == 403, name
    assert Case.objects.get(pk=own.pk).version == own.version


def test_only_a_manager_gives_cases_to_others(
    staff: Staff, signed_in: SignIn, analyst: User, client: Client
) -> None:
    case, manager = ready(analyst), staff("compliance_manager")
    other = staff("compliance_analyst")
    give = {"assign-to": str(other.pk)}
    assert client.post(url("assign", case), give).status_code == 403
    assert "Give it to someone" not in shown(client, url("detail", case))
    browser = signed_in(manager)
    assert "Give it to someone" in shown(browser, url("detail", case))
    assert browser.post(url("assign", case), {"assign-to": str(staff("auditor").pk)}).status_code == 422
    assert browser.post(url("assign", case), give).status_code == 302
    assert Case.objects.get(pk=case.pk).assignee == other
    entry = AuditEntry.objects.filter(action="case.assigned").latest("at")
    assert (entry.actor, entry.after) == (manager, {"assignee": str(other.pk)})


# --- The queue ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ori", True),
        ("núñez ori", True),
        ("{reference}", True),
        ("{lower}", True),
        ("Nobody", False),
        ("'", False),
        ("xyzzy & | ! ( ) <-> :*", False),
        ("\\", False),
        ("%", False),
        ("🙂", False),
    ],
)
def test_search(client: Client, text: str, found: bool) -> None:
    case = opened(a_subject("Oriana Núñez"))
    text = text.format(reference=case.reference, lower=case.reference.lower())
    assert (case.reference in shown(client, q=text)) is found


def test_filters(client: Client, analyst: User) -> None:
    with time_machine.travel(clock.now() - timedelta(days=4)):
        old = opened()
    mine, waiting, done = ready(analyst), ready(analyst), opened()
    services.case_wait(
        actor=analyst,
        case_id=waiting.pk,
        on="provider",
        until=clock.now() + timedelta(days=1),
        reason="Asked",
    )
    services.case_settle(
        kind=KIND,
        subject=services.Subject(done.subject_type, done.subject_id, ""),
        reason="Settled",
        source="webhook",
    )
    every = {"old": old, "mine": mine, "waiting": waiting, "done": done}
    Case.objects.filter(pk__in=[old.pk, waiting.pk, done.pk]).update(due_at=clock.now() - timedelta(hours=1))
    last_of_today = timezone.localtime(clock.now()).replace(hour=23, minute=59, second=59, microsecond=999999)
    Case.objects.filter(pk=mine.pk).update(due_at=last_of_today, priority=Case.Priority.URGENT)
    for query, expected in (
        ({}, "old mine waiting"),
        ({"status": "all"}, "old mine waiting done"),
        ({"status": "open"}, "old"),
        ({"status": "waiting"}, "waiting"),
        ({"status": "waiting_customer"}, ""),
        ({"status": "closed"}, "done"),
        ({"assignee": "me"}, "mine waiting"),
        ({"assignee": "nobody"}, "old"),
        ({"assignee": str(analyst.pk), "status": "in_progress"}, "mine"),
        ({"age": "3"}, "old"),
        ({"age": "7"}, ""),
        ({"kind": KIND}, "old mine waiting"),
        ({"due": "overdue"}, "old"),
        ({"due": "today"}, "old mine"),
        ({"due": "today", "status": "all"}, "old mine"),
        ({"due": "overdue", "status": "closed"}, ""),
        ({"priority": "4"}, "mine"),
        ({"priority": "4", "due": "overdue"}, ""),
        ({"priority": "x", "due": "x"}, "old mine waiting"),
    ):
        page = shown(client, **query)
        assert " ".join(name for name, case in every.items() if case.reference in page) == expected, query
    assert "No case matches" in shown(client, age="7")


def test_an_empty_queue_says_so(client: Client) -> None:
    assert "Nothing waits for a decision" in shown(client)


@pytest.mark.parametrize(
    "query",
    [
        *("q=%00", "q=a%00b", "q=%ED%A0%80", "q=" + "a" * 5000, "after=%00", "before=x", "status=nonsense"),
        *("kind=%00", "assignee=x", "assignee=%00", "age=-1", "age=999999999999"),
    ],
)
def test_odd_addresses_are_answered(client: Client, query: str) -> None:
    opened()
    assert client.get(f"{LIST}?{query}").status_code == 200


def test_pages_meet_every_case_once_oldest_first(client: Client) -> None:
    references = [opened().reference for _ in range(28)]
    first = shown(client)
    assert [reference in first for reference in references] == [True] * 25 + [False] * 3
    places = [first.index(reference) for reference in references[:25]]
    assert places == sorted(places)
    onward = f"?after={Case.objects.get(reference=references[24]).pk}"
    assert f'href="{onward}" rel="next"' in first
    second = shown(client, LIST + onward)
    assert [reference in second for reference in references] == [False] * 25 + [True] * 3
    back = f"?before={Case.objects.get(reference=references[25]).pk}"
    assert f'href="{back}" rel="prev"' in second
    assert [reference in shown(client, LIST + back) for reference in references] == [True] * 25 + [False] * 3


def test_the_queue_costs_the_same_for_three_and_twelve(client: Client, analyst: User) -> None:
    for _ in range(3):
        opened()
    cost(client, LIST)
    few = cost(client, LIST)
    for _ in range(9):
        ready(analyst)
    assert cost(client, LIST) == few


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "case_undone"),
        ({"status": "decided"}, "case_by_status"),
        ({"status": "", "kind": "x"}, "case_by_kind"),
        ({"status": "", "assignee": "00000000-0000-0000-0000-000000000000"}, "case_by_assignee"),
        ({"status": "", "text": "polly"}, "case_search"),
    ],
)
def test_the_queue_reads_an_index(analyst: User, query: dict[str, str], index: str) -> None:
    """Among 3,000 decided cases, with the statistics that the planner has of them in production."""
    decided = [
        Case(kind="y", subject_type="y", subject_id=new_id(), subject_label="y", status="closed")
        for _ in range(3000)
    ]
    Case.objects.bulk_create(decided)
    opened()
    with CaptureQueriesContext(connection) as captured:
        selectors.cases_for_staff(analyst, selectors.CaseFilter(**query))
    settle("compliance_case")
    plan = "\n".join(plan_of(read["sql"]) for read in captured.captured_queries)
    assert index in plan, plan


def test_the_menu_counts_what_nobody_works_on_for_those_who_may(
    client: Client, analyst: User, staff: Staff, signed_in: SignIn, django_assert_num_queries: Any
) -> None:
    manager = staff("compliance_manager")
    opened()
    ready(analyst)
    rule(manager, queue(manager, "For managers", decided_by=()))
    opened()
    assert 'Cases<span class="count">1<span' in shown(client)
    assert 'Cases<span class="count">' not in shown(signed_in(staff("auditor")))
    with django_assert_num_queries(0):
        assert [selectors.cases_to_take(person) for person in (analyst, manager)] == [1, 2]


# --- One case -----------------------------------------------------------------------------------------------


def test_the_page_shows_all_that_is_needed(client: Client, analyst: User, customer_user: User) -> None:
    subject = subject_of(customer_user, label="Ana Ortiz")
    case = opened(subject, facts={"days_silent": 3, "tax_id": "536-22-1234"})
    services.case_settle(kind=KIND, subject=subject, reason="It spoke", source="webhook")
    case = ready(analyst, subject, facts={"days_silent": 4})
    page = shown(client, url("detail", case))
    for text in (
        "A parrot does not speak.",
        "Waiting for compliance analyst to decide",
        "Blue",
        "/staff/cage/",
        "Resting",
        "Differs",
        "It said nothing for a day",
        "Days silent",
        "Looked at it",
        f"/parrots/{customer_user.pk}/",
        "It rests: stun it",
        "It naps",
        "Other cases about the same",
        "Your role does not decide “Sell it”.",
    ):
        assert text in page, text
    assert page.count("Differs") == 1
    assert "536-22" not in page
    assert AuditEntry.objects.filter(action="case.view", subject_id=case.pk).count() == 1


def test_one_case_from_taking_to_deciding(client: Client, analyst: User, effects: Seen) -> None:
    case = opened()
    assert client.post(reverse("cases:next")).headers["Location"] == url("detail", case) + "#main"
    page = shown(client, url("detail", case))
    assert "Not ticked yet: Looked at it." in page
    client.post(url("checklist", case), {"checklist-done": ["looked", "spoke", "made up"]})
    client.post(url("note", case), {"note-text": "It moved."})
    case.refresh_from_db()
    decision = posted(case) | {"decide-text": "Ten hours."}
    refused = client.post(url("decide", case), decision | {"decide-reason_stun": ""})
    assert refused.status_code == 422
    assert "Choose a reason for “It rests: stun it”." in refused.content.decode()
    assert "Ten hours." in refused.content.decode()
    for _ in range(2):
        assert client.post(url("decide", case), decision).status_code == 302
    assert len(effects.effects) == 1
    page = shown(client, url("detail", case))
    assert "The parrot is stunned." in page
    assert "Decided: It rests: stun it" in page
    assert url("decide", case) not in page
    assert "It moved." not in str(list(AuditEntry.objects.values("after", "before", "reason")))


def test_what_came_meanwhile_is_said_beside_the_case_as_it_is_now(client: Client, analyst: User) -> None:
    subject = a_subject()
    case = ready(analyst, subject)
    decision = posted(case)
    opened(subject, title="It spoke after all")
    refused = client.post(url("decide", case), decision)
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "Something was added to the case" in page
    assert "It spoke after all" in page
    assert not case.decisions.exists()


def test_waiting_and_coming_back_on_its_day(client: Client, analyst: User) -> None:
    case = ready(analyst)
    for day in ("", "x", f"{clock.today()}", f"{clock.today() + timedelta(days=366)}", "9999-12-31"):
        assert client.post(url("wait", case), posted(case) | {"wait-until": day}).status_code == 422
    assert client.post(url("wait", case), posted(case)).status_code == 302
    assert jobs.cases_return() == 0
    page = shown(client, url("detail", case))
    assert "Waiting for the customer" in page
    with time_machine.travel(clock.now() + timedelta(days=3, hours=1)):
        tasks.cases_return()
        assert jobs.cases_return() == 0
    back = Case.objects.get(pk=case.pk)
    assert (back.status, back.assignee, back.waiting_until) == ("in_progress", analyst, None)
    client.post(url("wait", back), posted(back))
    assert client.post(url("resume", back)).status_code == 302
    assert Case.objects.get(pk=case.pk).status == "in_progress"


def test_putting_back_escalating_and_reopening(client: Client, analyst: User) -> None:
    case = ready(analyst)
    assert client.post(url("assign", case), {"whom": "nobody"}).status_code == 302
    case.refresh_from_db()
    assert (case.status, case.assignee) == ("open", None)
    client.post(url("assign", case), {"whom": "me"})
    assert client.post(url("escalate", case), {"escalate-reason": ""}).status_code == 422
    assert client.post(url("escalate", case), posted(case)).status_code == 302
    services.case_settle(
        kind=KIND,
        subject=services.Subject(case.subject_type, case.subject_id, ""),
        reason="Settled",
        source="webhook",
    )
    assert client.post(url("reopen", case), posted(case)).status_code == 302
    case.refresh_from_db()
    assert case.status == "open"
    page = shown(client, url("detail", case) + "?show=all")
    for text in (
        "Taken",
        "Done: Looked at it, Spoke to it",
        "Put back into the queue",
        "Escalated",
        "Too loud for me",
        "Settled",
        "It spoke again",
    ):
        assert text in page


@pytest.mark.parametrize("text", [HOSTILE, "a\x00b", "x" * 4001, "   ", "line\r\nline", "{% url 'x' %}"])
def test_hostile_text_in_notes(client: Client, analyst: User, text: str) -> None:
    case = ready(analyst)
    answer = client.post(url("note", case), {"note-text": text})
    assert answer.status_code in {302, 422}
    page = shown(client, url("detail", case))
    assert "<script>alert(1)" not in page
    if text == HOSTILE:
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7 }}" in page


def test_hostile_text_from_outside_is_shown_as_text(client: Client) -> None:
    case = opened(a_subject(HOSTILE), title=HOSTILE, facts={HOSTILE: [HOSTILE, {"x\x00": HOSTILE}]})
    for page in (shown(client), shown(client, url("detail", case))):
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;" in page


def test_a_case_of_a_kind_that_is_gone_is_still_shown(client: Client) -> None:
    case = opened()
    Case.objects.filter(pk=case.pk).update(kind="tests.gone")
    assert "no longer in use" in shown(client, url("detail", case))
    assert "tests.gone" in shown(client)


def test_what_does_not_exist_is_not_found(client: Client) -> None:
    case = Case(pk=new_id())
    assert client.get(url("detail", case)).status_code == 404
    for name in CHANGES:
        assert client.post(url(name, case)).status_code == 404


def test_the_page_costs_the_same_however_much_happened(client: Client, analyst: User) -> None:
    subject = a_subject()
    case = ready(analyst, subject)
    services.case_note(actor=analyst, case_id=case.pk, text="One")
    cost(client, url("detail", case))
    few = cost(client, url("detail", case))
    for number in range(12):
        opened(subject)
        services.case_note(actor=analyst, case_id=case.pk, text=f"Note {number}")
    assert cost(client, url("detail", case)) == few


# --- Two at once --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_for_the_next_case_get_two(staff: Staff) -> None:
    first_person, second_person = staff("compliance_analyst"), staff("compliance_manager")
    normal, urgent = opened(), opened(priority=Case.Priority.URGENT)
    taken = []

    def take() -> None:
        taken.append(services.case_take_next(actor=second_person))
        connection.close()

    with transaction.atomic():
        first = services.case_take_next(actor=first_person)
        # While the first is not committed, the other neither waits for it nor gets the same.
        other = threading.Thread(target=take)
        other.start()
        other.join(30)
    assert first
    assert (first.pk, [case.pk for case in taken]) == (urgent.pk, [normal.pk])
    assert services.case_take_next(actor=first_person) is None
