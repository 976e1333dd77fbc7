"""What happens to cases in the background: those that waited come back, changed rules reach the open ones."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from compliance import approvers, assigning, drawing, figures, notices, routing, selectors, sla
from compliance.models import Case, CasePresence, Proposal, RuleBook
from portal import clock
from portal.models import User

BATCH = 500


def cases_return() -> int:
    """Bring back the cases that have waited until their day. Answers how many it looked at, BATCH at most."""
    due = Case.objects.filter(status__in=sorted(Case.RETURNING), waiting_until__lte=clock.now())
    found = list(due.order_by("waiting_until").values_list("pk", flat=True)[:BATCH])
    for case_id in found:
        case_return(case_id)
    return len(found)


def case_return(case_id: UUID) -> None:
    """Bring one case back; nothing when it does not wait any more, or longer than it did."""
    with transaction.atomic():
        case = _locked(case_id)
        if case.status in Case.RETURNING and case.waiting_until and case.waiting_until <= clock.now():
            bring_back(case, reason="Its day has come", source="task")


def bring_back(case: Case, *, reason: str, source: str, actor: User | None = None) -> None:
    """A locked case waits or rests no more: back to whom it belongs, and its clock runs on."""
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


def presences_forget() -> None:
    """Remove what says that somebody looked at a case long ago."""
    CasePresence.objects.filter(seen_at__lt=clock.now() - timedelta(hours=1)).delete()


def cases_assign() -> int:
    """Give what nobody works on to whom it suits. Answers how many cases were given."""
    return assigning.assign_waiting(selectors.to_give(assigning.LOOKED_AT))


def reviews_draw() -> int:
    """Draw what of last week a second person looks at, once. Answers how many."""
    return drawing.draw_what_is_due()


def figures_count() -> int:
    """Count the days before today that are due (compliance/figures.py). Answers how many."""
    due = [(source, day) for source in figures.all_sources() for day in figures.days_to_count(source)]
    for source, day in due:
        figures.count_day(source, day)
    return len(due)


def approvals_watch() -> None:
    """Look through what waits for a second person, and tell the managers where nobody can be it any more."""
    after = None
    while True:
        rows = approvers.waiting().order_by("pk")
        batch = list(rows.filter(pk__gt=after)[:BATCH] if after else rows[:BATCH])
        if not batch:
            return
        tell_if_nobody_can(batch)
        after = batch[-1].pk


def tell_if_nobody_can(proposals: Collection[Proposal]) -> None:
    """Tell the managers once of each that nobody can approve it; forget that when somebody can again."""
    seconds = approvers.seconds_of(proposals)
    for proposal in proposals:
        nobody = not seconds[proposal.case_id].can
        if nobody == (proposal.nobody_told_at is not None):
            continue
        with transaction.atomic():
            # Of two who notice at once, one writes the letters.
            mine = Proposal.objects.filter(
                pk=proposal.pk, status=Proposal.Status.WAITING, nobody_told_at__isnull=nobody
            )
            if mine.update(nobody_told_at=clock.now() if nobody else None) and nobody:
                notices.nobody_can_approve(proposal)


def _locked(case_id: UUID) -> Case:
    rows = Case.objects.select_for_update(of=("self",)).select_related("assignee", "queue", "calendar")
    return rows.get(pk=case_id)
