"""Who may be the second person of a proposed decision, who cannot and why, and what changed since it was proposed."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from compliance import kinds, permissions, personal, selectors
from compliance.models import Case, Proposal, Queue, Worker
from compliance.permissions import NOT_YOUR_ROLE, Reason
from portal.models import User
from portal.permissions import can_do
from portal.sealed import CannotUnseal, Sealed, blind_index

SEND_BACK = "Send it back, so that it is decided anew."
#: Of many, so many are named.
MOST_NAMED = 3


@dataclass(frozen=True)
class Around:
    """What the answer rests upon beside people and cases: who is away, and whom the kinds rule out where."""

    away: frozenset[UUID]
    ruled_out: Mapping[tuple[str, UUID], Mapping[UUID, str]]

    @classmethod
    def of(cls, cases: Collection[Case]) -> "Around":
        """Read for all of the cases at once: one query, and those of each kind's hook."""
        subjects: dict[str, set[UUID]] = {}
        for case in cases:
            subjects.setdefault(case.kind, set()).add(case.subject_id)
        out = {
            (name, subject): people
            for name, keys in subjects.items()
            for subject, people in kinds.get(name).ruled_out(keys).items()
        }
        return cls(frozenset(Worker.objects.filter(is_away=True).values_list("pk", flat=True)), out)


@dataclass(frozen=True)
class Second:
    """Who can be the second person now, and of the others who work on cases, why they cannot."""

    can: list[User]
    cannot: list[tuple[User, str]]

    @property
    def line(self) -> str:
        """Whom the case waits for."""
        names = [str(person) for person in self.can]
        if not names:
            return "Waiting for a second person, and nobody can be it now"
        if len(names) > MOST_NAMED + 1:
            names = [*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} others"]
        said = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
        return f"Waiting for a second person: {said}"


def seconds_of(proposals: Collection[Proposal]) -> dict[UUID, Second]:
    """Of each proposal's case, by its key, who can approve now. The proposals come with their cases and queues."""
    if not proposals:
        return {}
    people = list(selectors.people_for_cases())
    around = Around.of([proposal.case for proposal in proposals])
    found = {}
    for proposal in proposals:
        barriers = [(person, next(_barriers(person, proposal, around), None)) for person in people]
        found[proposal.case_id] = Second(
            [person for person, barrier in barriers if barrier is None],
            [(person, barrier[0]) for person, barrier in barriers if barrier is not None],
        )
    return found


def seconds_of_cases(cases: Iterable[Case]) -> dict[UUID, Second]:
    """The same for a page of cases: of those that wait for approval. No query where none does."""
    waiting = {case.pk: case for case in cases if case.status == Case.Status.WAITING_APPROVAL}
    if not waiting:
        return {}
    rows = Proposal.objects.filter(case__in=waiting, status=Proposal.Status.WAITING).select_related("maker")
    proposals = list(rows.defer("text", "seen_evidence"))
    for proposal in proposals:
        proposal.case = waiting[proposal.case_id]
    return seconds_of(proposals)


def why_not_answer(person: User, proposal: Proposal, around: Around) -> list[Reason]:
    """Every reason why the person cannot answer the proposal, whatever the answer; empty when they can."""
    return [reason for _, reason in _barriers(person, proposal, around)]


def why_not_approve(
    person: User, proposal: Proposal, around: Around, sections: Sequence[kinds.Section]
) -> list[Reason]:
    """Every reason why the person cannot approve it; `sections` is the evidence as it is now."""
    return [*why_not_answer(person, proposal, around), *outdated(proposal, sections)]


def outdated(proposal: Proposal, sections: Sequence[kinds.Section]) -> list[Reason]:
    """Why nobody can approve it as it stands: what changed since the maker looked, or that they decide no more."""
    kind, maker = kinds.get(proposal.case.kind), proposal.maker
    decision = kind.decision(proposal.code)
    reasons = []
    changed = changes(proposal, sections)
    if changed:
        reasons.append(Reason(f"Changed since {maker} proposed it: {', '.join(changed)}.", SEND_BACK))
    if decision is None:
        reasons.append(Reason("This decision is no longer offered.", SEND_BACK))
    elif not (
        can_do(maker, kind.permission_for(decision)) and permissions.role_decides(maker, proposal.case.queue)
    ):
        reasons.append(Reason(f"{maker} may not decide this any more.", SEND_BACK))
    return reasons


