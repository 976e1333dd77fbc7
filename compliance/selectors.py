"""Reads of cases. Each takes who asks and gives no case that is not theirs to see."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.core.cache import caches
from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from compliance import ordering, permissions
from compliance.models import Case, Queue, SavedView, Worker
from compliance.models.cases import NEVER
from portal import clock
from portal.errors import Forbidden, NotFound
from portal.models import User
from portal.pages import Page
from portal.permissions import can_do
from portal.search import search_words

REMEMBERED_SECONDS = 15
#: Counting stops here, so that a great backlog costs no page more; the menu shows "this many".
MOST_COUNTED = 1000
#: So many other cases about the subject are named on a case's page.
MOST_OTHERS = 20
UNDONE = ~Q(status__in=Case.DONE)
#: Statuses the queue asks for by one word.
GROUPS: dict[str, Q] = {"undone": UNDONE, "waiting": Q(status__in=sorted(Case.WAITING))}


@dataclass(frozen=True)
class CaseFilter:
    """The queue's filters, as they stand in the address."""

    text: str = ""
    kind: str = ""
    #: A queue's id, or "".
    queue: str = ""
    #: A status, or "undone" (nothing decided yet), "waiting", or "" for all.
    status: str = "undone"
    #: "me", "nobody", a person's id, or "".
    assignee: str = ""
    #: Opened at least so many days ago.
    older_than_days: int = 0
    #: One of ordering.ORDERS.
    sort: str = ordering.USUAL


def cases_visible_to(actor: User) -> QuerySet[Case]:
    """The cases the actor may see: those of their queues, or their own. Raises Forbidden for roles without any."""
    if can_do(actor, "queue.view"):
        return Case.objects.all()
    if can_do(actor, "case.view"):
        return Case.objects.exclude(queue__in=Queue.objects.exclude(seen_by__contains=[actor.role]))
    if can_do(actor, "case.view_own"):
        return Case.objects.filter(Q(opened_by=actor) | Q(assignee=actor))
    raise Forbidden("Your role does not see cases. Ask an administrator if you need it for your work.")


def case_for_staff(actor: User, case_id: UUID) -> Case:
    """One case. Raises Forbidden, or NotFound also for a case that is not theirs to see."""
    found = (
        cases_visible_to(actor).filter(pk=case_id).select_related("assignee", "opened_by", "queue").first()
    )
    if found is None:
        raise NotFound("There is no such case.")
    return found


def cases_for_staff(
    actor: User, chosen: CaseFilter, *, after: str = "", before: str = "", size: int = 25
) -> Page[Case]:
    """One page of the list in the order chosen, paged by key on an index; never counted.

    Orders by a date or a priority have an index of what is undecided alone; the rest comes oldest first.
    """
    rows = cases_visible_to(actor).select_related("assignee", "queue")
    if chosen.status in GROUPS:
        rows = rows.filter(GROUPS[chosen.status])
    elif chosen.status:
        rows = rows.filter(status=chosen.status)
    if chosen.kind:
        rows = rows.filter(kind=chosen.kind)
    if chosen.queue:
        rows = rows.filter(queue__in=_ids(chosen.queue))
    if chosen.assignee:
        rows = rows.filter(_assigned(actor, chosen.assignee))
    if chosen.older_than_days:
        rows = rows.filter(opened_at__lte=clock.now() - timedelta(days=chosen.older_than_days))
    if chosen.text:
        rows = rows.filter(_matches(chosen.text))
    order = ordering.ORDERS[chosen.sort]
    if order.key is not None:
        if chosen.status in {"", *Case.DONE}:
            order = ordering.ORDERS[ordering.USUAL]
        else:
            rows = rows.filter(UNDONE)
    return ordering.ordered(rows, order, after=after, before=before, size=size)


def queues_visible_to(actor: User) -> QuerySet[Queue]:
    """The queues whose cases the actor sees, by name."""
    rows = Queue.objects.order_by("name")
    return rows if can_do(actor, "queue.view") else rows.filter(seen_by__contains=[actor.role])


def queues_with_counts(actor: User) -> list[tuple[Queue, str]]:
    """The queues the actor sees, each with how much is undecided in it, MOST_COUNTED at most.

    Each process remembers the numbers for some seconds; a page never counts everything.
    """
    counts = caches["local"].get("queue_counts")
    if counts is None:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTS, [MOST_COUNTED + 1])
            counts = dict(cursor.fetchall())
        caches["local"].set("queue_counts", counts, REMEMBERED_SECONDS)
    return [(queue, _number(counts.get(queue.pk, 0))) for queue in queues_visible_to(actor)]


