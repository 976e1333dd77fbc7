"""Which decisions of a week a second person looks at: by lot, the same for whoever draws again with the seed."""

import hashlib
import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from compliance.figures import begin_of
from compliance.models import CaseDecision, Review, ReviewDraw, ReviewPolicy
from portal import audit, clock

WEEK = timedelta(days=7)
#: What lies further back is not made up for.
MOST_WEEKS = 8


@dataclass(frozen=True)
class Ticket:
    """A decision in the pot: of which kind of case, by whom."""

    decision: UUID
    case: UUID
    kind: str
    person: UUID


def draw_what_is_due() -> int:
    """Draw of the week that ended last, and of those missed since the drawing before. Answers how many were picked.

    Again it draws nothing, and two at once draw once.
    """
    today = clock.today()
    last = today - timedelta(days=today.weekday()) - WEEK
    before = ReviewDraw.objects.order_by("-week").values_list("week", flat=True).first()
    week = max(before + WEEK, last - (MOST_WEEKS - 1) * WEEK) if before else last
    picked = 0
    while week <= last:
        drawn = draw(week)
        picked += drawn.picked if drawn else 0
        week += WEEK
    return picked


def draw(week: date) -> ReviewDraw | None:
    """Draw of the week that begins on this Monday; None when that was done before."""
    with transaction.atomic():
        policy = ReviewPolicy.current()
        policy = ReviewPolicy.objects.select_for_update().get(pk=policy.pk)
        if ReviewDraw.objects.filter(week=week).exists():
            return None
        pot, seed = tickets(week), secrets.token_hex(16)
        row = ReviewDraw(
            week=week,
            seed=seed,
            percents=policy.percents,
            usual_percent=policy.usual_percent,
            per_person=policy.per_person,
            pool=len(pot),
        )
        picked = pick(pot, row)
        row.picked = len(picked)
        row.save(force_insert=True)
        Review.objects.bulk_create(
            Review(draw=row, case_id=ticket.case, decision_id=ticket.decision) for ticket in picked
        )
        audit.record(
            "review.drawn",
            subject=row,
            after={
                "week": week.isoformat(),
                "lots": seed,
                "percents": policy.percents,
                "usual_percent": policy.usual_percent,
                "per_person": policy.per_person,
                "pool": row.pool,
                "picked": [str(ticket.decision) for ticket in picked],
            },
            source="task",
        )
    return row


def tickets(week: date) -> list[Ticket]:
    """The decisions of the week that ended a case, by what counts as one on the dashboard."""
    begin, end = begin_of(week), begin_of(week + WEEK)
    rows = CaseDecision.objects.filter(
        case__marks__measure="decided",
        case__marks__at__gte=begin,
        case__marks__at__lt=end,
        case__marks__at=F("at"),
    )
    found = rows.order_by("pk").values_list("pk", "case_id", "case__kind", "actor_id")
    return [Ticket(*row) for row in found]


def pick(pot: list[Ticket], row: ReviewDraw) -> list[Ticket]:
    """The tickets with the lowest lots: of each kind its share, rounded up, then of each person who has too few."""
    pot = sorted(pot, key=lambda ticket: lot(row.seed, ticket.decision))
    by_kind: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in pot:
        by_kind[ticket.kind].append(ticket)
    picked: list[Ticket] = []
    for kind in sorted(by_kind):
        percent = _percent(row.percents, kind, row.usual_percent)
        picked += by_kind[kind][: -(-len(by_kind[kind]) * percent // 100)]
    chosen = set(picked)
    for person in sorted({ticket.person for ticket in pot}, key=str):
        theirs = [ticket for ticket in pot if ticket.person == person]
        lacking = row.per_person - sum(ticket in chosen for ticket in theirs)
        # A kind of which nothing shall be drawn stays out of it.
        others = [
            ticket
            for ticket in theirs
            if ticket not in chosen and _percent(row.percents, ticket.kind, row.usual_percent)
        ]
        picked += others[: max(0, lacking)]
    return sorted(picked, key=lambda ticket: lot(row.seed, ticket.decision))


def drawn_again(row: ReviewDraw) -> bool:
    """Whether the kept seed and policy give the reviews that there are."""
    again = {ticket.decision for ticket in pick(tickets(row.week), row)}
    return again == set(row.reviews.values_list("decision_id", flat=True))


def lot(seed: str, decision: UUID) -> str:
    """SHA-256 of seed and decision: even, and for anybody to compute."""
    return hashlib.sha256(f"{seed}:{decision}".encode()).hexdigest()


def _percent(percents: Mapping[str, int], kind: str, usual: int) -> int:
    return percents.get(kind, usual)
