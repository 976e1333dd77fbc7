"""Queries that are composed once ask for other rows each time, and give what the query itself would."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import NotSupportedError, ProgrammingError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from portal.composed import Composed, Written, ahead, listed, prefetched
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
COUNTED = Written("SELECT count(*) FROM portal_statuschange WHERE subject_id = %(subject)s")
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
        with ahead(
            CHANGES.of(ana.pk),
            COUNTED.of(subject=ana.pk),
            PEOPLE.of([ana.pk, ben.pk]),
            COUNTED.of(subject=ben.pk),
        ):
            assert len(asked) == 1
            assert [(row.new, row.actor) for row in CHANGES(ana.pk)] == [("a", ben)]
            assert {*PEOPLE([ana.pk, ben.pk])} == {ana, ben}
            assert COUNTED(subject=ben.pk) == COUNTED(subject=ana.pk) == [(1,)]
            assert len(asked) == 1
            # What nobody asked ahead, and what was answered: the rows as they are now.
            assert [row.new for row in CHANGES(ben.pk)] == ["b"]
            change(ana, "c")
            assert COUNTED(subject=ana.pk) == [(2,)]
        assert CHANGES.first(ben.pk) is not None
    # One for all, three that were asked, one that was written.
    assert len(asked) == 5


def test_an_answer_nobody_took_is_gone_with_its_block() -> None:
    ana = make_staff()
    with ahead(COUNTED.of(subject=ana.pk)):
        pass
    change(ana, "a")
    assert COUNTED(subject=ana.pk) == [(1,)]
    with pytest.raises(ZeroDivisionError), ahead(COUNTED.of(subject=ana.pk)):
        change(ana, "b")
        raise ZeroDivisionError
    assert COUNTED(subject=ana.pk) == [(2,)]


def test_rows_get_others_as_prefetching_would_give_them() -> None:
    ana, ben = make_staff(), make_staff()
    people = [ana, ben]
    authenticators = list(ana.authenticator_set.all())
    prefetched(people, "authenticator_set", authenticators, "user_id")
    with CaptureQueriesContext(connection) as asked:
        assert list(ana.authenticator_set.all()) == authenticators != []
        assert list(ben.authenticator_set.all()) == []
    assert len(asked) == 0


UNUSED = Composed(lambda _role, key: StatusChange.objects.filter(subject_id=key).order_by("at"), str, UUID)
PERCENT = Composed(
    lambda key: StatusChange.objects.filter(subject_id=key, new__endswith="%").values_list("new"), UUID
)
WRITTEN_DOWN = Written(
    "INSERT INTO portal_statuschange (id, at, subject_type, subject_id, old, new, reason, source, request_id)"
    " VALUES (%(id)s, now(), 'portal.user', %(subject)s, '', %(new)s, '', '', '')"
)


def test_keys_that_the_query_has_no_use_for_and_percent_signs() -> None:
    ana = make_staff()
    change(ana, "all")
    change(ana, "5%")
    assert [row.new for row in UNUSED("whoever", ana.pk)] == ["all", "5%"]
    assert PERCENT(ana.pk) == [("5%",)]
    with ahead(PERCENT.of(ana.pk), UNUSED.of("whoever", ana.pk)):
        assert (PERCENT(ana.pk), len(UNUSED("whoever", ana.pk))) == ([("5%",)], 2)
    with pytest.raises(TypeError, match="takes 2 keys, not 1"):
        UNUSED.of(ana.pk)


@pytest.mark.django_db(transaction=True)
def test_each_query_is_prepared_once_for_a_connection() -> None:
    ana = make_staff()
    connection.close()
    sent = []
    for _ in range(3):
        with (
            CaptureQueriesContext(connection) as asked,
            ahead(PEOPLE.of([ana.pk]), COUNTED.of(subject=ana.pk)),
        ):
            assert (PEOPLE([ana.pk]), COUNTED(subject=ana.pk)) == ([ana], [(0,)])
        (only,) = asked
        sent.append(only["sql"].count("PREPARE"))
    assert sent == [2, 0, 0]


def test_what_writes_is_sent_with_what_is_asked() -> None:
    ana = make_staff()
    with ahead(WRITTEN_DOWN.of(id=UUID(int=7), subject=ana.pk, new="a"), COUNTED.of(subject=ana.pk)):
        assert COUNTED(subject=ana.pk) == [(1,)]
    assert WRITTEN_DOWN(id=UUID(int=8), subject=ana.pk, new="b") == []
    assert COUNTED(subject=ana.pk) == [(2,)]


def test_a_block_in_a_block_asks_what_is_known_only_then() -> None:
    ana, ben = make_staff(), make_staff()
    with (
        CaptureQueriesContext(connection) as asked,
        ahead(COUNTED.of(subject=ana.pk), PEOPLE.of([ana.pk])),
    ):
        with ahead(CHANGES.of(PEOPLE([ana.pk])[0].pk), COUNTED.of(subject=ben.pk)):
            assert CHANGES(ana.pk) == []
            assert COUNTED(subject=ana.pk) == [(0,)]
        assert len(asked) == 2
        # What the inner block asked went with it.
        assert COUNTED(subject=ben.pk) == [(0,)]
    assert len(asked) == 3


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_no_longer_fits_fails_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE lately (number integer)")
    numbers = Written("SELECT number FROM lately WHERE number > %(least)s")
    try:
        assert numbers(least=1) == []
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE lately ALTER number TYPE bigint")
        with pytest.raises(NotSupportedError, match="must not change result type"):
            numbers(least=1)
        assert numbers(least=1) == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE lately")


def test_lists_are_composed_once_for_a_key() -> None:
    ana = make_staff()
    change(ana, "a")
    composed = []

    def compose() -> QuerySet[StatusChange]:
        composed.append(1)
        return StatusChange.objects.filter(subject_id=ana.pk).select_related("actor").order_by("new")[:2]

    assert [row.new for row in listed(("changes", ana.pk), compose)] == ["a"]
    change(ana, "0", by=ana)
    with CaptureQueriesContext(connection) as asked:
        rows = listed(("changes", ana.pk), compose)
        assert [(row.new, row.actor) for row in rows] == [("0", ana), ("a", None)]
    assert (len(asked), len(composed)) == (1, 1)
    assert [row.new for row in listed(None, compose)] == ["0", "a"]
    assert len(composed) == 2


@pytest.mark.django_db(transaction=True)
def test_a_session_that_prepared_nothing_of_it_fails_once() -> None:
    assert COUNTED(subject=UUID(int=9)) == [(0,)]
    with connection.cursor() as cursor:
        # As a pooler does that gives the session to others in between.
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(ProgrammingError, match="does not exist"):
        COUNTED(subject=UUID(int=9))
    assert COUNTED(subject=UUID(int=9)) == [(0,)]


@pytest.mark.django_db(transaction=True)
def test_a_connection_keeps_a_limited_number_of_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.composed._MOST_PREPARED", 2)
    ana = make_staff()
    connection.close()
    for _ in range(2):
        for ending in ("%", "a", "b"):
            rows = User.objects.filter(pk=ana.pk).exclude(name__endswith=ending)
            assert listed(("few", ending), lambda rows=rows: rows) == [ana]
            assert COUNTED(subject=ana.pk) == [(0,)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        assert cursor.fetchone()[0] <= 3
