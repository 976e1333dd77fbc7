"""Queries that are composed once ask for other rows each time, and give what the query itself would."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.composed import Composed
from portal.models import Role, StatusChange, User
from tests.people import make_staff

CHANGES = Composed(
    lambda key: StatusChange.objects.filter(subject_id=key).select_related("actor").order_by("new")[:2]
)
PEOPLE = Composed(lambda key: User.objects.filter(pk__in=[key]).order_by("email"))
SINCE = Composed(
    lambda actor, at: StatusChange.objects.filter(actor=actor, at__gt=at).order_by("at"), UUID, datetime
)
pytestmark = pytest.mark.django_db


def change(of: User, new: str, by: User | None = None, at: datetime | None = None) -> StatusChange:
    more = {"at": at} if at else {}
    return StatusChange.objects.create(
        subject_type="portal.user", subject_id=of.pk, old="", new=new, actor=by, **more
    )


def test_each_call_asks_for_its_own_rows_in_order_with_what_is_selected() -> None:
    ana, ben = make_staff(), make_staff()
    for new in ("c", "a", "b"):
        change(ana, new, by=ben)
    change(ben, "d")
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            rows = CHANGES(ana.pk)
            assert [(row.new, row.actor) for row in rows] == [("a", ben), ("b", ben)]
        assert len(asked) == 1
        assert [(row.new, row.actor) for row in CHANGES(ben.pk)] == [("d", None)]
    assert CHANGES.first(ana.pk) == rows[0]
    assert CHANGES.first(UUID(int=9)) is None


def test_a_list_of_keys_stands_for_one_and_moments_are_keys_too() -> None:
    ana, ben, cleo = sorted((make_staff(Role.AUDITOR) for _ in range(3)), key=lambda user: user.email)
    assert PEOPLE([cleo.pk, ana.pk]) == [ana, cleo]
    assert PEOPLE([]) == []
    now = datetime(2026, 5, 1, tzinfo=UTC)
    change(ana, "new", by=ben, at=now)
    assert [row.new for row in SINCE(ben.pk, now - timedelta(seconds=1))] == ["new"]
    assert SINCE(ben.pk, now) == []
    assert SINCE(ana.pk, now - timedelta(seconds=1)) == []


@pytest.mark.django_db(transaction=True)
def test_another_thread_asks_by_its_own_connection() -> None:
    ana = make_staff()
    assert PEOPLE([ana.pk]) == [ana]

    def there() -> tuple[list[User], bool]:
        with CaptureQueriesContext(connection) as asked:
            found = PEOPLE([ana.pk])
        connection.close()
        return found, len(asked) == 1

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(there).result() == ([ana], True)
