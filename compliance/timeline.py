"""What happened to a case, as the timeline component shows it. A fixed number of queries whatever its length."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from compliance import kinds
from compliance import said as words_said
from compliance.models import Case, CaseDecision, CaseFact, CaseNote, Proposal
from compliance.standing import TONES
from portal.composed import Composed, Question
from portal.models import AuditEntry, StatusChange, User
from portal.ui.plain import in_words, name_words

#: Of each part the newest so many are shown.
LONGEST = 200
WORDS = dict(Case.Status.choices)


@dataclass(frozen=True)
class Item:
    """One happening."""

    at: datetime
    icon: str
    title: str
    actor: str = ""
    body: str = ""
    tone: str = "neutral"
    details: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Fact:
    """A fact with its evidence as label and value, and with what was said where it tells of an answer."""

    fact: CaseFact
    rows: list[dict[str, str]]
    said: words_said.Said | None = None


_FACTS = Composed(lambda key: CaseFact.objects.filter(case=key).order_by("-pk")[:LONGEST])


def facts_question(case: Case) -> Question:
    """What `facts` asks."""
    return _FACTS.of(case.pk)


def facts(case: Case) -> list[Fact]:
    """What opened the case and what was added, newest first."""
    rows = _FACTS(case.pk)
    words = words_said.of([row.dedupe for row in rows])
    return [
        Fact(
            row,
            [{"label": name_words(name), "value": in_words(value)} for name, value in row.evidence.items()],
            words.get(row.dedupe),
        )
        for row in rows
    ]


def notes(case: Case) -> list[CaseNote]:
    """The notes, newest first."""
    return list(case.notes.select_related("author").order_by("-pk")[:LONGEST])


def decisions(case: Case) -> list[CaseDecision]:
    """What was decided, newest first."""
    return list(case.decisions.select_related("actor", "proposal__checker").order_by("-pk")[:LONGEST])


def history(case: Case, decided: Iterable[CaseDecision]) -> list[Item]:
    """Moves, assignments, answers, proposals and decisions."""
    return [
        *_changes(case),
        *_audited(case),
        *_answers(case),
        *_proposals(case),
        *(_decision(row) for row in decided),
    ]


def _answers(case: Case) -> list[Item]:
    return [
        Item(item.fact.at, "mail", item.fact.title, actor=item.said.who, body=item.said.shown)
        for item in facts(case)
        if item.said is not None
    ]


_LABEL = Case._meta.label_lower
_CHANGES = Composed(
    lambda key: (
        StatusChange.objects.filter(subject_type=_LABEL, subject_id=key)
        .select_related("actor")
        .order_by("-at")[:LONGEST]
    )
)


def _changes(case: Case) -> list[Item]:
    return [
        Item(
            row.at,
            "flag",
            WORDS.get(row.new, row.new),
            actor=row.actor.label if row.actor else "By itself",
            body=row.reason,
            tone=TONES.get(row.new, "neutral"),
        )
        for row in _CHANGES(case.pk)
        # The decision, or the proposal, says the same and more.
        if row.new not in {Case.Status.DECIDED, Case.Status.WAITING_APPROVAL}
    ]


_PROPOSALS = Composed(
    lambda key: Proposal.objects.filter(case=key).select_related("maker").order_by("-pk")[:LONGEST]
)


def _proposals(case: Case) -> list[Item]:
    return [
        Item(
            row.proposed_at,
            "users",
            f"Proposed: {row.label}",
            actor=row.maker.label,
            body=" · ".join(filter(None, [_reason(row), row.text])),
            tone=TONES[Case.Status.WAITING_APPROVAL],
        )
        for row in _PROPOSALS(case.pk)
    ]


def _reason(row: CaseDecision | Proposal) -> str:
    return f"Reason: {row.reason_label}" if row.reason_label else ""


def _decision(row: CaseDecision) -> Item:
    checker = row.proposal.checker if row.proposal else None
    if checker is not None:
        # Reason and words stand with the proposal.
        return Item(
            row.at,
            "scale",
            f"Decided: {row.label}",
            actor=f"Proposed by {row.actor.label}, approved by {checker.label}",
            body=row.outcome,
            tone="success",
        )
    return Item(
        row.at,
        "scale",
        f"Decided: {row.label}",
        actor=row.actor.label,
        body=" · ".join(filter(None, [_reason(row), row.text, row.outcome])),
        tone="success",
    )


_AUDITED = {
    "case.opened": ("plus", "Opened"),
    "case.assigned": ("user-check", "Assigned"),
    "case.checklist": ("list-checks", "Checklist saved"),
    "case.routed": ("inbox", "Moved to another queue"),
}


_ENTRIES = Composed(
    lambda key: AuditEntry.objects.filter(subject_type=_LABEL, subject_id=key, action__in=_AUDITED).order_by(
        "-at"
    )[:LONGEST]
)


def _audited(case: Case) -> list[Item]:
    found = _ENTRIES(case.pk)
    people, items = _people(found), {item.code: item.text for item in kinds.get(case.kind).checklist}
    return [_item(row, people, items) for row in found]


def _people(rows: list[AuditEntry]) -> dict[str, str]:
    """The names of those to whom the case was given."""
    keys = {row.after["assignee"] for row in rows if row.action == "case.assigned" and row.after}
    return {str(user.pk): user.label for user in User.objects.filter(pk__in=keys - {None})}


def _item(row: AuditEntry, people: dict[str, str], items: dict[str, str]) -> Item:
    icon, title = _AUDITED[row.action]
    after: dict[str, Any] = row.after or {}
    if row.action == "case.assigned":
        to = after.get("assignee")
        title = f"Given to {people.get(to, 'someone')}" if to else "Put back into the queue"
        title = "Taken" if to and to == str(row.actor_id) else title
    body = ""
    if row.action == "case.routed":
        body = f"From {(row.before or {}).get('queue', '')} to {after.get('queue', '')}"
    if row.action == "case.checklist":
        body = "Done: " + (", ".join(items.get(code, code) for code in after.get("done", [])) or "nothing")
    return Item(row.at, icon, title, actor=row.actor_label or "By itself", body=body)
