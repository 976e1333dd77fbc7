"""The staff's list and page of applications: who sees what, finding one, and what looking leaves behind."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding import services
from onboarding.models import Application
from portal import audit, clock
from portal.ids import new_id
from portal.models import AuditEntry, User
from tests.flow import submitted
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]

REVEALERS = {"compliance_analyst", "compliance_manager"}
STAFF = {*REVEALERS, "onboarding_agent", "funding_operator", "auditor", "administrator"}
LIST = reverse("staff:applications")
REASON = {"reason": "Checking a letter"}


@pytest.fixture
def analyst(staff: Staff, signed_in: SignIn) -> Client:
    """A browser that may see and reveal."""
    return signed_in(staff("compliance_analyst"))


def url(name: str, application: Application) -> str:
    return reverse(f"staff:{name}", args=[application.pk])


def tax_id_of(application: Application) -> str:
    """The address at which the applicant's tax number is revealed."""
    return reverse("reveals:reveal", args=["onboarding.owner.tax_id", application.owners.get().pk])


def page(response: Any) -> str:
    return response.content.decode()


def listed(client: Client, address: str = LIST, **query: str) -> str:
    response = client.get(address, query) if query else client.get(address)
    assert response.status_code == 200
    return page(response)


def drafts(count: int) -> list[Application]:
    """Drafts of that many customers, oldest first."""
    return [
        Application.objects.create(customer=services.customer_of(make_customer_user())) for _ in range(count)
    ]


def cost(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


# --- Who ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", "customer", *sorted(STAFF)])
def test_every_page_for_every_role(role: str, customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    application = submitted(customer_user, **answers.ANA)
    user = customer_user if role in {"", "customer"} else staff(role)
    client = signed_in(user) if role else Client()
    refused = 403 if role else 302
    assert client.get(LIST).status_code == (200 if role in STAFF else refused)
    assert client.get(url("application", application)).status_code == (200 if role in STAFF else refused)
    revealed = client.post(tax_id_of(application), REASON)
    assert revealed.status_code == (302 if role in REVEALERS else refused)
    assert AuditEntry.objects.filter(action="pii.reveal").exists() == (role in REVEALERS)
    if role in STAFF:
        shown = page(client.get(url("application", application)))
        assert ("536221234" in shown) == (role in REVEALERS)
        assert ("/staff/reveal/" in shown) == (role in REVEALERS)


def test_an_auditor_changes_nothing(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    application = submitted(customer_user)
    client = signed_in(staff("auditor"))
    before = Application.objects.values().get(pk=application.pk)
    for address in (LIST, url("application", application), tax_id_of(application)):
        assert client.post(address, REASON).status_code in {403, 405}
    for name in ("review", "withdraw"):
        assert client.post(reverse(f"customer:{name}", args=[application.pk])).status_code == 403
    assert Application.objects.values().get(pk=application.pk) == before


def test_what_does_not_exist_is_not_found(analyst: Client) -> None:
    assert analyst.get(reverse("staff:application", args=[new_id()])).status_code == 404
    for field in ("onboarding.owner.tax_id", "onboarding.owner.given_name", "x"):
        assert analyst.post(reverse("reveals:reveal", args=[field, new_id()]), REASON).status_code == 404


# --- One application ----------------------------------------------------------------------------------------


def test_looking_is_audited_and_masked(analyst: Client, customer_user: User) -> None:
    application = submitted(customer_user, **answers.ANA)
    shown = page(analyst.get(url("application", application)))
    assert "•••-••-1234" in shown
    for secret in ("536221234", "536-22", "1988"):
        assert secret not in shown
    assert AuditEntry.objects.filter(action="application.view", subject_id=application.pk).count() == 1


def test_revealing_is_by_field_with_a_reason_and_for_some_minutes(
    analyst: Client, customer_user: User, settings: Any
) -> None:
    application = submitted(customer_user, **answers.ANA)
    address, here = tax_id_of(application), url("application", application)
    assert address in page(analyst.get(here))
    for reason in ("", "  ", "abc", "\x00\x00\x00\x00\x00", "r" * 301):
        assert analyst.post(address, {"reason": reason}).status_code == 422
    assert not AuditEntry.objects.filter(action="pii.reveal").exists()
    asked = page(analyst.get(address, {"next": here}))
    assert "536221234" not in asked and f'value="{here}"' in asked

    with time_machine.travel(clock.now(), tick=False) as moved:
        answer = analyst.post(address, REASON | {"next": here})
        assert answer.url == here
        again = analyst.post(address, REASON | {"next": "https://evil.example/"})
        assert again.url == here  # where it belongs, not where a stranger says
        shown = analyst.get(here)
        assert "536221234" in page(shown) and "no-store" in shown.headers["Cache-Control"]
        assert 'data-remask="600"' in page(shown)
        # Field by field: the birth date is as masked as it was, and nobody else sees anything.
        assert not re.search(r"\b1988\b", page(shown))
        entry = AuditEntry.objects.get(action="pii.reveal")
        assert (entry.reason, entry.subject_id) == (REASON["reason"], application.pk)
        assert entry.after["field"] == "onboarding.owner.tax_id" and "536221234" not in str(entry.after)
        analyst.post(f"{address}hide/")
        assert "536221234" not in page(analyst.get(here))
        analyst.post(address, REASON)
        moved.shift(timedelta(minutes=9, seconds=59))
        assert "536221234" in page(analyst.get(here))
        moved.shift(1)
        masked = analyst.get(here)
        assert "536221234" not in page(masked) and "•••-••-1234" in page(masked)


def test_a_page_costs_one_query_more_however_much_is_revealed(analyst: Client, customer_user: User) -> None:
    application = submitted(customer_user, **answers.ANA)
    here = url("application", application)
    analyst.get(here)
    masked = cost(analyst, here)
    analyst.post(tax_id_of(application), REASON)
    analyst.post(tax_id_of(application).replace("tax_id", "date_of_birth"), REASON)
    assert "April 12, 1988" in page(analyst.get(here)) or "1988" in page(analyst.get(here))
    assert cost(analyst, here) <= masked + 2  # two more lines of the timeline are no queries of their own


# --- The list -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ori", True),
        ("orian", True),
        ("Núñ", True),
        ("NÚÑEZ ori", True),
        ("ana@exam", True),
        ("{reference}", True),
        ("{lower}", True),
        # Nobody's tax number stands in an address: the search on every page takes it.
        ("219-09-9999", False),
        ("219099999", False),
        ("9999", False),
        ("Nobody", False),
        ("'", False),
        ("xyzzy & | ! ( ) <-> :*", False),
        ("\\", False),
        ("%", False),
        ("🙂", False),
    ],
)
def test_search(analyst: Client, customer_user: User, text: str, found: bool) -> None:
    wanted = submitted(customer_user, given_name="Oriana", family_name="Núñez", tax_id="219-09-9999")
    text = text.format(reference=wanted.reference, lower=wanted.reference.lower())
    assert (wanted.reference in listed(analyst, q=text)) is found


def test_filters(analyst: Client, customer_user: User) -> None:
    handed_in, (draft,) = submitted(customer_user), drafts(1)
    today, tomorrow = clock.today(), clock.today() + timedelta(days=1)
    for query, wanted in (
        ({"status": "draft"}, draft),
        ({"status": "submitted"}, handed_in),
        ({"waiting_on": "customer"}, draft),
        ({"waiting_on": "us"}, handed_in),
        ({"submitted_from": f"{today - timedelta(days=1)}", "submitted_to": f"{tomorrow}"}, handed_in),
    ):
        shown = listed(analyst, **query)
        assert [row.reference in shown for row in (handed_in, draft)] == [
            wanted == handed_in,
            wanted == draft,
        ], query
    assert handed_in.reference not in listed(analyst, submitted_from=f"{today + timedelta(days=2)}")


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=a%00b",
        "after=%00",
        "before=%00",
        "after=x",
        "status=nonsense",
        "waiting_on=%00",
        "submitted_from=x",
        "submitted_to=9999-12-31",
        "submitted_from=0001-01-01",
        "q=" + "a" * 5000,
        "q=%ED%A0%80",
    ],
)
def test_odd_addresses_are_answered(analyst: Client, query: str) -> None:
    drafts(1)
    assert analyst.get(f"{LIST}?{query}").status_code == 200


