"""What apps do to cases: open them, add to them, settle and close them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.postgres.search import SearchVector
from django.db import IntegrityError, models, transaction
from django.db.models import Value

from compliance import jobs, kinds, routing, selectors
from compliance.models import Case, CaseFact, CaseMark
from compliance.services import proposals
from compliance.services.shared import changed, clean, locked, wait
from portal import audit, clock
from portal.errors import StaleRow
from portal.models import User
from portal.search import search_words

Status = Case.Status
ATTEMPTS = 5
#: What the rules of the queues read.
READ = ("country", "language", "amount_minor", "currency", "told_priority")


@dataclass(frozen=True)
class Subject:
    """What a case is about: a model's label in lower case, its key, and what lists call it."""

    type: str
    id: UUID
    label: str

    @classmethod
    def of(cls, row: models.Model, label: str) -> "Subject":
        """The row as a subject. The label is a name or a reference, nothing that is sealed elsewhere."""
        return cls(row._meta.label_lower, row.pk, label)


@dataclass(frozen=True)
class Rest:
    """Who has the ball instead of us, and until when at most."""

    on: Literal["customer", "provider"]
    until: datetime


def case_open(
    *,
    kind: str,
    subject: Subject,
    title: str,
    facts: Mapping[str, Any],
    source: str,
    dedupe: str,
    actor: User | None = None,
    priority: int | None = None,
    rests: Rest | None = None,
) -> Case:
    """Open a case about the subject, or add to the one that is open.

    `title` says in plain words what happened, `facts` is its evidence (stored masked), `source` where it was seen
    (webhook, reconciliation, page). `dedupe` names the event: the same kind, subject and dedupe add nothing, also
    after the case was decided, so whoever looks every night puts the day into it if every night should count.
    A new fact brings a waiting case back, and a higher `priority` raises the one that the rules of the queues read.
    The rules say where it goes, and again when a fact changes what they read. `rests` says that the fact leaves the
    ball with somebody else: the case waits for them, unless somebody of us works on it.

    Safe under concurrency and inside the caller's transaction. Raises ValueError for a kind nobody registered.
    """
    if not kinds.known(kind):
        raise ValueError(f"No app registered the case kind {kind}.")
    if not dedupe:
        raise ValueError("An event needs a dedupe key.")
    key = f"{kind}:{subject.type}:{subject.id}:{dedupe}"
    fact = CaseFact(title=clean(title)[:200], evidence=audit.masked(facts), source=source, dedupe=key)
    lost: IntegrityError | None = None
    for _ in range(ATTEMPTS):
        known = CaseFact.objects.filter(dedupe=key).select_related("case").first()
        if known is not None:
            return known.case
        try:
            with transaction.atomic():
                case = _open_or_add(kinds.get(kind), subject, fact, actor=actor, priority=priority)
                _rest(case, fact, rests)
                return case
        except IntegrityError as error:
            # Another opened it, or wrote down this very event, at the same moment: look again.
            lost = error
    raise StaleRow("The case changed at the same moment. Try again.") from lost


def case_tell(
    *, case_id: UUID, title: str, facts: Mapping[str, Any], source: str, dedupe: str
) -> Case | None:
    """Add a fact to this very case, which brings it back if it waits; None when it is decided by now.

    The arguments are those of `case_open`, which it never does: an answer that comes late opens nothing.
    """
    with transaction.atomic():
        case = locked(case_id)
        if case.is_done or not kinds.known(case.kind):
            return None
        subject = Subject(case.subject_type, case.subject_id, case.subject_label)
        return case_open(
            kind=case.kind, subject=subject, title=title, facts=facts, source=source, dedupe=dedupe
        )


def _open_or_add(
    kind: kinds.CaseKind, subject: Subject, fact: CaseFact, *, actor: User | None, priority: int | None
) -> Case:
    same = Case.objects.filter(kind=kind.name, subject_type=subject.type, subject_id=subject.id)
    rows = same.filter(selectors.UNDONE).select_for_update(of=("self",))
    case = rows.select_related("assignee", "queue", "calendar").first()
    is_new = case is None
    now = clock.now()
    if case is None:
        case = Case(
            kind=kind.name,
            subject_type=subject.type,
            subject_id=subject.id,
            subject_label=clean(subject.label)[:200],
            priority=priority or kind.priority,
            told_priority=priority or kind.priority,
            opened_at=now,
            opened_by=actor,
        )
        case.save(force_insert=True)
        words = " ".join(search_words(f"{case.reference} {case.subject_label}"))
        Case.objects.filter(pk=case.pk).update(search=SearchVector(Value(words), config="simple"))
    fact.case, fact.at = case, now
    fact.save(force_insert=True)
    case.last_fact_at = now
    if not is_new:
        case.version += 1
    if _read(case, kind, priority) or is_new:
        case.save(update_fields=["last_fact_at", "version", *READ])
        routing.route(case, source=fact.source)
    else:
        case.save(update_fields=["last_fact_at", "version"])
    if is_new:
        case.mark(CaseMark.Measure.ARRIVED, at=case.opened_at)
    audit.record(
        "case.opened" if is_new else "case.fact",
        subject=case,
        actor=actor,
        source=fact.source,
        after={
            "kind": case.kind,
            "fact": fact.title,
            "priority": case.priority,
            "queue": str(case.queue),
        },
    )
    return case


def _rest(case: Case, fact: CaseFact, rests: Rest | None) -> None:
    """A new fact brings a waiting case back, unless it says that the ball is with somebody else."""
    if rests is not None and case.status in {Status.OPEN, *Case.WAITING}:
        wait(case, on=rests.on, until=rests.until, actor=None, reason=fact.title, source=fact.source)
    elif case.status in Case.RETURNING:
        jobs.bring_back(case, reason=f"New: {fact.title}", source=fact.source)
    elif case.status == Status.WAITING_APPROVAL:
        proposals.overtake(case, news=fact.title, source=fact.source)


def _read(case: Case, kind: kinds.CaseKind, priority: int | None) -> bool:
    """Write down what the rules read of the subject and the facts; whether any of it is another than before."""
    before = [getattr(case, name) for name in READ]
    traits = kind.traits(case.subject_id)
    case.country, case.language = traits.country[:2], traits.language[:8]
    case.amount_minor = traits.amount.minor if traits.amount else None
    case.currency = traits.amount.currency if traits.amount else ""
    case.told_priority = max(case.told_priority or case.priority, priority or 0)
    return before != [getattr(case, name) for name in READ]


def case_settle(*, kind: str, subject: Subject, reason: str, source: str) -> Case | None:
    """Close the open case of this kind about the subject without a decision: what it asked has settled itself.

    Answers the case, or None when none is open. `reason` is shown and holds no personal data.
    """
    with transaction.atomic():
        same = Case.objects.filter(kind=kind, subject_type=subject.type, subject_id=subject.id)
        case = same.filter(selectors.UNDONE).select_for_update().first()
        if case is not None:
            proposals.settled(case, reason=reason, source=source)
            changed(case, waiting_until=None)
            case.move_to(Status.CLOSED, actor=None, reason=reason, source=source)
    return case


def case_close(*, case_id: UUID, reason: str, source: str, actor: User | None = None) -> Case:
    """Close a decided case: what was decided has come to its end. Closing a closed case changes nothing."""
    with transaction.atomic():
        case = locked(case_id)
        if case.status != Status.CLOSED:
            proposals.settled(case, reason=reason, source=source)
            changed(case)
            case.move_to(Status.CLOSED, actor=actor, reason=reason, source=source)
    return case
