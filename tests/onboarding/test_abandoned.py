"""Drafts nobody goes on with: the letters of the plan, each once, and the end."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from onboarding import abandoned, services, standing
from onboarding.models import Application, DraftReminder
from portal import clock
from portal.mail import RowBackend
from portal.models import StatusChange, User
from portal.models.mail import MailMessage
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def draft(customer_user: User) -> Application:
    return services.application_start(actor=customer_user, source="page")


def at_day(days: float) -> Any:
    """That many days from now, and a little."""
    return time_machine.travel(clock.now() + timedelta(days=days, minutes=1), tick=False)


def run() -> tuple[int, int]:
    return abandoned.remind(), abandoned.expire()


def subjects() -> list[str]:
    return list(MailMessage.objects.order_by("created_at").values_list("subject", flat=True))


def fresh(draft: Application) -> Application:
    return Application.objects.get(pk=draft.pk)


def test_the_whole_plan(draft: Application) -> None:
    letters = []
    start = clock.now()
    for day in range(1, 33):
        with time_machine.travel(start + timedelta(days=day, minutes=1), tick=False):
            for _ in range(2):
                run()
            letters.append(MailMessage.objects.count())
    # One after 3, 10 and 20 days, and one at the end.
    assert [day for day in range(1, 33) if letters[day - 1] > ([0, *letters])[day - 1]] == [3, 10, 20, 30]
    assert letters[-1] == 4
    gone = fresh(draft)
    assert gone.status == Application.Status.WITHDRAWN
    change = StatusChange.objects.get(subject_id=draft.pk)
    assert (change.new, change.reason, change.actor) == ("withdrawn", "expired", None)


def test_a_change_begins_the_plan_anew(customer_user: User, draft: Application) -> None:
    with at_day(20):
        run()
    with at_day(25):
        journeys.save(customer_user, draft, {"contact": answers.STEPS["contact"]})
        with at_day(3):
            assert run() == (1, 0)
    with at_day(31):
        assert run()[1] == 0
    assert fresh(draft).status == Application.Status.DRAFT


def test_whoever_was_not_written_to_gets_one_letter_and_time_to_read_it(draft: Application) -> None:
    with at_day(200):
        assert run() == (1, 0)
        assert run() == (0, 0)
        assert subjects() == ["Your application waits for you"]
        with at_day(9):
            assert run() == (0, 0)
        with at_day(10):
            assert run() == (0, 1)


def test_nothing_but_drafts(customer_user: User, draft: Application) -> None:
    services.application_withdraw(actor=customer_user, application_id=draft.pk, source="page")
    with at_day(40):
        assert run() == (0, 0)
    assert standing.shown_status(fresh(draft))[0] == "Withdrawn"


def test_who_was_switched_off_is_not_written_to(customer_user: User, draft: Application) -> None:
    User.objects.filter(pk=customer_user.pk).update(is_active=False)
    with at_day(20):
        run()
    with at_day(31):
        assert run()[1] == 1
    assert subjects() == []


class Killed(RowBackend):
    """The process is killed while it writes the letter: after the note, before the commit."""

    def send_messages(self, email_messages: Any) -> int:
        raise SystemExit


def test_a_worker_that_dies_does_both_or_neither(draft: Application, settings: Settings) -> None:
    backend = settings.EMAIL_BACKEND
    with at_day(3):
        settings.EMAIL_BACKEND = f"{__name__}.Killed"
        with pytest.raises(SystemExit):
            abandoned.remind()
        assert not DraftReminder.objects.exists()
        settings.EMAIL_BACKEND = backend
        assert abandoned.remind() == 1
        assert len(subjects()) == 1


def test_what_is_told_of_it(
    customer_user: User, draft: Application, signed_in: SignIn, staff: Callable[[str], User]
) -> None:
    with time_machine.travel("2026-03-02T12:00:00Z", tick=False):
        Application.objects.filter(pk=draft.pk).update(updated_at=clock.now())
        home = signed_in(customer_user).get(f"/api/v1/applications/{draft.pk}").json()
        assert "we keep it until 1 April 2026" in home["next_action"]["body"]
        with at_day(20):
            run()
            assert "1 April 2026" in MailMessage.objects.latest("created_at").content.reveal()["text"]
        with at_day(30):
            run()
            browser, agent = signed_in(customer_user), signed_in(staff("onboarding_agent"))
            assert "has run out" in browser.get(reverse("customer:home")).content.decode()
            assert (
                browser.post(
                    reverse("customer:start"), {"account_type": "INDIVIDUAL", "country": "US"}
                ).status_code
                == 302
            )
            listed = agent.get(reverse("staff:applications"), {"status": "expired"}).content.decode()
            assert draft.reference in listed and "Expired: nobody went on" in listed
            assert listed.count('data-label="Reference"') == 1
    assert Application.objects.filter(status="draft").count() == 1


def test_a_batch_is_bounded_and_costs_the_same_for_each(draft: Application) -> None:
    for _ in range(4):
        services.application_start(actor=make_customer_user(), source="page")
    with at_day(3):
        with CaptureQueriesContext(connection) as first:
            assert abandoned.remind(1) == 1
        with CaptureQueriesContext(connection) as rest:
            assert abandoned.remind(3) == 3
        assert abandoned.remind() == 1
    assert len(rest) < 3 * len(first)


@pytest.mark.django_db(transaction=True)
def test_two_workers_write_one_letter(draft: Application) -> None:
    with at_day(3):
        start = threading.Barrier(2)

        def work() -> None:
            start.wait()
            try:
                abandoned.remind()
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(subjects()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_draft_in_use_is_passed_over(draft: Application) -> None:
    found: list[int] = []

    def work() -> None:
        try:
            found.append(abandoned.remind())
        finally:
            connections.close_all()

    with at_day(3):
        with transaction.atomic():
            Application.objects.select_for_update().get(pk=draft.pk)
            thread = threading.Thread(target=work)
            thread.start()
            thread.join(timeout=20)
            assert found == [0]
        work()
    assert found == [0, 1]
