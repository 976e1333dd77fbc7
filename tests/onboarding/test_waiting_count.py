"""The number beside "Applications": what waits on a person of ours, for one cheap query now and then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from onboarding import selectors, standing
from onboarding.models import Application
from portal import clock
from portal.models import User
from portal.ui import nav
from tests.flow import complete_draft, submitted
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
LATE = standing.SLOW_AFTER + timedelta(seconds=1)


def count() -> int:
    return selectors.applications_for_a_person()


def test_only_what_is_late_with_us_is_counted(customer_user: User) -> None:
    with time_machine.travel(clock.now() - LATE):
        complete_draft(make_customer_user())
        stuck = submitted(customer_user)
        received = submitted(make_customer_user())
        received.move_to(Application.Status.RECEIVED, actor=None)
    submitted(make_customer_user())
    assert count() == 1
    ball = standing.ball(stuck)
    assert ball.holder == "us"
    assert ball.due is not None
    assert ball.due < clock.now()


def test_what_is_held_for_a_decision_is_counted_at_once(customer_user: User) -> None:
    Application.objects.filter(pk=complete_draft(customer_user).pk).update(status=Application.Status.HELD)
    assert count() == 1


def test_one_indexed_query_then_none_for_some_seconds(
    customer_user: User, django_assert_num_queries: Any
) -> None:
    with time_machine.travel(clock.now() - LATE):
        submitted(customer_user)
    with django_assert_num_queries(1) as asked:
        assert count() == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]['sql']}")
        # Among a handful of rows the planner may read one branch or both through the index's other column.
        plan = str(cursor.fetchall())
        assert "Index" in plan
        assert "Seq Scan" not in plan
    Application.objects.update(status_at=clock.now())
    with django_assert_num_queries(0):
        assert count() == 1
    later = clock.now() + timedelta(seconds=selectors.REMEMBERED_SECONDS + 1)
    with time_machine.travel(later), django_assert_num_queries(1):
        assert count() == 0


def test_the_menu_shows_it_to_those_who_may_open_the_list(
    customer_user: User, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    with time_machine.travel(clock.now() - LATE):
        submitted(customer_user)
    page = signed_in(staff("onboarding_agent")).get(reverse("staff:applications")).content.decode()
    assert 'Applications<span class="count">1<span class="visually-hidden"> waiting</span></span>' in page
    assert nav.waiting(customer_user) == {}


def test_a_page_asks_once_less_when_it_is_remembered(
    staff: Callable[[str], User], signed_in: Callable[[User], Client], django_assert_max_num_queries: Any
) -> None:
    client = signed_in(staff("auditor"))

    def ask() -> int:
        with django_assert_max_num_queries(30) as captured:
            assert client.get(reverse("audit:list")).status_code == 200
        return sum("onboarding_application" in query["sql"] for query in captured)

    assert (ask(), ask()) == (1, 0)
