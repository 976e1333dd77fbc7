"""What happens to cases in the background: those that waited come back, changed rules reach the open ones."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from compliance import assigning, routing, selectors, sla
from compliance.models import Case, RuleBook
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
        case = _locked(case_id)
        if case.status in Case.WAITING and case.waiting_until and case.waiting_until <= clock.now():
            bring_back(case, reason="The time to wait is over", source="task")


def bring_back(case: Case, *, reason: str, source: str, actor: User | None = None) -> None:
    """A locked case stops waiting: back to whom it belongs, and its clock runs on."""
    sla.start(case)
    case.waiting_until = None
    case.version += 1
    case.save(update_fields=["waiting_until", "version", *sla.FIELDS])
    back = Case.Status.IN_PROGRESS if case.assignee_id else Case.Status.OPEN
    case.move_to(back, actor=actor, reason=reason, source=source)


def cases_route() -> int:
    """Take the rules as they are to undecided cases that older ones routed. Answers how many, BATCH at most."""
    version = RuleBook.current().version
    stale = Case.objects.filter(~Q(status__in=Case.DONE), routed_by__lt=version)
    found = list(stale.order_by("routed_by").values_list("pk", flat=True)[:BATCH])
    for case_id in found:
        with transaction.atomic():
            case = _locked(case_id)
            if not case.is_done:
                routing.route(case, source="rules")
    return len(found)


def cases_assign() -> int:
    """Give what nobody works on to whom it suits. Answers how many cases were given."""
    return assigning.assign_waiting(selectors.to_give(assigning.LOOKED_AT))


def _locked(case_id: UUID) -> Case:
    rows = Case.objects.select_for_update(of=("self",)).select_related("assignee", "queue", "calendar")
    return rows.get(pk=case_id)
