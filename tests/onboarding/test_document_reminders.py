"""What the clock does about papers: letters of requests, papers that expire, the case after two weeks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance.models import Case
from onboarding import document_reminders, papers, services, standing
from onboarding.document_requests import CASE
from onboarding.models import Application, Document, DocumentRequest, ProviderAccount
from onboarding.services.document_requests import document_request_withdraw
from onboarding.tasks import papers_look_after
from portal import clock
from portal.models import MailMessage, User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import account_of, deliver
from tests.flow import drain, publish_agreements, submitted
from tests.onboarding import journeys
from tests.onboarding.requests_support import ask, passport, proof, reject, subjects
from tests.people import make_customer_user, make_staff

Status = DocumentRequest.Status
NOON = "2026-03-02T12:00:00Z"
TODAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}


@contextmanager
def at_day(days: int) -> Iterator[None]:
    with time_machine.travel(f"{TODAY + timedelta(days=days)}T12:00:00Z", tick=False):
        yield


def run() -> list[str]:
    """One run of the beat's task; the letters it wrote."""
    before = len(subjects())
    papers_look_after()
    return subjects()[before:]


def now(request: DocumentRequest) -> str:
    return DocumentRequest.objects.get(pk=request.pk).status


@pytest.fixture
def application(customer_user: User) -> Application:
    with at_day(0):
        return submitted(customer_user)


@pytest.fixture
def analyst(staff: Callable[[str], User]) -> User:
    return staff("compliance_analyst")


# --- Requests -----------------------------------------------------------------------------------------------


def test_a_request_is_reminded_of_on_three_days_and_once_each(
    application: Application, analyst: User
) -> None:
    with at_day(0):
        request = ask(analyst, application)  # due on day 10
        assert run() == []
    expected = {
        6: [],
        7: ["A paper is due soon"],
        9: [],
        10: ["A paper is due soon"],
        16: [],
        17: ["We still wait for a paper"],
        18: [],
        60: [],
    }
    for day, letters in expected.items():
        with at_day(day):
            assert run() == letters, day
            assert run() == [], day
    with at_day(11):
        request.refresh_from_db()
        assert request.is_overdue
        ball = standing.ball(account_of(application).application)
        assert ball.due is not None and ball.due < clock.now()


def test_a_worker_that_was_away_writes_one_letter(application: Application, analyst: User) -> None:
    with at_day(0):
        ask(analyst, application)
    with at_day(30):
        assert run() == ["We still wait for a paper"]
        assert run() == []


def test_a_short_request_is_not_reminded_of_days_before_it_was_made(
    application: Application, analyst: User
) -> None:
    with at_day(0):
        ask(analyst, application, due_on=TODAY + timedelta(days=2))
    with at_day(1):
        assert run() == []
    with at_day(2):
        assert run() == ["A paper is due soon"]


def test_nobody_is_reminded_of_what_is_handed_in_and_of_what_is_wanted_again_anew(
    application: Application, customer_user: User, analyst: User
) -> None:
    with at_day(0):
        request = ask(analyst, application)
        document = proof(customer_user, application)
        Document.objects.filter(pk=document.pk).update(status="received", scan="off")
        document.refresh_from_db()
    with at_day(12):
        assert run() == []
        reject(analyst, document)
        request.refresh_from_db()
        assert (request.status, request.due_on) == (Status.OPEN, TODAY + timedelta(days=26))
    with at_day(23):
        assert run() == ["A paper is due soon"]


def test_who_was_switched_off_gets_no_letter(
    application: Application, customer_user: User, analyst: User
) -> None:
    with at_day(0):
        ask(analyst, application)
    User.objects.filter(pk=customer_user.pk).update(is_active=False)
    with at_day(10):
        assert run() == []


def test_a_letter_names_no_paper_and_leads_to_our_page(application: Application, analyst: User) -> None:
    with at_day(0):
        ask(analyst, application)
    with at_day(7):
        run()
        text = MailMessage.objects.latest("created_at").content.reveal()["text"]
    assert f"/applications/{application.pk}/papers/" in text and "12 March 2026" in text
    assert "address" not in text


