"""Reads of cases. Each takes who asks and gives no case that is not theirs to see."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.core.cache import caches
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.db.models.lookups import LessThan
from django.utils import timezone

from compliance import ordering, permissions
from compliance.models import Case, CaseExport, CaseMention, Queue, Review, Worker
from compliance.models.cases import NEVER
from portal import clock
from portal.composed import Composed, Question
from portal.errors import Forbidden, NotFound
from portal.models import User
from portal.pages import Page, keyset
from portal.permissions import can_do, require
from portal.search import among, search_words

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
    #: Only those on which a note names the actor.
    mentioned: bool = False
    #: Opened at least so many days ago.
    older_than_days: int = 0
    #: "overdue", "today" (due by its end, what is overdue among it), or "".
    due: str = ""
    #: One of Case.Priority, or 0 for all.
    priority: int = 0
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
    found = _case_by(_role(actor)).first(case_id, actor.pk)
    if found is None:
        raise NotFound("There is no such case.")
    if (
        found.is_done
        and Review.objects.filter(case=found, reviewer=actor, status=Review.Status.TAKEN).exists()
    ):
        raise Forbidden(
            "You review this case without knowing how it was decided. Finish the review or put it back first."
        )
    return found


def _role(actor: User) -> str:
    """By what queries differ that are composed for a role; empty for who may nothing."""
    return actor.role if actor.is_active else ""


def _reader(actor_id: UUID, role: str) -> User:
    return User(pk=actor_id, role=role, is_active=bool(role))


@cache
def _case_by(role: str) -> Composed[Case]:
    """One case by its key and who asks, as that role sees it."""

    def compose(case_id: UUID, actor_id: UUID) -> QuerySet[Case]:
        rows = cases_visible_to(_reader(actor_id, role)).filter(pk=case_id)
        return rows.select_related("assignee", "opened_by", "queue")

    return Composed(compose, UUID, UUID)


#: What the list prints of a case, and what deciding about its approval asks (approvers.py).
_LISTED = (
    "reference",
    "kind",
    "subject_type",
    "subject_id",
    "subject_label",
    "status",
    "status_at",
    "priority",
    "opened_at",
    "opened_by",
    "due_at",
    "waiting_until",
    "last_fact_at",
    "country",
    "amount_minor",
    "currency",
    "version",
    "assignee__name",
    "queue__name",
    "queue__seen_by",
    "queue__decided_by",
)


def cases_for_staff(
    actor: User, chosen: CaseFilter, *, after: str = "", before: str = "", size: int = 25
) -> Page[Case]:
    """One page of the list in the order chosen, paged by key on an index; never counted.

    Orders by a date or a priority have an index of what is undecided alone; the rest comes oldest first.
    """
    cases_visible_to(actor)

    def rows() -> QuerySet[Case]:
        return _listed(actor, chosen).select_related("assignee", "queue").only(*_LISTED)

    # What is searched for is looked up in other tables; where time counts, a query is good for a minute.
    moment = _minute() if chosen.older_than_days or chosen.due else None
    key = None if chosen.text else ("cases", actor.pk, actor.role, chosen, moment)
    return ordering.ordered(rows, _order(chosen), after=after, before=before, size=size, key=key)


def neighbours(actor: User, chosen: CaseFilter, case_id: UUID) -> tuple[UUID | None, UUID | None]:
    """The cases before and after this one in the list, also when it has left the list meanwhile."""
    rows, order = _listed(actor, chosen), _order(chosen)
    before, after = (ordering.beside(rows, order, case_id, back=back) for back in (True, False))
    return before, after


def _order(chosen: CaseFilter) -> ordering.Order:
    # What is due comes in that order, unless another is asked for: few are overdue, and its index begins with them.
    order = ordering.ORDERS["due" if chosen.due and chosen.sort == ordering.USUAL else chosen.sort]
    # What is done has no index for these.
    is_undone = chosen.status not in {"", *Case.DONE}
    return order if order.key is None or is_undone else ordering.ORDERS[ordering.USUAL]


def _listed(actor: User, chosen: CaseFilter) -> QuerySet[Case]:
    rows = cases_visible_to(actor)
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
    if chosen.mentioned:
        rows = rows.filter(Exists(CaseMention.objects.filter(person=actor, case=OuterRef("pk"))))
    if chosen.older_than_days:
        rows = rows.filter(opened_at__lte=_minute() - timedelta(days=chosen.older_than_days))
    if chosen.priority:
        rows = rows.filter(priority=chosen.priority)
    if chosen.due:
        rows = rows.filter(_due(chosen.due))
    if chosen.text:
        rows = among(rows, _matches(chosen.text))
    return rows if _order(chosen).key is None else rows.filter(UNDONE)


def _due(by: str) -> Q:
    """Undecided cases whose clock runs and that are due by now, or by the end of today."""
    until = _minute()
    if by == "today":
        until = timezone.localtime(until).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(
            days=1
        )
    # Said as its index says it.
    return UNDONE & ~Q(status__in=sorted(Case.WAITING)) & Q(LessThan(Coalesce("due_at", NEVER), until))


def _minute() -> datetime:
    return clock.now().replace(second=0, microsecond=0)


def queues_visible_to(actor: User) -> QuerySet[Queue]:
    """The queues whose cases the actor sees, by name."""
    rows = Queue.objects.order_by("name")
    return rows if can_do(actor, "queue.view") else rows.filter(seen_by__contains=[actor.role])


def queues_of(actor: User) -> list[Queue]:
    """The same, read."""
    return _queues_by(_role(actor))()


def queues_question(actor: User) -> Question:
    """What `queues_of` asks."""
    return _queues_by(_role(actor)).of()


@cache
def _queues_by(role: str) -> Composed[Queue]:
    return Composed(lambda: queues_visible_to(User(role=role, is_active=bool(role))))


def undone_in(queues: Iterable[Queue]) -> list[tuple[Queue, str]]:
    """The queues, each with how much is undecided in it, MOST_COUNTED at most.

    Each process remembers the numbers for some seconds; a page never counts everything.
    """
    counts = caches["local"].get("queue_counts")
    if counts is None:
        with connection.cursor() as cursor:
            cursor.execute(_COUNTS, [MOST_COUNTED + 1])
            counts = dict(cursor.fetchall())
        caches["local"].set("queue_counts", counts, REMEMBERED_SECONDS)
    return [(queue, _number(counts.get(queue.pk, 0))) for queue in queues]


_COUNTS = """
SELECT q.id, (SELECT count(*) FROM (SELECT 1 FROM compliance_case c WHERE c.queue_id = q.id
 AND NOT (c.status IN ('decided', 'closed')) LIMIT %s) AS lying) FROM compliance_queue q"""


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else str(count)


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
    return by_words(text) | Q(subject_id__in=found) if found else by_words(text)


def by_words(text: str) -> Q:
    """Cases whose reference or label has words that begin so; none for a text without words."""
    terms = search_words(text)[:8]
    if not terms:
        return Q(pk__isnull=True)
    query = " & ".join(f"'{word}':*" for word in terms)
    return Q(search=SearchQuery(query, config="simple", search_type="raw"))


def cases_to_take(actor: User) -> int:
    """How many open cases nobody works on in the queues where the actor decides, MOST_COUNTED at most.

    The staff menu asks on every page, so each process remembers for some seconds what lies in which queue and who
    decides there.
    """
    queues = caches["local"].get("cases_to_take")
    if queues is None:
        with connection.cursor() as cursor:
            cursor.execute(_TO_TAKE, [MOST_COUNTED])
            queues = cursor.fetchall()
        caches["local"].set("cases_to_take", queues, REMEMBERED_SECONDS)
    everywhere = can_do(actor, "case.manage")
    found = sum(int(count) for roles, count in queues if everywhere or actor.role in roles)
    return min(MOST_COUNTED, found)


_TO_TAKE = """
SELECT q.decided_by, (SELECT count(*) FROM (SELECT 1 FROM compliance_case c WHERE c.queue_id = q.id
 AND c.status = 'open' AND c.assignee_id IS NULL LIMIT %s) AS lying) FROM compliance_queue q"""


def to_take(actor: User) -> QuerySet[Case]:
    """What nobody works on in the queues where the actor decides, the most pressing first, then by due."""
    rows = _to_take(cases_visible_to(actor))
    if can_do(actor, "case.manage"):
        return rows
    return rows.exclude(queue__in=Queue.objects.exclude(decided_by__contains=[actor.role]))


def _to_take(rows: QuerySet[Case]) -> QuerySet[Case]:
    free = rows.filter(status=Case.Status.OPEN, assignee__isnull=True)
    return free.order_by("-priority", Coalesce("due_at", NEVER), "pk")


def other_cases(actor: User, case: Case, about: Sequence[tuple[str, UUID]] = ()) -> list[Case]:
    """The newest other cases about the same subject, or one of `about`, of any kind, that the actor may see."""
    labels, keys = zip((case.subject_type, case.subject_id), *about, strict=True)
    return _others_by(_role(actor))(case.pk, sorted({*labels}), list(keys), actor.pk)


@cache
def _others_by(role: str) -> Composed[Case]:
    """Other cases than this about rows of these models with these keys, and who asks."""

    def compose(case_id: UUID, label: str, key: UUID, actor_id: UUID) -> QuerySet[Case]:
        rows = cases_visible_to(_reader(actor_id, role)).exclude(pk=case_id)
        # A key that rows of two models have is shared by what belongs together: an account and its login, say.
        return rows.filter(subject_type__in=[label], subject_id__in=[key]).order_by("-pk")[:MOST_OTHERS]

    return Composed(compose, UUID, str, UUID, UUID)


def cases_about(actor: User, label: str, keys: Iterable[UUID]) -> dict[UUID, int]:
    """How many cases that the actor may see are about each of the rows of that model."""
    return dict(_counts_by(_role(actor))(label, list(keys), actor.pk))


def cases_about_question(actor: User, label: str, keys: Iterable[UUID]) -> Question:
    """What `cases_about` asks."""
    return _counts_by(_role(actor)).of(label, list(keys), actor.pk)


@cache
def _counts_by(role: str) -> Composed[Any]:
    def compose(label: str, key: UUID, actor_id: UUID) -> QuerySet[Any]:
        rows = cases_visible_to(_reader(actor_id, role)).filter(subject_type=label, subject_id__in=[key])
        return rows.values_list("subject_id").annotate(number=Count("pk")).order_by()

    return Composed(compose, str, UUID, UUID)


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
    others = {*Case.WAITING, Case.Status.WAITING_APPROVAL}
    mine = Case.objects.filter(UNDONE, assignee__in=people).exclude(status__in=sorted(others))
    loads = dict(mine.values_list("assignee").annotate(number=Count("pk")).order_by())
    return [
        (person, rows.get(person.pk) or Worker(user=person), loads.get(person.pk, 0)) for person in people
    ]


def staff() -> QuerySet[User]:
    """Everybody of staff who sees any case, by name."""
    return User.objects.filter(is_active=True, role__in=permissions.SEEING_ROLES).order_by("name", "pk")


def people_for_cases() -> QuerySet[User]:
    """Who may be given a case, by name."""
    return User.objects.filter(is_active=True, role__in=permissions.WORKING_ROLES).order_by("name", "pk")


def named_in_audit(text: str) -> list[tuple[str, UUID]]:
    """The case that a reference names, for the search of the audit trail."""
    rows = Case.objects.filter(reference=text.upper()).values_list("pk", flat=True)
    return [(Case._meta.label_lower, key) for key in rows] if text else []


def exports_under_way(actor: User) -> QuerySet[CaseExport]:
    """The actor's case files that are being made."""
    return CaseExport.objects.filter(asked_by=actor, status__in=CaseExport.UNDER_WAY)