_COUNTS = """
SELECT q.id, (SELECT count(*) FROM (SELECT 1 FROM compliance_case c WHERE c.queue_id = q.id
 AND NOT (c.status IN ('decided', 'closed')) LIMIT %s) AS lying) FROM compliance_queue q"""


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else str(count)


def views_for(actor: User) -> list[SavedView]:
    """The actor's own views and those that are shared, by name."""
    rows = SavedView.objects.filter(Q(owner=actor) | Q(is_shared=True)).select_related("owner")
    return list(rows.order_by("name", "pk"))


def _assigned(actor: User, word: str) -> Q:
    if word == "me":
        return Q(assignee=actor)
    if word == "nobody":
        return Q(assignee__isnull=True)
    return Q(assignee__in=_ids(word))


def _ids(word: str) -> list[UUID]:
    """The id that the address gives, or none when it is no id."""
    try:
        return [UUID(word)]
    except ValueError:
        return []


def register_subject_search(find: Callable[[str], Iterable[UUID]]) -> None:
    """Have the search also ask `find` for the subjects of cases: an app knows its own by e-mail or account id."""
    _subject_searches.append(find)


_subject_searches: list[Callable[[str], Iterable[UUID]]] = []


def _matches(text: str) -> Q:
    """The reference and the subject's label, by the beginnings of words, and what the apps know of the subjects."""
    found = [key for find in _subject_searches for key in find(text.strip())]
    return _by_words(text) | Q(subject_id__in=found) if found else _by_words(text)


def _by_words(text: str) -> Q:
    terms = search_words(text)[:8]
    if not terms:
        return Q(pk__isnull=True)
    query = " & ".join(f"'{word}':*" for word in terms)
    return Q(search=SearchQuery(query, config="simple", search_type="raw"))


def cases_to_take() -> int:
    """How many open cases nobody works on, MOST_COUNTED at most.

    The staff menu asks on every page, so each process remembers the answer for some seconds.
    """
    found = caches["local"].get("cases_to_take")
    if found is None:
        found = _to_take(Case.objects.all())[:MOST_COUNTED].count()
        caches["local"].set("cases_to_take", found, REMEMBERED_SECONDS)
    return int(found)


def to_take(actor: User) -> QuerySet[Case]:
    """What nobody works on in the queues where the actor decides, the most pressing first, then by due."""
    rows = _to_take(cases_visible_to(actor))
    if can_do(actor, "case.manage"):
        return rows
    return rows.exclude(queue__in=Queue.objects.exclude(decided_by__contains=[actor.role]))


def _to_take(rows: QuerySet[Case]) -> QuerySet[Case]:
    free = rows.filter(status=Case.Status.OPEN, assignee__isnull=True)
    return free.order_by("-priority", Coalesce("due_at", NEVER), "pk")


def other_cases(actor: User, case: Case) -> list[Case]:
    """The newest other cases about the same subject, of any kind, that the actor may see."""
    same = cases_visible_to(actor).filter(subject_type=case.subject_type, subject_id=case.subject_id)
    return list(same.exclude(pk=case.pk).order_by("-pk")[:MOST_OTHERS])


def ticked(case: Case) -> set[str]:
    """The codes of the checklist's items that are done."""
    return set(case.ticks.values_list("item", flat=True))


def to_give(limit: int) -> list[Case]:
    """What nobody works on in any queue, the most pressing first, then by due."""
    rows = _to_take(Case.objects.select_related("queue"))
    return list(rows.only("kind", "queue__seen_by", "queue__decided_by")[:limit])


def workers() -> list[tuple[User, Worker, int]]:
    """Everybody who works on cases, how they work, and how many they have that wait for nobody else."""
    people = list(people_for_cases())
    rows = {row.pk: row for row in Worker.objects.filter(user__in=people)}
    mine = Case.objects.filter(UNDONE, assignee__in=people).exclude(status__in=sorted(Case.WAITING))
    loads = dict(mine.values_list("assignee").annotate(number=Count("pk")).order_by())
    return [
        (person, rows.get(person.pk) or Worker(user=person), loads.get(person.pk, 0)) for person in people
    ]


def people_for_cases() -> QuerySet[User]:
    """Who may be given a case, by name."""
    return User.objects.filter(is_active=True, role__in=permissions.WORKING_ROLES).order_by("name", "pk")
