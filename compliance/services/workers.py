"""How people work: what they are given by themselves, and that they are away."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Q

from compliance import kinds
from compliance.models import Case, Worker
from compliance.models.workers import MOST_CAPACITY
from compliance.services.shared import changed, invalid
from portal import audit, clock
from portal.errors import Conflict
from portal.models import User
from portal.permissions import can_do, require

Status = Case.Status


def worker_save(*, actor: User, person: User, capacity: int, takes: Sequence[str]) -> Worker:
    """Say how many cases a person is given at a time, and of which kinds (none: all). A manager's.

    Raises Forbidden, Conflict for someone who does not work on cases, Invalid for a number out of range.
    """
    require(actor, "case.manage")
    if not can_do(person, "case.work"):
        raise Conflict(f"{person} does not work on cases.")
    if not 0 <= capacity <= MOST_CAPACITY:
        raise invalid(capacity=f"Write a number from 0 to {MOST_CAPACITY}.")
    with transaction.atomic():
        worker = _locked(person)
        before = {"capacity": worker.capacity, "kinds": list(worker.kinds)}
        worker.capacity = capacity
        worker.kinds = sorted(name for name in set(takes) if kinds.known(name))
        worker.save(update_fields=["capacity", "kinds"])
        after = {"capacity": worker.capacity, "kinds": list(worker.kinds)}
        audit.record("case.worker", subject=person, actor=actor, before=before, after=after, source="page")
    return worker


def away_set(*, actor: User, person: User, is_away: bool) -> int:
    """Say that a person is away, or back: oneself, or as a manager anyone. Answers how many cases went back.

    Whoever goes away has none of their undecided cases any more; what waits for others goes on waiting.
    """
    require(actor, "case.work" if actor == person else "case.manage")
    returned = 0
    with transaction.atomic():
        worker = _locked(person)
        if worker.is_away != is_away:
            worker.is_away, worker.away_changed_at = is_away, clock.now()
            worker.save(update_fields=["is_away", "away_changed_at"])
            audit.record("case.away", subject=person, actor=actor, after={"away": is_away}, source="page")
        if is_away:
            mine = Case.objects.filter(~Q(status__in=Case.DONE), assignee=person)
            for case in mine.select_for_update().order_by("pk"):
                _put_back(case, actor)
                returned += 1
    return returned


def _locked(person: User) -> Worker:
    Worker.objects.get_or_create(user=person)
    return Worker.objects.select_for_update().get(pk=person.pk)


def _put_back(case: Case, actor: User) -> None:
    before = str(case.assignee_id)
    is_worked = case.status in Case.WORKED
    changed(case, assignee=None, **({"waiting_until": None} if is_worked else {}))
    if is_worked:
        case.move_to(Status.OPEN, actor=actor, reason="Whoever had it is away", source="page")
    audit.record(
        "case.assigned",
        subject=case,
        actor=actor,
        before={"assignee": before},
        after={"assignee": None},
        source="page",
    )


def held_there(person: User) -> bool:
    """Whether the person is not away; they cannot be set away before the caller's transaction ends.

    Taken before the case's lock, as by everybody who needs both.
    """
    Worker.objects.get_or_create(user=person)
    with connection.cursor() as cursor:
        # Weaker than what a round of giving takes, so nobody waits for that; away_set waits for both.
        cursor.execute("SELECT is_away FROM compliance_worker WHERE user_id = %s FOR KEY SHARE", [person.pk])
        return not cursor.fetchone()[0]