# --- Papers that expire -------------------------------------------------------------------------------------


@pytest.fixture
def abroad(customer_user: User) -> Application:
    """An application handed in with a passport that is valid for a hundred days."""
    with at_day(0):
        application = journeys.foreigner(customer_user)
        document = passport(customer_user, application, TODAY + timedelta(days=100))
        Document.objects.filter(pk=document.pk).update(status="received", scan="off")
        services.application_submit(actor=customer_user, application_id=application.pk, source="page")
        Document.objects.filter(pk=document.pk).update(status="at_provider")
        ProviderAccount.objects.update(status="active")
        Application.objects.update(status="approved")
    return Application.objects.get(pk=application.pk)


def renewed(application: Application, days: int = 3000) -> Document:
    document = passport(application.customer.user, application, clock.now().date() + timedelta(days=days))
    Document.objects.filter(pk=document.pk).update(status="received", scan="off")
    return document


def test_a_paper_is_noticed_60_30_and_7_days_ahead_and_after(
    abroad: Application, customer_user: User
) -> None:
    expected = {
        39: [],
        40: ["A paper of yours expires soon"],
        69: [],
        70: ["A paper of yours expires soon"],
        93: ["A paper of yours expires soon"],
        100: [],
        101: ["A paper of yours has expired"],
        113: [],
        114: [],
    }
    for day, letters in expected.items():
        with at_day(day):
            assert run() == letters, day
            assert run() == [], day
    with at_day(93):
        (request,) = DocumentRequest.objects.all()
        assert (request.source, request.due_on) == ("expiry", TODAY + timedelta(days=100))
        assert request.reason == "The passport you gave us is valid until 10 June 2026."
        assert "PASSPORT" in request.types and "DRIVERS_LICENSE" in request.types
        # The old one holds until its last day, and the new one is asked for beside it.
        table, asked = papers.papers_of(abroad)
        assert (table.handed_in, asked.handed_in) == (True, False)
        ball = standing.ball(Application.objects.get(pk=abroad.pk))
        assert ball.holder == "customer"
    with at_day(101):
        (paper,) = papers.papers_of(abroad)
        assert paper.request == request and "It has expired." in paper.lacks
    with at_day(114):
        case = Case.objects.get(kind=CASE)
        assert case.subject_label == f"{request.title}, {abroad.reference}"[:200]
        renewed(abroad)
        assert now(request) == Status.HANDED_IN
        case.refresh_from_db()
        assert case.status == Case.Status.CLOSED


def test_the_new_paper_closes_it_when_the_provider_has_it(box: SandboxProcess, customer_user: User) -> None:
    application = journeys.foreigner(customer_user)
    soon = clock.now().date() + timedelta(days=20)
    first = passport(customer_user, application, soon)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    deliver(box)
    assert run() == ["A paper of yours expires soon"]
    request = DocumentRequest.objects.get()
    second = passport(customer_user, application, soon + timedelta(days=3000))
    drain()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == (Document.Status.REPLACED, Document.Status.AT_PROVIDER)
    assert now(request) == Status.ACCEPTED
    assert account_of(application).application.papers_asked == 0
    assert run() == []


def test_two_sides_are_one_request(abroad: Application, customer_user: User) -> None:
    with at_day(0):
        Document.objects.update(status="replaced")
        for side in ("FRONT", "BACK"):
            passport(customer_user, abroad, TODAY + timedelta(days=50), type="DRIVERS_LICENSE", side=side)
    with at_day(1):
        assert run() == ["A paper of yours expires soon"]
        assert DocumentRequest.objects.count() == 1
        assert run() == []


def test_what_staff_withdraw_is_not_asked_for_again(abroad: Application, analyst: User) -> None:
    with at_day(50):
        run()
        request = DocumentRequest.objects.get()
        services_withdraw(analyst, request)
        assert run() == []
    assert DocumentRequest.objects.count() == 1


def services_withdraw(actor: User, request: DocumentRequest) -> None:
    document_request_withdraw(actor=actor, request_id=request.pk, reason="Not needed.", source="page")


