"""Queries that are composed once ask for other rows each time, and give what the query itself would."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.composed import Composed, Written, ahead, prefetched
from portal.models import Role, StatusChange, User
from tests.people import make_staff

CHANGES = Composed(
    lambda key: StatusChange.objects.filter(subject_id=key).select_related("actor").order_by("new")[:2]
)
PEOPLE = Composed(lambda key: User.objects.filter(pk__in=[key]).order_by("email"))
SINCE = Composed(
    lambda actor, at: StatusChange.objects.filter(actor=actor, at__gt=at).order_by("at"), UUID, datetime
)
OLD_AND_NEW = Composed(
    lambda key, new: StatusChange.objects.filter(subject_id=key, new=new).values_list("old", "new"), UUID, str
)
COUNTED = Written("SELECT count(*) FROM portal_statuschange WHERE subject_id = %s")
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


def test_words_are_keys_too_and_tuples_come_as_such() -> None:
    ana = make_staff()
    change(ana, "a")
    change(ana, "100% \N{REPLACEMENT CHARACTER}")
    assert OLD_AND_NEW(ana.pk, "a") == [("", "a")]
    assert OLD_AND_NEW(ana.pk, "100% \N{REPLACEMENT CHARACTER}") == [("", "100% \N{REPLACEMENT CHARACTER}")]
    assert OLD_AND_NEW(ana.pk, "key 2") == []


def test_what_is_asked_ahead_is_asked_at_once_and_answered_once() -> None:
    ana, ben = make_staff(), make_staff()
    change(ana, "a", by=ben)
    change(ben, "b")
    with CaptureQueriesContext(connection) as asked:
        with ahead(CHANGES.of(ana.pk), COUNTED.of(ana.pk), PEOPLE.of([ana.pk, ben.pk]), COUNTED.of(ben.pk)):
            assert len(asked) == 1
            assert [(row.new, row.actor) for row in CHANGES(ana.pk)] == [("a", ben)]
            assert {*PEOPLE([ana.pk, ben.pk])} == {ana, ben}
            assert COUNTED(ben.pk) == COUNTED(ana.pk) == [(1,)]
            assert len(asked) == 1
            # What nobody asked ahead, and what was answered: the rows as they are now.
            assert [row.new for row in CHANGES(ben.pk)] == ["b"]
            change(ana, "c")
            assert COUNTED(ana.pk) == [(2,)]
        assert CHANGES.first(ben.pk) is not None
    # One for all, three that were asked, one that was written.
    assert len(asked) == 5


def test_an_answer_nobody_took_is_gone_with_its_block() -> None:
    ana = make_staff()
    with ahead(COUNTED.of(ana.pk)):
        pass
    change(ana, "a")
    assert COUNTED(ana.pk) == [(1,)]
    with pytest.raises(ZeroDivisionError), ahead(COUNTED.of(ana.pk)):
        change(ana, "b")
        raise ZeroDivisionError
    assert COUNTED(ana.pk) == [(2,)]


def test_rows_get_others_as_prefetching_would_give_them() -> None:
    ana, ben = make_staff(), make_staff()
    people = [ana, ben]
    authenticators = list(ana.authenticator_set.all())
    prefetched(people, "authenticator_set", authenticators, "user_id")
    with CaptureQueriesContext(connection) as asked:
        assert list(ana.authenticator_set.all()) == authenticators != []
        assert list(ben.authenticator_set.all()) == []
    assert len(asked) == 0
