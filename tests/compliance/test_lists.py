"""The list: its orders page by key on an index, counts, columns, views, and one thing done to many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import ordering, selectors, services
from compliance.models import Case, ListColumns, SavedView
from compliance.selectors import CaseFilter
from portal import clock
from portal.errors import Forbidden, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, User
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.kinds import KIND
from tests.compliance.test_queues import queue, rule
from tests.plans import plan_of, settle

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = reverse("cases:list")
BULK = reverse("cases:bulk")
COLUMNS = reverse("cases:columns")
VIEWS = reverse("cases:view_save")


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture
def client(analyst: User, signed_in: SignIn) -> Client:
    return signed_in(analyst)


def shown(client: Client, **query: str) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return answer.content.decode()


# --- Orders -------------------------------------------------------------------------------------------------


def mixed(analyst: User) -> list[Case]:
    """Seven cases of different age, priority and date, one of them waiting and so without a date."""
    for at, priority in enumerate([2, 4, 2, 1, 4, 3]):
        with time_machine.travel(clock.now() - timedelta(hours=at % 3)):
            opened(priority=priority)
    waiting = ready(analyst)
    services.case_wait(
        actor=analyst, case_id=waiting.pk, on="customer", until=clock.now() + timedelta(days=1), reason="x"
    )
    return list(Case.objects.order_by("pk"))


def in_order(rows: list[Case], sort: str) -> list[Case]:
    def due(case: Case) -> tuple[bool, Any, Any]:
        return (case.due_at is None, case.due_at, case.pk)

    return {
        "oldest": lambda: sorted(rows, key=lambda case: case.pk),
        "newest": lambda: sorted(rows, key=lambda case: case.pk, reverse=True),
        "due": lambda: sorted(rows, key=due),
        "pressing": lambda: sorted(rows, key=lambda case: (-case.priority, case.pk)),
    }[sort]()


@pytest.mark.parametrize("sort", list(ordering.ORDERS))
def test_every_order_pages_forth_and_back_over_each_case_once(analyst: User, sort: str) -> None:
    expected = in_order(mixed(analyst), sort)
    chosen, pages = CaseFilter(sort=sort), []
    page = selectors.cases_for_staff(analyst, chosen, size=2)
    assert not page.newer
    while True:
        pages.append(page.rows)
        if not page.older:
            break
        page = selectors.cases_for_staff(analyst, chosen, size=2, after=page.older)
    assert [case for rows in pages for case in rows] == expected
    for rows in reversed(pages[:-1]):
        page = selectors.cases_for_staff(analyst, chosen, size=2, before=page.newer)
        assert page.rows == rows
    assert not page.newer


@pytest.mark.parametrize("sort", list(ordering.ORDERS))
@pytest.mark.parametrize(
    "cursor",
    [*("x", "~", "7~x", "9999~{id}", "2026-01-01~{id}", "{id}"), "1~{id}", "2026-01-01T00:00:00+00:00~{id}"],
)
def test_a_cursor_of_elsewhere_breaks_nothing(client: Client, sort: str, cursor: str) -> None:
    opened()
    for name in ("after", "before"):
        shown(client, sort=sort, **{name: cursor.format(id=new_id())})


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (CaseFilter(sort="due"), "case_undone_by_due"),
        (CaseFilter(due="overdue"), "case_undone_by_due"),
        (CaseFilter(sort="pressing"), "case_undone_by_priority"),
        (CaseFilter(sort="newest"), "case_undone"),
        (CaseFilter(queue="{queue}"), "case_undone_by_queue"),
    ],
)
def test_every_order_reads_an_index_also_deep_down(
    analyst: User, manager: User, chosen: CaseFilter, index: str
) -> None:
    """Among 1,500 open cases and as many closed ones, and from a cursor in the middle."""
    few = queue(manager, "Few")
    now = clock.now()
    Case.objects.bulk_create(
        Case(kind="y", subject_type="y", subject_id=new_id(), subject_label="y", status="closed")
        for _ in range(1500)
    )
    Case.objects.bulk_create(
        Case(
            kind="y",
            subject_type="y",
            subject_id=new_id(),
            subject_label="y",
            priority=1 + at % 4,
            due_at=now + timedelta(minutes=at),
            queue=few if at % 100 == 0 else None,
        )
        for at in range(1500)
    )
    if chosen.queue:
        chosen = CaseFilter(queue=str(few.pk))
    settle("compliance_case")
    order = selectors._order(chosen)
    rows = Case.objects.annotate(key=order.key) if order.key is not None else Case.objects
    middle = order.write(rows.filter(status="open").order_by(*order.words(back=False))[750])
    for after in ("", middle):
        with CaptureQueriesContext(connection) as captured:
            selectors.cases_for_staff(analyst, chosen, after=after)
        plan = plan_of(captured[-1]["sql"])
        assert f"using {index} " in plan, plan
        assert "Seq Scan on compliance_case" not in plan, plan
        assert chosen.queue or "Sort" not in plan, plan


def test_the_list_costs_the_same_however_long_in_every_order(client: Client, analyst: User) -> None:
    for sort in ordering.ORDERS:
        costs = []
        for _ in range(2):
            mixed(analyst)
            shown(client, sort=sort)
            with CaptureQueriesContext(connection) as queries:
                shown(client, sort=sort)
            costs.append(len(queries))
        assert costs[0] == costs[1], sort


# --- Counts, columns, views ---------------------------------------------------------------------------------


def test_queues_show_how_much_lies_in_them(
    client: Client, manager: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    assert 'aria-label="Queues"' not in shown(client)
    rule(manager, queue(manager, "Mexico"))
    queue(manager, "Vault", seen_by=[], decided_by=[])
    for _ in range(3):
        opened()
    # What this process remembers of the time before is forgotten.
    with monkeypatch.context() as patch:
        patch.setattr(selectors, "MOST_COUNTED", 2)
        selectors.caches["local"].clear()
        page = shown(client, kind=KIND)
    assert 'Mexico<span class="count">2+</span>' in page
    assert 'All cases<span class="count">1</span>' in page
    assert "Vault" not in page
    assert "Vault" in shown(signed_in(manager))
    assert f"kind={KIND}&amp;queue=" in page


def test_each_chooses_columns(client: Client, analyst: User, manager: User, signed_in: SignIn) -> None:
    opened(a_subject("Oriana"))
    assert "Oriana" in shown(client)
    client.post(COLUMNS, {"columns": ["country", "due"]})
    page = shown(client)
    assert "Oriana" not in page
    assert '<th scope="col">Country</th>' in page
    assert "Oriana" in shown(signed_in(manager))
    assert client.post(COLUMNS, {"columns": ["secrets"]}).status_code == 422
    ListColumns.objects.update(columns=["gone", "about"])
    assert "Oriana" in shown(client)
    client.post(COLUMNS, {})
    assert "Oriana" not in shown(client)


def test_a_view_is_kept_shared_and_removed(
    client: Client, analyst: User, manager: User, staff: Staff, signed_in: SignIn
) -> None:
    opened()
    kept = f"{VIEWS}?sort=due&status=waiting&evil=1&kind=nonsense"
    assert client.post(kept, {"view-name": "Waiting"}).status_code == 302
    own = SavedView.objects.get()
    assert (own.query, own.is_shared) == ("status=waiting&sort=due", False)
    assert f"{LIST}?status=waiting&amp;sort=due" in shown(client)
    other = signed_in(staff("compliance_analyst"))
    assert "Waiting</a>" not in shown(other)
    assert other.post(reverse("cases:view_remove", args=[own.pk])).status_code == 404
    # The box is not theirs to tick.
    client.post(VIEWS, {"view-name": "Mine", "view-is_shared": "on"})
    assert not SavedView.objects.filter(is_shared=True).exists()
    with pytest.raises(Forbidden):
        services.view_save(actor=analyst, name="x", query="", is_shared=True)
    boss = signed_in(manager)
    boss.post(f"{VIEWS}?sort=pressing", {"view-name": "Urgent", "view-is_shared": "on"})
    shared = SavedView.objects.get(is_shared=True)
    assert f"{LIST}?sort=pressing" in shown(other)
    assert other.post(reverse("cases:view_remove", args=[shared.pk])).status_code == 404
    boss.post(reverse("cases:view_remove", args=[shared.pk]))
    client.post(reverse("cases:view_remove", args=[own.pk]))
    assert [view.name for view in SavedView.objects.all()] == ["Mine"]
    actions = AuditEntry.objects.filter(subject_type="compliance.savedview").values_list("action", flat=True)
    assert sorted(actions) == ["case.view_removed", "case.view_shared"]
    assert client.post(VIEWS, {"view-name": " "}).status_code == 422


def test_one_may_not_keep_views_without_end(analyst: User) -> None:
    for number in range(services.lists.MOST_VIEWS):
        services.view_save(actor=analyst, name=str(number), query="", is_shared=False)
    services.view_save(actor=analyst, name="7", query="sort=due", is_shared=False)
    with pytest.raises(Invalid):
        services.view_save(actor=analyst, name="more", query="", is_shared=False)
    with pytest.raises(NotFound):
        services.view_remove(actor=analyst, view_id=new_id())


# --- Many at once -------------------------------------------------------------------------------------------


def test_many_are_assigned_with_an_answer_for_each(
    client: Client, analyst: User, manager: User, staff: Staff
) -> None:
    free, taken = opened(), ready(manager)
    rule(manager, queue(manager, "Sanctions", seen_by=[], decided_by=[]))
    hidden = opened()
    keys = [str(case.pk) for case in (free, taken, hidden)]
    answer = client.post(f"{BULK}?sort=due", {"do": "take", "case": [*keys, "x", keys[0]]})
    page = answer.content.decode()
    assert answer.status_code == 200
    for text in (
        "Done for 1 of 3.",
        free.reference,
        "compliance manager works on it.",
        "There is no such case.",
    ):
        assert text in page, text
    assert hidden.reference not in page
    assert f"{LIST}?sort=due" in page
    assert [Case.objects.get(pk=key).assignee for key in keys] == [analyst, manager, None]


def test_a_manager_gives_many_and_an_analyst_does_not(
    client: Client, analyst: User, manager: User, signed_in: SignIn
) -> None:
    cases = [opened(), opened()]
    given = {"do": "give", "case": [str(case.pk) for case in cases], "bulk-to": str(analyst.pk)}
    assert client.post(BULK, given).status_code == 422
    boss = signed_in(manager)
    assert boss.post(BULK, given | {"bulk-to": ""}).status_code == 422
    assert not Case.objects.filter(assignee=analyst).exists()
    assert "Done for 2 of 2." in boss.post(BULK, given).content.decode()
    assert Case.objects.filter(assignee=analyst, status="in_progress").count() == 2
    assert "Done for 2 of 2." in client.post(BULK, given | {"do": "put_back"}).content.decode()
    assert Case.objects.filter(assignee=None, status="open").count() == 2
    with pytest.raises(Forbidden):
        services.case_assign(actor=analyst, case_id=cases[0].pk, to=manager)


def test_many_are_noted(client: Client, staff: Staff, signed_in: SignIn) -> None:
    cases = [opened(), opened()]
    keys = {"do": "note", "case": [str(case.pk) for case in cases]}
    assert client.post(BULK, keys | {"bulk-text": " "}).status_code == 422
    assert client.post(BULK, {"do": "note", "bulk-text": "x"}).status_code == 422
    many = [str(new_id()) for _ in range(26)]
    assert client.post(BULK, {"do": "take", "case": many}).status_code == 422
    assert "Done for 2 of 2." in client.post(BULK, keys | {"bulk-text": "Called."}).content.decode()
    assert all(case.notes.get().text == "Called." for case in cases)
    for role in ("auditor", "onboarding_agent", "funding_operator"):
        browser = signed_in(staff(role))
        assert browser.post(BULK, keys | {"bulk-text": "x"}).status_code == 403
        assert 'name="case"' not in browser.get(LIST).content.decode()
    assert Client().post(BULK, keys).status_code == 302


@pytest.mark.parametrize("address", [COLUMNS, VIEWS])
def test_whoever_sees_no_cases_has_no_list(address: str, staff: Staff, signed_in: SignIn) -> None:
    assert signed_in(staff("funding_operator")).post(address, {"view-name": "x"}).status_code == 403
    assert not SavedView.objects.exists()
    assert not ListColumns.objects.exists()
