"""Cases find their people: the least loaded who is there, has room, handles the kind and decides in the queue."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from compliance import permissions
from compliance.models import Case, Worker
from portal import audit
from portal.permissions import can_do

#: So many are looked at in one go, so that what nobody handles does not stand before what somebody does.
LOOKED_AT = 5000
#: What counts as being worked on. Who waits for others takes nobody's time.
WORKING = (Case.Status.OPEN, Case.Status.IN_PROGRESS, Case.Status.ESCALATED)


def assign_waiting(waiting: Iterable[Case]) -> int:
    """Give each of these open cases to whom it suits best, in their order. Answers how many were given."""
    with transaction.atomic():
        # Held to the end, so that two at once never fill one person twice.
        workers = list(
            Worker.objects.select_for_update(of=("self",), no_key=True)
            .filter(is_away=False, capacity__gt=0, user__is_active=True)
            .select_related("user")
            .order_by("pk")
        )
        workers = [worker for worker in workers if can_do(worker.user, "case.work")]
        if not workers:
            return 0
        loads = _loads(workers)
        given = 0
        for case in waiting:
            if all(loads[worker.pk] >= worker.capacity for worker in workers):
                break
            if _suited(case, workers, loads):
                given += _give(case.pk, workers, loads)
    return given


def _loads(workers: list[Worker]) -> dict[UUID, int]:
    mine = Case.objects.filter(
        ~Q(status__in=Case.DONE), status__in=WORKING, assignee__in=[worker.pk for worker in workers]
    )
    found = dict(mine.values_list("assignee").annotate(number=Count("pk")).order_by())
    return {worker.pk: found.get(worker.pk, 0) for worker in workers}


def _suited(case: Case, workers: list[Worker], loads: dict[UUID, int]) -> list[Worker]:
    return [
        worker
        for worker in workers
        if loads[worker.pk] < worker.capacity
        and worker.takes(case.kind)
        and permissions.role_sees(worker.user, case.queue)
        and permissions.role_decides(worker.user, case.queue)
    ]


def _give(case_id: UUID, workers: list[Worker], loads: dict[UUID, int]) -> int:
    rows = Case.objects.select_for_update(of=("self",), skip_locked=True).select_related("queue")
    case = rows.filter(pk=case_id, status=Case.Status.OPEN, assignee__isnull=True).first()
    if case is None:
        return 0
    suited = _suited(case, workers, loads)
    if not suited:
        return 0
    to = min(suited, key=lambda worker: (loads[worker.pk] / worker.capacity, str(worker.pk)))
    loads[to.pk] += 1
    case.assignee = to.user
    case.version += 1
    case.save(update_fields=["assignee", "version"])
    case.move_to(Case.Status.IN_PROGRESS, actor=None, reason="Given by itself", source="task")
    audit.record(
        "case.assigned",
        subject=case,
        before={"assignee": None},
        after={"assignee": str(to.pk)},
        source="task",
    )
    return 1