def test_older_and_newer_meet_every_row_once(analyst: Client) -> None:
    rows = [row.reference for row in reversed(drafts(28))]
    first, last = rows[:25], rows[25:]
    assert all(reference in listed(analyst) for reference in first)
    older = f"{LIST}?{urlencode({'after': Application.objects.get(reference=first[-1]).pk})}"
    assert older.rpartition("?")[2] in listed(analyst)
    shown = listed(analyst, older)
    assert [reference in shown for reference in rows] == [False] * 25 + [True] * 3
    newer = f"{LIST}?{urlencode({'before': Application.objects.get(reference=last[0]).pk})}"
    assert newer.rpartition("?")[2] in shown
    shown = listed(analyst, newer)
    assert [reference in shown for reference in rows] == [True] * 25 + [False] * 3


def test_the_list_costs_the_same_for_three_and_twelve(analyst: Client) -> None:
    drafts(3)
    cost(analyst, LIST)
    few = cost(analyst, LIST)
    drafts(9)
    assert cost(analyst, LIST) == few


def test_the_page_costs_the_same_however_much_happened(analyst: Client, customer_user: User) -> None:
    application = submitted(customer_user)
    address = url("application", application)
    cost(analyst, address)
    few = cost(analyst, address)
    for _ in range(12):
        audit.record("application.view", subject=application, actor=make_customer_user(), source="page")
    assert cost(analyst, address) == few


def test_a_company_goes_by_its_name_and_what_is_open_stands_in_one_place(
    analyst: Client, customer_user: User
) -> None:
    company = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", source="page"
    )
    assert "Name not given yet" in listed(analyst)
    journeys.save(customer_user, company, {"entity": journeys.ENTITY})
    assert "Sample Works LLC" in listed(analyst)
    shown = listed(analyst, url("application", company))
    assert shown.count("Not filled in yet") == 1
    assert "<li>Employment</li>" in shown and "<li>The company or trust</li>" not in shown
