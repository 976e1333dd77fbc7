"""What happens to cases in the background."""

from uuid import UUID

from django.db import transaction

from compliance.models import Case
from portal import clock
from portal.models import User

BATCH = 500


def cases_return() -> int:
    """Bring back the cases that have waited until their day. Answers how many it looked at, BATCH at most."""
    due = Case.objects.filter(status__in=sorted(Case.WAITING), waiting_until__lte=clock.now())
    found = list(due.order_by("waiting_until").values_list("pk", flat=True)[:BATCH])
    for case_id in found:
        case_return(case_id)
    return len(found)


def case_return(case_id: UUID) -> None:
    """Bring one case back; nothing when it does not wait any more, or longer than it did."""
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=case_id)
        if case.status in Case.WAITING and case.waiting_until and case.waiting_until <= clock.now():
            bring_back(case, reason="The time to wait is over", source="task")


def bring_back(case: Case, *, reason: str, source: str, actor: User | None = None) -> None:
    """A locked case stops waiting: back to whom it belongs, with the time it waited given back to its due date."""
    if case.due_at:
        case.due_at += clock.now() - case.status_at
    case.waiting_until = None
    case.version += 1
    case.save(update_fields=["due_at", "waiting_until", "version"])
    back = Case.Status.IN_PROGRESS if case.assignee_id else Case.Status.OPEN
    case.move_to(back, actor=actor, reason=reason, source=source)
