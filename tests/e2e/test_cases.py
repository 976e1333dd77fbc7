"""Cases in a real browser: taken, worked on and decided, on a desk and on a phone, without a barrier."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import jobs, kinds, services
from compliance.models import Case, CaseDecision
from portal import clock
from tests.compliance.conftest import a_subject, opened, ready, subject_of
from tests.compliance.kinds import KIND, PARROT, seen
from tests.compliance.test_queues import queue as compliance_queue
from tests.compliance.test_queues import rule
from tests.e2e.browser import looked_at, page_of
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_case_from_the_queue_to_its_decision(browser: Browser, live_server: LiveServer, width: int) -> None:
    analyst, subject = make_staff(), make_customer_user("Ana Ortiz")
    with time_machine.travel(clock.now() - timedelta(days=3)):
        case = opened(subject_of(subject, "Ana Ortiz, PA-7K3M-9QX2"), priority=Case.Priority.HIGH)
    services.case_settle(
        kind=KIND, subject=subject_of(subject), reason="It spoke again", source="reconciliation"
    )
    with time_machine.travel(clock.now() - timedelta(days=3)):
        case = opened(subject_of(subject, "Ana Ortiz, PA-7K3M-9QX2"), priority=Case.Priority.URGENT)
    ready(make_staff("compliance_manager"), a_subject("Polly Parrot"))
    page = page_of(browser, live_server, analyst, width)
    page.goto("/staff/cases/")
    expect(page.get_by_role("link", name=case.reference)).to_be_visible()
    looked_at(page, f"cases-{width}")

    page.get_by_role("link", name=case.reference).click()
    looked_at(page, f"case-open-{width}")
    page.get_by_role("button", name="Assign to me").click()
    page.get_by_label("Looked at it").check()
    page.get_by_label("Spoke to it").check()
    page.get_by_role("button", name="Save the checklist").click()
    page.get_by_label("New note").fill("It moved its head.\n\nTwice.")
    page.get_by_role("button", name="Add the note").click()
    expect(page.get_by_text("Twice.")).to_be_visible()

    page.get_by_role("radio", name="It rests: stun it").check()
    looked_at(page, f"case-mine-{width}")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_role("link", name="Choose a reason for “It rests: stun it”.")).to_be_visible()
    looked_at(page, f"case-refused-{width}")
    page.get_by_label("Reason for “It rests: stun it”").select_option("It naps")
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_role("heading", name="Decided")).to_be_visible()
    looked_at(page, f"case-decided-{width}")
    assert CaseDecision.objects.get(case=case).actor == analyst


def test_of_two_browsers_one_decides(browser: Browser, live_server: LiveServer) -> None:
    analyst = make_staff()
    case = ready(analyst, subject_of(make_customer_user()))
    seen.effects.clear()
    pages = [page_of(browser, live_server, analyst) for _ in range(2)]
    for page, reason in zip(pages, ("It naps", "It moults"), strict=True):
        page.goto(f"/staff/cases/{case.pk}/")
        page.get_by_role("radio", name="It rests: stun it").check()
        page.get_by_label("Reason for “It rests: stun it”").select_option(reason)
    for page in pages:
        page.get_by_role("button", name="Decide", exact=True).click()
    expect(pages[0].get_by_role("heading", name="Decided")).to_be_visible()
    expect(pages[1].get_by_text("The case is decided. Reopen it first.")).to_be_visible()
    expect(pages[1].get_by_role("heading", name="Decided")).to_be_visible()
    assert len(seen.effects) == 1
    assert CaseDecision.objects.get(case=case).reason_code == "nap"


def test_an_auditor_finds_nothing_to_press(browser: Browser, live_server: LiveServer) -> None:
    case = ready(make_staff(), subject_of(make_customer_user()))
    page = page_of(browser, live_server, make_staff("auditor"))
    page.goto(f"/staff/cases/{case.pk}/")
    looked_at(page, "case-auditor-1280")
    buttons = page.get_by_role("main").get_by_role("button").all_inner_texts()
    harmless = {"", "Copy", "Find", "Keyboard shortcuts"}
    assert [text.strip() for text in buttons if text.strip() not in harmless] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_many_are_assigned_from_a_view_of_ones_own(
    browser: Browser, live_server: LiveServer, width: int
) -> None:
    manager, analyst = make_staff("compliance_manager"), make_staff()
    made = compliance_queue(manager, "Parrots")
    rule(manager, made, priority_from=3, due_hours=8)
    cases = [opened(a_subject(name), priority=3) for name in ("Polly", "Lora", "Coco")]
    taken = ready(manager, a_subject("Jako"), priority=4)
    page = page_of(browser, live_server, analyst, width)
    page.goto("/staff/cases/")
    if width < 1000:
        page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Order").select_option("Most pressing first")
    page.get_by_role("button", name="Apply filters").click()
    # What is clicked before the page has come is clicked on the page before.
    page.wait_for_url("**sort=pressing**")
    page.get_by_text("Saved views").click()
    page.get_by_label("Name").fill("Pressing")
    page.get_by_role("button", name="Save these filters").click()
    expect(page.get_by_role("link", name="Pressing")).to_be_visible()
    page.get_by_role("link", name="Columns").click()
    page.get_by_label("Country").check()
    looked_at(page, f"columns-{width}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Parrots").click()
    looked_at(page, f"list-{width}")
    for case in [*cases, taken]:
        page.get_by_label(f"Choose {case.reference}").check()
    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("Done for 3 of 4.")).to_be_visible()
    looked_at(page, f"list-done-{width}")
    assert Case.objects.filter(assignee=analyst).count() == 3


@pytest.mark.parametrize("width", [1280, 390])
def test_a_manager_tries_a_rule_and_saves_it(browser: Browser, live_server: LiveServer, width: int) -> None:
    for _ in range(3):
        opened()
    page = page_of(browser, live_server, make_staff("compliance_manager"), width)
    page.goto("/staff/cases/queues/")
    page.get_by_role("link", name="Make a calendar").click()
    page.get_by_label("Name").fill("Office hours")
    page.get_by_label("From").fill("09:00")
    page.get_by_label("To", exact=True).fill("17:00")
    page.get_by_label("Other days off").fill("2026-12-24 Christmas Eve")
    looked_at(page, f"calendar-{width}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Make a queue").click()
    page.get_by_label("Name").fill("Parrots")
    page.get_by_label("Hours are counted").select_option("Office hours")
    looked_at(page, f"queue-{width}")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_label("Kind of case").select_option("Silent parrot")
    page.get_by_label("Queue", exact=True).select_option("Parrots")
    page.get_by_label("Due in hours").fill("8")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("heading", name="3 open cases would move")).to_be_visible()
    looked_at(page, f"rule-tried-{width}")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("due in 8 working hours").first).to_be_visible()
    looked_at(page, f"queues-{width}")
    page.get_by_role("link", name="Remove rule 1").click()
    looked_at(page, f"rule-remove-{width}")
    page.get_by_role("button", name="Remove the rule").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_whoever_is_away_gives_back_what_they_were_given(
    browser: Browser, live_server: LiveServer, width: int
) -> None:
    manager, analyst = make_staff("compliance_manager"), make_staff()
    case = opened()
    boss = page_of(browser, live_server, manager, width)
    boss.goto("/staff/cases/people/")
    boss.get_by_role("link", name="compliance analyst (Compliance analyst)").click()
    boss.get_by_label("Cases at a time").fill("5")
    boss.get_by_label("Silent parrot").check()
    looked_at(boss, f"person-{width}")
    boss.get_by_role("button", name="Save").click()
    looked_at(boss, f"people-{width}")
    assert jobs.cases_assign() == 1
    page = page_of(browser, live_server, analyst, width)
    page.goto("/staff/cases/?assignee=me")
    expect(page.get_by_role("link", name=case.reference)).to_be_visible()
    page.get_by_role("button", name="I am away").click()
    expect(page.get_by_role("button", name="I am back")).to_be_visible()
    looked_at(page, f"away-{width}")
    assert Case.objects.get(pk=case.pk).assignee is None
