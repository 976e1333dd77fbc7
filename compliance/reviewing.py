"""Second reviews as people see them: who may make which, what is shown of them, and what they come to."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.core.cache import caches
from django.db.models import Count, Q, QuerySet

from compliance import kinds, permissions, selectors
from compliance.figures import DAY, begin_of
from compliance.models import Case, CaseNote, CaseTick, Proposal, Review
from compliance.permissions import NOT_YOUR_ROLE, Reason
from portal import clock
from portal.errors import Forbidden, NotFound
from portal.models import User
from portal.pages import Page, keyset
from portal.permissions import can_do

Status = Review.Status
LOOKED_BACK = timedelta(days=180)
#: From so many disagreements over a reason the checklist may lack something.
ENOUGH = 2
MOST_LESSONS = 5
#: Each process remembers for so long what was learnt.
REMEMBERED_SECONDS = 300
_REMEMBERED = "review_lessons"


def why_not(actor: User, review: Review, worked: Collection[UUID] | None = None) -> list[Reason]:
    """Every reason why the actor is not the second person for this one. `worked`: who worked on the case, if known."""
    found = []
    case = review.case
    kind = kinds.get(case.kind)
    first = kind.decision(review.decision.code)
    words = kind.permission_for(first) if first else kind.permission
    if not (can_do(actor, "case.work") and can_do(actor, words)):
        found.append(Reason("Your role does not decide such cases.", NOT_YOUR_ROLE, is_role=True))
    if not (
        permissions.may_see(actor, case)
        and (case.queue is None or permissions.role_decides(actor, case.queue))
    ):
        found.append(Reason("Your role does not decide in its queue.", NOT_YOUR_ROLE, is_role=True))
    worked = workers_of([case.pk])[case.pk] if worked is None else worked
    if actor.pk == review.decision.actor_id:
        found.append(Reason("You decided it.", "Somebody else reviews it."))
    elif actor.pk in worked:
        found.append(Reason("You worked on it, so you know what came of it.", "Somebody else reviews it."))
    if not kind.decisions:
        found.append(Reason("This kind of case is no longer in use.", ""))
    return found


def workers_of(case_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Who wrote a note, ticked, decided, proposed, checked, or had each of the cases: they cannot be blind."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    keys = list(case_ids)
    for case_id, person in CaseNote.objects.filter(case__in=keys).values_list("case_id", "author_id"):
        found[case_id].add(person)
    for case_id, person in CaseTick.objects.filter(case__in=keys).values_list("case_id", "by_id"):
        found[case_id].add(person)
    rows = Case.objects.filter(pk__in=keys)
    for case_id, assignee, decider in rows.values_list("pk", "assignee_id", "decisions__actor_id"):
        found[case_id] |= {person for person in (assignee, decider) if person}
    for case_id, *both in Proposal.objects.filter(case__in=keys).values_list(
        "case_id", "maker_id", "checker_id"
    ):
        found[case_id] |= {person for person in both if person}
    return found


def why_not_settle(actor: User, review: Review) -> list[Reason]:
    """Every reason why the actor cannot say which of the two decisions stands."""
    found = []
    if not can_do(actor, "case.manage"):
        found.append(Reason("Only a manager says which decision stands.", NOT_YOUR_ROLE, is_role=True))
    if review.status != Status.DISAGREED:
        found.append(Reason("There is nothing to settle.", ""))
    if actor.pk in {review.decision.actor_id, review.reviewer_id}:
        found.append(Reason("One of the two decisions is yours.", "Another manager settles it."))
    return found


def mine(actor: User) -> Review | None:
    """The review the actor is making."""
    rows = Review.objects.filter(reviewer=actor, status=Status.TAKEN)
    return rows.select_related("case__queue", "decision__actor").order_by("pk").first()


def review_for(actor: User, review_id: UUID) -> Review:
    """One review: its reviewer's, whoever decided first once it is made, and those who see everybody's numbers.

    Raises NotFound. While somebody reviews it, only they see it, and managers who see that it is being made.
    """
    rows = Review.objects.select_related("case__queue", "decision__actor", "reviewer", "judged_by", "draw")
    found = rows.filter(pk=review_id).first()
    may = found is not None and (
        found.reviewer_id == actor.pk
        or can_do(actor, "dashboard.view")
        or (found.decision.actor_id == actor.pk and found.reviewed_at is not None)
    )
    if found is None or not may:
        raise NotFound("There is no such review.")
    return found


@dataclass(frozen=True)
class ReviewFilter:
    """Which reviews, as the address says it. Days are those they were made on."""

    status: str = ""
    kind: str = ""
    code: str = ""
    reason: str = ""
    #: "same", "decision" (another one), "reason" (another one for the same decision), or "".
    outcome: str = ""
    first: date | None = None
    last: date | None = None


OUTCOMES = {
    "same": Q(same_decision=True, same_reason=True),
    "decision": Q(same_decision=False),
    "reason": Q(same_decision=True, same_reason=False),
}


def reviews_for(actor: User, chosen: ReviewFilter, *, after: str, before: str) -> Page[Review]:
    """Reviews, newest first: everybody's for those who see everybody's numbers, else one's own.

    One's own are those one made, and those of one's decisions that are made.
    """
    if not (can_do(actor, "dashboard.view") or can_do(actor, "dashboard.view_own")):
        raise Forbidden("Your role makes no reviews. Ask a compliance manager if you need it for your work.")
    rows = Review.objects.select_related("case__queue", "decision__actor", "reviewer")
    if not can_do(actor, "dashboard.view"):
        rows = rows.filter(Q(reviewer=actor) | Q(decision__actor=actor, reviewed_at__isnull=False))
    given = {"status": chosen.status, "case__kind": chosen.kind, "decision__code": chosen.code}
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    if chosen.code:
        rows = rows.filter(decision__reason_code=chosen.reason)
    if chosen.outcome:
        rows = rows.filter(OUTCOMES[chosen.outcome])
    if chosen.first and chosen.last:
        rows = rows.filter(between(chosen.first, chosen.last))
    return keyset(rows, after=after, before=before)


def between(first: date, last: date) -> Q:
    """Made on these days, both included."""
    return Q(reviewed_at__gte=begin_of(first), reviewed_at__lt=begin_of(last + DAY))


def of_case(case: Case) -> list[Review]:
    """What second reviewers came to about a case, newest first; nothing that is not made yet."""
    if not case.is_done:
        return []
    rows = (
        Review.objects.filter(case=case)
        .exclude(reviewed_at=None)
        .select_related("reviewer", "judged_by", "decision")
    )
    return list(rows.order_by("-pk"))


def eligible(reviews: Iterable[Review]) -> dict[UUID, list[User]]:
    """Who may make each of these; nobody's list is empty, and the page says so."""
    rows = list(reviews)
    people, worked = list(selectors.people_for_cases()), workers_of(review.case_id for review in rows)
    return {
        review.pk: [person for person in people if not why_not(person, review, worked[review.case_id])]
        for review in rows
    }