def digests(case: Case, sections: Sequence[kinds.Section]) -> list[list[str]]:
    """Evidence and personal data as [name of the line, keyed digest of what it says]: a change shows, no data does."""
    return [
        [name, blind_index("compliance.proposal.evidence", text, "exact")]
        for name, text in _lines(case, sections)
    ]


def changes(proposal: Proposal, sections: Sequence[kinds.Section]) -> list[str]:
    """The names of the lines of evidence that read otherwise now, came, or went."""
    before = Counter((name, digest) for name, digest in proposal.seen_evidence)
    now = Counter((name, digest) for name, digest in digests(proposal.case, sections))
    return list(dict.fromkeys(name for name, _ in [*(now - before), *(before - now)]))


def _lines(case: Case, sections: Sequence[kinds.Section]) -> Iterator[tuple[str, str]]:
    for whose, what, value in personal.of_case(case):
        yield f"{whose}, {what}", _opened(value)
    for section in sections:
        for row in (row for row in section.rows if not row.is_clock):
            yield f"{section.title}, {row.label}", _opened(row.value)
        if section.comparison:
            for cells in section.comparison.rows:
                name, *_ = [str(cell) for cell in cells] or [""]
                yield f"{section.title}, {name}", "\x1f".join(_opened(cell) for cell in cells)


def _opened(value: str | Sealed) -> str:
    """What is under the seal, since two numbers may print the same mask; it goes into a digest alone."""
    try:
        return str(value.reveal()) if isinstance(value, Sealed) else value
    except CannotUnseal:
        return str(value)


def _barriers(person: User, proposal: Proposal, around: Around) -> Iterator[tuple[str, Reason]]:
    """What keeps the person from being the second one: in a word or two for others, and said to themselves."""
    case = proposal.case
    kind = kinds.get(case.kind)
    decision = kind.decision(proposal.code)
    permission = kind.permission_for(decision) if decision else kind.permission
    if proposal.status != Proposal.Status.WAITING:
        yield "answered already", Reason(f"It is {proposal.get_status_display().lower()} already.", "")
    if person.pk == proposal.maker_id:
        yield "proposed it", Reason("You proposed it.", "Someone else approves it.")
    if not (can_do(person, "case.work") and can_do(person, permission)):
        yield "role", Reason(f"Your role does not decide “{proposal.label}”.", NOT_YOUR_ROLE, is_role=True)
    if case.queue and not permissions.role_decides(person, case.queue):
        words = f"Your role does not decide in the queue “{case.queue}”."
        yield "queue", Reason(words, NOT_YOUR_ROLE, is_role=True)
    if proposal.was_escalated and not can_do(person, "case.manage"):
        yield "not a manager", Reason("The case was escalated.", "A manager approves it.", is_role=True)
    if person.pk in around.away:
        yield "away", Reason("You are away.", "Say that you are back first.")
    lately = around.ruled_out.get((case.kind, case.subject_id), {}).get(person.pk)
    if lately:
        yield lately, Reason(f"You {lately}.", "Someone who has not approves it.")


def waiting_of(case: Case) -> Proposal | None:
    """The proposal of the case that waits for an answer, with its maker."""
    rows = Proposal.objects.filter(case=case, status=Proposal.Status.WAITING).select_related("maker")
    found = rows.first()
    if found is not None:
        found.case = case
    return found


def waiting_for(actor: User) -> QuerySet[Proposal]:
    """What is the actor's to approve by role and queue. Whom a kind rules out is asked of each row (`Around`)."""
    rows = waiting().exclude(maker=actor)
    mine = Q(pk__isnull=True)
    for kind in kinds.all_kinds():
        codes = [each.code for each in kind.decisions if can_do(actor, kind.permission_for(each))]
        mine |= Q(case__kind=kind.name, code__in=codes)
    rows = rows.filter(mine) if can_do(actor, "case.work") else rows.none()
    if can_do(actor, "case.manage"):
        return rows
    closed = Queue.objects.exclude(decided_by__contains=[actor.role])
    return rows.filter(was_escalated=False).exclude(case__queue__in=closed)


def proposed_by(actor: User) -> QuerySet[Proposal]:
    """What the actor proposed and waits."""
    return waiting().filter(maker=actor)


def waiting() -> QuerySet[Proposal]:
    """Everything that waits for a second person, with its maker, case and queue; without what was written."""
    rows = Proposal.objects.filter(status=Proposal.Status.WAITING, case__status=Case.Status.WAITING_APPROVAL)
    return rows.select_related("maker", "case__queue").defer("text", "seen_evidence")
