"""What open pages learn meanwhile: who looks, who took, what came; and the way on in the list one came from."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import jobs, live, services
from compliance.models import Case, CasePresence
from portal import clock
from portal.models import AuditEntry, User
from tests.compliance.conftest import a_subject, opened, ready

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = reverse("cases:list")


@pytest.fixture
def ana(staff: Staff) -> User:
    return named(staff("compliance_analyst"), "Ana")


@pytest.fixture
def bert(staff: Staff) -> User:
    return named(staff("compliance_analyst"), "Bert")


def named(user: User, name: str) -> User:
    user.name = name
    user.save(update_fields=["name"])
    return user


def at(name: str, case: Case) -> str:
    return reverse(f"cases:{name}", args=[case.pk])


def asked(browser: Client, address: str, etag: str = "", **query: Any) -> Any:
    return browser.get(address, query, headers={"If-None-Match": etag} if etag else {})


# --- Who looks ----------------------------------------------------------------------------------------------


def test_who_looks_is_seen_by_others_and_gone_within_a_minute(
    ana: User, bert: User, signed_in: SignIn
) -> None:
    case, other = opened(), opened()
    with time_machine.travel("2026-03-02 15:32:00Z", tick=False) as moved:
        anas, berts = signed_in(ana), signed_in(bert)
        anas.get(at("detail", case))
        words = "Ana is looking at it since 10:32"
        assert words in berts.get(at("detail", case)).content.decode()
        assert words in signed_in(bert).get(LIST).content.decode()
        assert live.lookers(ana, [case.pk, other.pk]) == {case.pk: "Bert is looking at it since 10:32"}
        moved.shift(timedelta(seconds=40))
        anas.get(at("live_one", case))
        moved.shift(timedelta(seconds=40))
        assert live.lookers(bert, [case.pk]) == {case.pk: words}
        assert live.lookers(ana, [case.pk]) == {}
        moved.shift(timedelta(seconds=20))
        assert live.lookers(bert, [case.pk]) == {}
        anas.get(at("live_one", case))
        assert live.lookers(bert, [case.pk]) == {case.pk: "Ana is looking at it since 10:33"}
        assert anas.post(at("leave", case)).status_code == 204
        assert live.lookers(bert, [case.pk]) == {}
        moved.shift(timedelta(hours=2))
        jobs.presences_forget()
        assert not CasePresence.objects.exists()


def test_looking_on_writes_rarely_and_leaves_no_trace_in_the_audit_trail(
    ana: User, signed_in: SignIn
) -> None:
    case, browser = opened(), signed_in(ana)
    browser.get(at("detail", case))
    entries, seen = AuditEntry.objects.count(), CasePresence.objects.get().seen_at
    for _ in range(3):
        assert browser.get(at("live_one", case)).status_code == 200
    assert (AuditEntry.objects.count(), CasePresence.objects.get().seen_at) == (entries, seen)


def test_nobody_learns_of_cases_that_are_not_theirs(staff: Staff, signed_in: SignIn, ana: User) -> None:
    case = opened()
    services.presence_show(actor=ana, case_id=case.pk)
    agent = signed_in(staff("onboarding_agent"))
    for name in ("live_one", "leave"):
        ask = agent.post if name == "leave" else agent.get
        assert ask(at(name, case)).status_code == 404
    shown = agent.get(reverse("cases:live"), {"case": str(case.pk)})
    assert (shown.status_code, case.reference in shown.content.decode()) == (200, False)
    assert signed_in(staff("funding_operator")).get(reverse("cases:live")).status_code == 403


# --- What became of them ------------------------------------------------------------------------------------


def test_a_list_learns_what_a_colleague_took_and_is_told_nothing_twice(
    ana: User, bert: User, signed_in: SignIn
) -> None:
    first, second, browser = opened(), opened(), signed_in(ana)
    query = {"case": [str(first.pk), str(second.pk), "x"], "to_take": "2"}
    answer = asked(browser, reverse("cases:live"), **query)
    etag = answer.headers["ETag"]
    assert asked(browser, reverse("cases:live"), etag, **query).status_code == 304
    services.case_assign(actor=bert, case_id=second.pk, to=bert)
    answer = asked(browser, reverse("cases:live"), etag, **query)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "In progress, with Bert" in page
    assert page.index(first.reference) < page.index(second.reference)
    opened()
    opened()
    caches["local"].clear()
    assert "1 more case to take" in asked(browser, reverse("cases:live"), **query).content.decode()


@pytest.mark.parametrize("number", [2, 9])
def test_an_answer_that_says_nothing_new_costs_little(
    ana: User, signed_in: SignIn, django_assert_max_num_queries: Any, number: int
) -> None:
    cases, browser = [opened() for _ in range(number)], signed_in(ana)
    query = {"case": [str(case.pk) for case in cases]}
    etag = asked(browser, reverse("cases:live"), **query).headers["ETag"]
    # The session, the person and their second factor; the cases by their keys, and who looks at them.
    with django_assert_max_num_queries(5):
        assert asked(browser, reverse("cases:live"), etag, **query).status_code == 304


def test_the_case_page_learns_what_happened_in_words(ana: User, bert: User, signed_in: SignIn) -> None:
    subject = a_subject()
    case, browser = opened(subject), signed_in(ana)
    seen = {"version": str(case.version), "at": clock.now().isoformat()}
    etag = asked(browser, at("live_one", case), **seen).headers["ETag"]
    assert asked(browser, at("live_one", case), etag, **seen).status_code == 304
    case = ready(bert, subject)
    services.case_note(actor=bert, case_id=case.pk, text="Secret words")
    services.case_decide(
        actor=bert, case_id=case.pk, decision="stun", version=Case.objects.get().version, reason_code="nap"
    )
    answer = asked(browser, at("live_one", case), etag, **seen)
    page = answer.content.decode()
    assert answer.status_code == 200
    for words in ("Bert took it.", "Something new came in", "Bert added a note.", "It is decided"):
        assert words in page
    assert "Secret words" not in page
    # Of what one did oneself one is not told.
    assert "Bert took it." not in asked(signed_in(bert), at("live_one", case), **seen).content.decode()
    for odd in ({"version": "x", "at": "y"}, {"version": "", "at": "2026-99-99T00:00"}, {}):
        assert asked(browser, at("live_one", case), **odd).status_code == 200


# --- The way on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ["oldest", "newest", "due", "pressing"])
def test_the_case_page_leads_on_in_the_list_one_came_from(ana: User, signed_in: SignIn, sort: str) -> None:
    cases = [opened(priority=priority) for priority in (2, 4, 2, 3)]
    browser, query = signed_in(ana), f"sort={sort}&status=open"
    page = browser.get(f"{LIST}?{query}")
    order = list(page.context["cases"])
    assert {row.pk for row in order} == {case.pk for case in cases}
    found = browser.get(at("detail", order[1]), {"list": page.context["query"]})
    assert [found.context[name].split("?")[0] for name in ("before_url", "after_url")] == [
        at("detail", order[0]),
        at("detail", order[2]),
    ]
    # What was taken has left the list; the way on in it stays, and back to it.
    browser.post(at("assign", order[1]), {"whom": "me"})
    again = browser.get(at("detail", order[1]))
    assert again.context["after_url"].split("?")[0] == at("detail", order[2])
    assert again.context["list_url"].startswith(f"{LIST}?")
    assert again.context["list_url"].endswith(f"#row-{order[1].pk}")
    last = browser.get(at("detail", order[3]), {"list": page.context["query"]})
    assert last.context["after_url"] == ""


def test_a_case_opened_by_itself_leads_nowhere_and_odd_lists_are_answered(
    ana: User, signed_in: SignIn
) -> None:
    case, browser = opened(), signed_in(ana)
    assert browser.get(at("detail", case)).context["list_url"] == LIST
    for odd in ("", "x", "sort=nonsense&queue=%00", "a" * 5000, "//evil.example"):
        page = browser.get(at("detail", case), {"list": odd})
        assert page.status_code == 200
        assert page.context["list_url"].startswith(f"{LIST}?")


def test_a_row_is_taken_in_the_list_and_the_reader_stays_there(ana: User, signed_in: SignIn) -> None:
    case = opened()
    answer = signed_in(ana).post(at("assign", case), {"whom": "me", "list": "status=open"})
    assert answer.headers["Location"] == f"{LIST}?status=open#row-{case.pk}"
    assert Case.objects.get().assignee == ana


def test_deciding_can_lead_to_the_next_case(ana: User, signed_in: SignIn) -> None:
    case, following = ready(ana), opened()
    decision = {
        "decide-version": str(case.version),
        "decide-decision": "stun",
        "decide-reason_stun": "nap",
        "then": "next",
    }
    browser = signed_in(ana)
    answer = browser.post(at("decide", case), decision)
    assert answer.headers["Location"] == at("detail", following) + "#main"
    assert Case.objects.get(pk=following.pk).assignee == ana
    with CaptureQueriesContext(connection) as queries:
        page = browser.get(at("detail", following)).content.decode()
    assert "Decided: It rests: stun it" in page
    assert f"{following.reference} is yours." in page
    assert len(queries) < 60