def test_drafts_and_closed_accounts_are_left_alone(abroad: Application) -> None:
    other = journeys.foreigner(make_customer_user(), given_name="Someone", family_name="Else")
    with at_day(0):
        passport(other.customer.user, other, TODAY + timedelta(days=50))
    ProviderAccount.objects.filter(application=abroad).update(status="closed")
    with at_day(60):
        assert run() == []
    assert not DocumentRequest.objects.exists()


# --- The case -----------------------------------------------------------------------------------------------


@pytest.fixture
def case(abroad: Application) -> Case:
    for day in (40, 114):
        with at_day(day):
            run()
    return Case.objects.get(kind=CASE)


def decide(case: Case, code: str, **more: str) -> None:
    manager = make_staff("compliance_manager")
    decide_case(manager, case, code, **more)


def test_more_time_begins_the_letters_again_and_ends_in_a_case_again(case: Case) -> None:
    with at_day(115):
        decide(case, "more_time")
        request = DocumentRequest.objects.get()
        assert (request.status, request.due_on) == (Status.OPEN, TODAY + timedelta(days=129))
    with at_day(122):
        assert run() == ["A paper of yours has expired"]
    with at_day(143):
        run()
    assert Case.objects.filter(kind=CASE).count() == 2


def test_not_wanted_ends_it(case: Case) -> None:
    with at_day(115):
        decide(case, "not_wanted", text="The account is being closed.")
        request = DocumentRequest.objects.get()
        assert request.status == Status.WITHDRAWN
        assert Application.objects.get(pk=request.application_id).papers_asked == 0
        case.refresh_from_db()
        assert case.status == Case.Status.CLOSED
        assert run() == []


def test_withdrawing_the_request_closes_the_case(case: Case, analyst: User) -> None:
    with at_day(115):
        services_withdraw(analyst, DocumentRequest.objects.get())
        case.refresh_from_db()
        assert case.status == Case.Status.CLOSED


# --- Lists and workers --------------------------------------------------------------------------------------


def test_the_list_of_what_expires(
    abroad: Application, analyst: User, signed_in: Callable[[User], Client]
) -> None:
    address = reverse("staff_documents:expiring")
    with at_day(39):
        assert abroad.reference not in signed_in(analyst).get(address).content.decode()
    with at_day(95):
        client = signed_in(analyst)
        text = client.get(address).content.decode()
        assert abroad.reference in text and "In 5 days" in text
        document = Document.objects.get()
        after = f"{document.expires_on}_{document.pk}"
        assert abroad.reference not in client.get(address, {"after": after}).content.decode()
        assert abroad.reference in client.get(address, {"after": "nonsense"}).content.decode()
    with at_day(100):
        assert "Expired" in signed_in(analyst).get(address).content.decode()


def test_a_batch_is_bounded_and_costs_the_same_for_each(application: Application, analyst: User) -> None:
    with at_day(0):
        kinds = ["VISA", "PASSPORT", "W_8BEN_FORM", "SOURCE_OF_FUNDS"]
        for kind in kinds:
            ask(analyst, application, types=[kind])
    with at_day(7):
        with CaptureQueriesContext(connection) as first:
            assert document_reminders.remind(1) == 1
        with CaptureQueriesContext(connection) as rest:
            assert document_reminders.remind(3) == 3
        assert document_reminders.remind() == 0
    assert len(rest) <= 3 * len(first)


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_letter_and_a_row_in_use_is_passed_over(
    application: Application, analyst: User
) -> None:
    with at_day(0):
        ask(analyst, application)
    done: list[int] = []

    def work() -> None:
        try:
            done.append(document_reminders.remind())
        finally:
            connections.close_all()

    def together(count: int) -> None:
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)

    with at_day(7):
        with transaction.atomic():
            Application.objects.select_for_update().get(pk=application.pk)
            together(1)
            assert done == [0]
        together(2)
        together(1)
    assert sum(done) == 1
    assert subjects() == ["We need a paper from you", "A paper is due soon"]