def exports_page(actor: User, *, after: str = "", before: str = "") -> Page[CaseExport]:
    """One page of all case files that were asked for, newest first: whoever may take some sees who took which.

    Raises Forbidden.
    """
    require(actor, "case.export")
    return keyset(CaseExport.objects.select_related("asked_by").defer("file_key"), after=after, before=before)


def export_for(actor: User, export_id: UUID) -> CaseExport:
    """A case file of the actor's own. Raises Forbidden, or NotFound also for one that another asked for."""
    require(actor, "case.export")
    found = CaseExport.objects.select_related("asked_by").filter(pk=export_id, asked_by=actor).first()
    if found is None:
        raise NotFound("There is no such case file.")
    return found


def cases_to_export(
    actor: User,
    *,
    kind: str,
    queue: Queue | None,
    status: str,
    opened_from: datetime,
    opened_until: datetime,
    limit: int,
) -> list[UUID]:
    """The oldest `limit` of the cases the actor sees that were opened in [from, until) and match. Raises Forbidden."""
    require(actor, "case.export")
    rows = cases_visible_to(actor).filter(opened_at__gte=opened_from, opened_at__lt=opened_until)
    if kind:
        rows = rows.filter(kind=kind)
    if queue is not None:
        rows = rows.filter(queue=queue)
    if status:
        rows = rows.filter(GROUPS.get(status, Q(status=status)))
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def cases_in(export: CaseExport) -> list[Case]:
    """The cases of a case file, with what its page prints of them."""
    return list(Case.objects.filter(pk__in=export.case_ids).order_by("pk").only("reference", "subject_label"))
