"""One search for people and what is theirs: by what it finds, for whom, recorded, and in no address."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance.models import Case, Queue
from onboarding.models import Entity, Owner, ProviderAccount
from portal import clock, finding
from portal.errors import Conflict, Forbidden, Invalid
from portal.finding import By, person_search
from portal.models import AuditEntry, User
from tests.flow import complete_draft, submitted
from tests.onboarding import journeys
from tests.onboarding.test_dossier import case_of
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
ANALYST = "compliance_analyst"


def found(actor: User, text: str) -> dict[str, list[str]]:
    """What a search gives, by group."""
    groups = person_search(actor=actor, text=text)[1]
    return {group.label: [hit.title for hit in group.hits] for group in groups}


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("ana@example.test", By.EMAIL),
        ("PA-7K3M-9QX2", By.REFERENCE),
        ("cs-7k3m-9qx2", By.REFERENCE),
        ("1234", By.LAST_FOUR),
        ("536-22-1234", By.NUMBER),
        ("12-3456789", By.NUMBER),
        ("(512) 555-0142", By.PHONE),
        ("+44 20 7946 0958", By.PHONE),
        ("Ana Ortiz", By.NAME),
        ("12345", By.NAME),
    ],
)
def test_a_term_is_taken_for_what_it_looks_like(text: str, by: By) -> None:
    assert finding.read(f"  {text} ") == finding.Term(text, by)


@pytest.mark.parametrize("text", ["", " ", "a", "\x00a", "x" * 201])
def test_what_is_too_short_or_too_long_says_so(text: str) -> None:
    with pytest.raises(Invalid, match=r"two letters|200 characters"):
        finding.read(text)


def test_people_applications_and_cases_by_each_thing_that_staff_know(
    customer_user: User, staff: Staff
) -> None:
    analyst = staff(ANALYST)
    application = submitted(customer_user, given_name="José", family_name="Núñez", tax_id="536-22-1234")
    Owner.objects.filter(application=application).update(email="jose@example.test", phone="+442079460958")
    complete_draft(make_customer_user("Another"))
    complete_draft(make_customer_user("Third"), given_name="小明", family_name="王")
    account = ProviderAccount.objects.get(application=application)
    ProviderAccount.objects.update(provider_id="PROV-77")
    case = case_of(application)
    everything = {"People": ["José Núñez"], "Applications": ["José Núñez"], "Cases": [case.reference]}
    for text in (
        "núñ jos",
        "JOSE@example.test",
        customer_user.email.upper(),
        "+44 20 7946 0958",
        "536 22 1234",
        "1234",
    ):
        assert found(analyst, text) == everything, text
    for text in (application.reference.lower(), account.client_account_id, "PROV-77"):
        assert found(analyst, text)["Applications"] == ["José Núñez"], text
        assert found(analyst, text)["Cases"] == [case.reference], text
    assert found(analyst, case.reference) == {"Cases": [case.reference]}
    assert found(analyst, "王") == {"People": ["小明 王"], "Applications": ["小明 王"]}
    for text in (
        "9999",
        "536-22-9999",
        "nobody@example.test",
        "+44 20 7946 0000",
        "Zorro",
        "PA-0000-0000",
        "%%",
        "____",
    ):
        assert found(analyst, text) == {}, text


def test_each_is_shown_masked_with_who_has_the_ball(customer_user: User, staff: Staff) -> None:
    application = submitted(customer_user, tax_id="536-22-1234")
    groups = person_search(actor=staff(ANALYST), text="1234")[1]
    person, row = groups[0].hits[0], groups[1].hits[0]
    assert person.note == (
        f"Primary owner of {application.reference}, United States of America, born ••••-••-••, "
        "tax number •••-••-1234"
    )
    assert person.ball is not None
    assert person.ball.line == "We are passing it on to the provider"
    assert row.badge[0] == "Submitted"


def test_of_a_company_the_company_is_found_and_the_person_who_is_meant(
    customer_user: User, staff: Staff
) -> None:
    analyst = staff(ANALYST)
    application = journeys.entity(customer_user)
    assert found(analyst, "6789") == {"Applications": ["Sample Works LLC"]}
    assert found(analyst, "2003") == {"People": ["Ana Ortiz"], "Applications": ["Sample Works LLC"]}
    assert found(analyst, "office@example.test") == {"Applications": ["Sample Works LLC"]}
    assert Entity.objects.get(application=application).tax_id_last4


def test_a_customer_who_began_nothing_is_found_by_e_mail(customer_user: User, staff: Staff) -> None:
    assert found(staff(ANALYST), customer_user.email) == {"People": ["Ana Ortiz"]}
    assert found(staff(ANALYST), staff(ANALYST).email) == {}


def test_many_are_cut_off_and_cost_no_more(
    customer_user: User, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyst = staff(ANALYST)
    case_of(submitted(customer_user))
    with CaptureQueriesContext(connection) as few:
        person_search(actor=analyst, text="Ortiz")
    for name in ("One", "Two"):
        case_of(complete_draft(make_customer_user(name)))
    with CaptureQueriesContext(connection) as many:
        person_search(actor=analyst, text="Ortiz")
    assert len(many) == len(few) <= 16
    for module in ("portal.finding", "onboarding.finding", "compliance.finding"):
        monkeypatch.setattr(f"{module}.MOST", 2)
    groups = person_search(actor=analyst, text="Ortiz")[1]
    assert [(len(group.hits), group.is_more) for group in groups] == [(2, True), (2, True), (2, True)]


def test_one_finds_what_one_may_see(customer_user: User, staff: Staff) -> None:
    application = submitted(customer_user, tax_id="536-22-1234")
    case = case_of(application)
    queue = Queue.objects.create(name="Narrow", seen_by=["auditor"], decided_by=[])
    Case.objects.update(queue=queue)
    assert "Cases" not in found(staff(ANALYST), application.reference)
    assert found(staff("auditor"), application.reference)["Cases"] == [case.reference]
    agent = staff("onboarding_agent")
    assert "Cases" not in found(agent, application.reference)
    Case.objects.update(assignee=agent, queue=None)
    assert found(agent, application.reference)["Cases"] == [case.reference]
    for text in ("1234", "536-22-1234"):
        with pytest.raises(Forbidden):
            person_search(actor=agent, text=text)
    with pytest.raises(Forbidden):
        person_search(actor=customer_user, text="Ana")


def test_searches_are_recorded_without_the_term_and_those_by_number_are_few(
    customer_user: User, staff: Staff, settings: Any
) -> None:
    settings.NUMBER_SEARCHES_PER_HOUR = 2
    analyst = staff(ANALYST)
    submitted(customer_user, tax_id="536-22-1234")
    mine = AuditEntry.objects.filter(actor=analyst)
    for text in ("Ortiz", "1234", "536-22-1234"):
        person_search(actor=analyst, text=text)
    with pytest.raises(Conflict, match="2 times by number within an hour"):
        person_search(actor=analyst, text="1235")
    person_search(actor=analyst, text="ana@example.test")
    entries = mine.order_by("at").values_list("action", "after__by")
    assert list(entries) == [
        ("person.search", "name or account id"),
        ("person.search_number", "last four of the tax number"),
        ("person.search_number", "tax number"),
        ("person.search_refused", "last four of the tax number"),
        ("person.search", "e-mail"),
    ]
    assert not re.search(r"\b1234\b|22-?1234", str(list(mine.values())))
    assert found(staff(ANALYST), "1234") != {}
    with time_machine.travel(clock.now() + timedelta(minutes=61)):
        assert found(analyst, "1234") != {}


def test_the_page_answers_in_place_and_a_reference_leads_on(
    customer_user: User, staff: Staff, signed_in: SignIn, settings: Any
) -> None:
    settings.NUMBER_SEARCHES_PER_HOUR = 1
    application = submitted(customer_user)
    case, client = case_of(application), signed_in(staff(ANALYST))
    assert 'action="/staff/find/"' in client.get("/staff/cases/").content.decode()
    answer = client.post("/staff/find/", {"find": "Ortiz"})
    text = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert "Searched by name or account id." in text
    assert "We are passing it on to the provider" in text
    assert 'value="Ortiz"' in text
    for term, url in (
        (case.reference, f"/staff/cases/{case.pk}/"),
        (application.reference, f"/staff/applications/{application.pk}/"),
    ):
        answer = client.post("/staff/find/", {"find": term})
        assert (answer.status_code, answer["Location"]) == (302, url)
    assert "Nobody found" in client.post("/staff/find/", {"find": "Zorro"}).content.decode()
    answer = client.post("/staff/find/", {"find": "<"})
    assert answer.status_code == 422
    assert "Type at least two letters" in answer.content.decode()
    assert client.post("/staff/find/", {"find": "1234"}).status_code == 200
    assert client.post("/staff/find/", {"find": "1235"}).status_code == 409
    # By address nothing is searched.
    assert "What you can search by" in client.get("/staff/find/?find=Ortiz").content.decode()
    assert signed_in(customer_user).get("/staff/find/").status_code == 403


def test_numbers_from_before_are_given_their_last_four(customer_user: User, staff: Staff) -> None:
    from importlib import import_module

    from django.apps import apps

    journeys.entity(customer_user)
    Owner.objects.update(tax_id_last4="")
    Entity.objects.update(tax_id_last4="")
    analyst = staff(ANALYST)
    assert found(analyst, "6789") == found(analyst, "2003") == {}
    fill = import_module("onboarding.migrations.0028_fill_last_four")
    fill.BATCH = 1
    fill.fill(apps, None)
    assert found(analyst, "6789") == {"Applications": ["Sample Works LLC"]}
    assert found(analyst, "2003")["People"] == ["Ana Ortiz"]
    # Two of one last four are told from a number that is those four digits alone.
    index = Owner._meta.get_field("tax_id_last4").index_of
    assert index("536-22-2003") == index("2003") != Owner._meta.get_field("tax_id_index").index_of("2003")