def settlers(review: Review) -> list[User]:
    """The managers who may say which stands."""
    return [person for person in selectors.people_for_cases() if not why_not_settle(person, review)]


@dataclass
class Standing:
    """How often second reviewers agreed with a decision for a reason, and what was learnt where they did not."""

    kind: str
    code: str
    reason: str
    made: int = 0
    other_decision: int = 0
    other_reason: int = 0
    lessons: list[str] = field(default_factory=list)

    @property
    def disagreed(self) -> int:
        """How often either was another."""
        return self.other_decision + self.other_reason


def made(rows: QuerySet[Review]) -> list[Standing]:
    """The reviews that are made, by the first decision and its reason."""
    keys = ("case__kind", "decision__code", "decision__reason_code")
    counted = (
        rows.exclude(reviewed_at=None)
        .values_list(*keys)
        .annotate(
            number=Count("pk"),
            decision=Count("pk", filter=Q(same_decision=False)),
            reason=Count("pk", filter=Q(same_decision=True, same_reason=False)),
        )
        .order_by(*keys)
    )
    return [Standing(*row) for row in counted]


def suggestions() -> dict[str, list[Standing]]:
    """By kind, the reasons people differed over lately, with the lessons: what its checklist may lack."""
    lately = Review.objects.filter(reviewed_at__gte=clock.now() - LOOKED_BACK)
    found: dict[str, list[Standing]] = defaultdict(list)
    for one in made(lately):
        if one.disagreed >= ENOUGH:
            settled = lately.filter(
                status=Status.SETTLED,
                case__kind=one.kind,
                decision__code=one.code,
                decision__reason_code=one.reason,
            )
            lessons = settled.order_by("-pk").values_list("lesson", flat=True)[:MOST_LESSONS]
            one.lessons = list(dict.fromkeys(lessons))
            found[one.kind].append(one)
    return dict(found)


def lessons(kind: str) -> tuple[str, ...]:
    """What second reviews of this kind of case lately taught, newest first: shown beside its checklist."""
    found: dict[str, tuple[str, ...]] | None = caches["local"].get(_REMEMBERED)
    if found is None:
        found = _lessons()
        caches["local"].set(_REMEMBERED, found, REMEMBERED_SECONDS)
    return found.get(kind, ())


def lessons_changed() -> None:
    """Read them anew; other processes do in REMEMBERED_SECONDS at most."""
    caches["local"].delete(_REMEMBERED)


def _lessons() -> dict[str, tuple[str, ...]]:
    lately = Review.objects.filter(status=Status.SETTLED, reviewed_at__gte=clock.now() - LOOKED_BACK)
    found: dict[str, list[str]] = defaultdict(list)
    for kind, lesson in lately.order_by("-pk").values_list("case__kind", "lesson"):
        if lesson not in found[kind] and len(found[kind]) < MOST_LESSONS:
            found[kind].append(lesson)
    return {kind: tuple(texts) for kind, texts in found.items()}
