"""What an open page asks every few seconds: who looks at these cases, and what became of them since."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from django.utils import timezone
from django.utils.formats import time_format

from compliance import selectors
from compliance.models import Case
from compliance.services.presence import LASTS
from portal import clock
from portal.composed import Question, Written
from portal.models import AuditEntry, User

#: What of a case's history is said to whoever has it open.
WORDS = {
    "case.checklist": "{who} saved the checklist.",
    "case.decided": "{who} decided it.",
    "case.fact": "Something new came in: {after[fact]}.",
    "case.file": "{who} attached a file.",
    "case.note": "{who} added a note.",
    "case.routed": "It moved to the queue {after[queue]}.",
}
#: So many happenings are named.
MOST_NEWS = 5


def lookers(actor: User, case_ids: Iterable[UUID], at: datetime | None = None) -> dict[UUID, str]:
    """Who else looks at each of these cases now, in words; cases at which nobody looks are absent. One query."""
    found: dict[UUID, list[str]] = {}
    for case_id, name, since in _LOOKERS(
        cases=list(case_ids), since=(at or clock.now()) - LASTS, reader=actor.pk
    ):
        sentence = f"{name or 'A colleague'} is looking at it since {_hour(since)}"
        found.setdefault(case_id, []).append(sentence)
    return {key: ". ".join(sentences) for key, sentences in found.items()}


def question(actor: User, case_id: UUID, at: datetime) -> Question:
    """What `lookers` asks of one case at that moment."""
    return _LOOKERS.of(cases=[case_id], since=at - LASTS, reader=actor.pk)


_LOOKERS = Written("""
SELECT p.case_id, u.name, p.since FROM compliance_casepresence p JOIN portal_user u ON u.id = p.user_id
WHERE p.case_id = ANY(%(cases)s) AND p.seen_at >= %(since)s AND p.user_id <> %(reader)s ORDER BY p.since, p.id""")


def _hour(at: datetime) -> str:
    return time_format(timezone.localtime(at), "H:i")


def seen_now(actor: User, case_ids: Sequence[UUID]) -> list[Case]:
    """These cases as they are now, in their order; those the actor does not see any more are left out."""
    rows = selectors.cases_visible_to(actor).filter(pk__in=case_ids).select_related("assignee", "queue")
    found = {row.pk: row for row in rows}
    return [found[key] for key in case_ids if key in found]


def stamp(rows: Iterable[Case], looking: dict[UUID, str], *more: object) -> str:
    """Another text as soon as anything that a page shows of these cases is another: the ETag of its answer."""
    told = [
        (row.pk, row.version, row.status, row.priority, row.queue_id, row.assignee_id, row.due_at)
        for row in rows
    ]
    return f'"{sha256(repr((told, sorted(looking.items()), more)).encode()).hexdigest()[:32]}"'


def news(actor: User, case: Case, since: datetime) -> list[str]:
    """What colleagues and events did to the case since then, in words."""
    rows = AuditEntry.objects.filter(
        subject_type=case._meta.label_lower,
        subject_id=case.pk,
        at__gte=since,
        action__in=[*WORDS, "case.assigned"],
    ).exclude(actor=actor)
    return [_said(row, case) for row in rows.select_related("actor").order_by("at")[:MOST_NEWS]]


def _said(row: AuditEntry, case: Case) -> str:
    who = str(row.actor) if row.actor else "The portal"
    after = row.after or {}
    if row.action != "case.assigned":
        return WORDS[row.action].format(who=who, after={"fact": "", "queue": "", **after})
    to = after.get("assignee")
    if to is None:
        return f"{who} put it back into the queue."
    if to == str(row.actor_id):
        return f"{who} took it."
    is_now = case.assignee is not None and to == str(case.assignee_id)
    return f"{who} gave it to {case.assignee if is_now else 'someone'}."
