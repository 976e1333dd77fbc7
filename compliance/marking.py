"""Marks of what counts on the dashboard: of a decision as it is made, and of cases from before there were marks."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from compliance import kinds, sla
from compliance.models import Case, CaseDecision, CaseMark
from portal.models import AuditEntry, StatusChange

BATCH = 500
Measure = CaseMark.Measure
#: What a person does to a case that is a touch, as the audit trail names it; taking it and moving it count too.
TOUCHES = frozenset({"case.note", "case.checklist"})


def mark_decided(case: Case, row: CaseDecision, chosen: kinds.Decision) -> None:
    """The case has just been decided so, in the same transaction."""
    case.mark(
        Measure.DECIDED,
        at=row.at,
        person=row.actor,
        seconds=sla.spent(case),
        is_met=sla.is_met(case),
        code=row.code,
        reason=row.reason_code,
        verdict=chosen.verdict,
    )


def fill(after: UUID | None = None) -> tuple[int, UUID | None]:
    """Mark a batch of cases that have no mark yet, from their history. Answers how many, and where to go on.

    What there is already stays. Our time is what the moves say: from its arrival, without the time it waited.
    """
    rows = Case.objects.select_related("queue", "calendar").order_by("pk")
    cases = list((rows.filter(pk__gt=after) if after else rows)[:BATCH])
    known = set(
        CaseMark.objects.filter(case__in=cases, measure=Measure.ARRIVED).values_list("case_id", flat=True)
    )
    missing = [case for case in cases if case.pk not in known]
    marks = [mark for history in _histories(missing) for mark in history.marks()]
    CaseMark.objects.bulk_create(marks, ignore_conflicts=True)
    Case.objects.bulk_update(missing, ["arrived_at", "touched_at"])
    return len(missing), cases[-1].pk if len(cases) == BATCH else None


class _History:
    """What the records of one case say."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.moves: list[StatusChange] = []
        self.entries: list[AuditEntry] = []
        self.decisions: list[CaseDecision] = []

    def marks(self) -> Iterable[CaseMark]:
        """The marks of each arrival; the case learns its last one."""
        case = self.case
        reopened = [row.at for row in self.moves if row.new == Case.Status.OPEN and row.old in Case.DONE]
        begins = [case.opened_at, *reopened]
        for begin, end in zip(begins, [*reopened, None], strict=True):
            yield self._mark(Measure.ARRIVED, begin, begin)
            touch = self._touch(begin, end)
            if touch:
                seconds = int(case.worked(begin, touch[0]).total_seconds())
                yield self._mark(Measure.TOUCHED, touch[0], begin, person_id=touch[1], seconds=seconds)
            case.arrived_at = begin if begin != case.opened_at else None
            case.touched_at = touch[0] if touch else None
            yield from self._end(begin, end)

    def _mark(self, measure: str, at: datetime, begin: datetime, **said: Any) -> CaseMark:
        case = self.case
        return CaseMark(
            case=case,
            measure=measure,
            at=at,
            arrived_at=begin,
            kind=case.kind,
            queue=case.queue,
            **said,
        )

    def _touch(self, begin: datetime, end: datetime | None) -> tuple[datetime, UUID | None] | None:
        """The first thing a person did, of each kind of record."""
        did = [(row.at, row.actor_id) for row in self.entries if row.actor_id and _is_touch(row)]
        did += [(row.at, row.actor_id) for row in self.decisions]
        return min((one for one in did if _within(one[0], begin, end)), default=None, key=lambda one: one[0])

    def _end(self, begin: datetime, end: datetime | None) -> Iterable[CaseMark]:
        """Its decision, or that it settled."""
        ends = [
            row.at for row in self.moves if row.new == Case.Status.DECIDED and _within(row.at, begin, end)
        ]
        # Decisions that only ask somebody leave the case waiting; the last before the move is the one that ended it.
        made = [row for row in self.decisions if ends and begin <= row.at <= ends[0]]
        if made:
            decided = made[-1]
            seconds = self._ours(begin, decided.at)
            allowed = self.case.sla_seconds
            chosen = kinds.get(self.case.kind).decision(decided.code)
            yield self._mark(
                Measure.DECIDED,
                decided.at,
                begin,
                person_id=decided.actor_id,
                seconds=seconds,
                is_met=None if allowed is None else seconds <= allowed,
                code=decided.code,
                reason=decided.reason_code,
                verdict=chosen.verdict if chosen else "",
            )
            return
        for row in self.moves:
            if row.new == Case.Status.CLOSED and row.old not in Case.DONE and _within(row.at, begin, end):
                yield self._mark(Measure.SETTLED, row.at, begin)

    def _ours(self, begin: datetime, end: datetime) -> int:
        """Our time between the two, without what it waited for others."""
        since: datetime | None = begin
        seconds = 0
        for row in self.moves:
            if not begin < row.at < end:
                continue
            waits = row.new in Case.WAITING
            if waits and since:
                seconds += int(self.case.worked(since, row.at).total_seconds())
            since = None if waits else since or row.at
        return seconds + (int(self.case.worked(since, end).total_seconds()) if since else 0)


def _is_touch(row: AuditEntry) -> bool:
    if row.action == "case.assigned":
        return (row.after or {}).get("assignee") == str(row.actor_id)
    if row.action == "case.status":
        before, after = (row.before or {}).get("status"), (row.after or {}).get("status")
        return after in {*Case.RETURNING, Case.Status.ESCALATED} and before not in Case.DONE
    return row.action in TOUCHES


def _within(at: datetime, begin: datetime, end: datetime | None) -> bool:
    return begin <= at and (end is None or at < end)


def _histories(cases: list[Case]) -> list[_History]:
    found = {case.pk: _History(case) for case in cases}
    mine = Q(subject_type=Case._meta.label_lower, subject_id__in=list(found))
    for move in StatusChange.objects.filter(mine).order_by("at", "pk"):
        found[move.subject_id].moves.append(move)
    for entry in AuditEntry.objects.filter(mine).order_by("at", "pk"):
        if entry.subject_id:
            found[entry.subject_id].entries.append(entry)
    for decision in CaseDecision.objects.filter(case__in=cases).order_by("at", "pk"):
        found[decision.case_id].decisions.append(decision)
    return list(found.values())
