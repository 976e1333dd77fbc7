"""Second reviews: taken, decided without effect, and what a manager says when two people differ."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from compliance import kinds, personal, reviewing
from compliance.models import Review, ReviewPolicy
from compliance.permissions import refuse
from compliance.services.deciding import check_reasons
from compliance.services.shared import checked_text, clean, invalid
from portal import audit, clock
from portal.errors import Conflict, NotFound
from portal.models import User
from portal.permissions import require

Status = Review.Status
LONGEST_LESSON = 1000


def review_policy_save(
    *, actor: User, percents: Mapping[str, int], usual_percent: int, per_person: int, version: int
) -> ReviewPolicy:
    """Say how much is drawn from now on. Raises Forbidden, Conflict upon an older version, Invalid out of range."""
    require(actor, "case.manage")
    if not all(0 <= percent <= 100 for percent in (*percents.values(), usual_percent)):
        raise invalid(usual_percent="Write a number from 0 to 100.")
    if not 0 <= per_person <= 50:
        raise invalid(per_person="Write a number from 0 to 50.")
    with transaction.atomic():
        ReviewPolicy.current()
        policy = ReviewPolicy.objects.select_for_update().get()
        if policy.version != version:
            raise Conflict("Someone changed the policy since you opened it. Look at it and try again.")
        before = _policy(policy)
        policy.percents = {name: percent for name, percent in sorted(percents.items()) if kinds.known(name)}
        policy.usual_percent, policy.per_person = usual_percent, per_person
        policy.version += 1
        policy.save()
        audit.record(
            "review.policy", subject=policy, actor=actor, before=before, after=_policy(policy), source="page"
        )
    return policy


def review_take(*, actor: User) -> Review | None:
    """Take a review that waits and is the actor's to make, the oldest first; None when there is none.

    One that the actor has is gone on with. Two who ask at once get two. What is shut away from the actor is passed by.
    """
    require(actor, "case.decide")
    with transaction.atomic():
        # One at a time, so that whoever asks twice at once has one.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        mine = reviewing.mine(actor)
        if mine is not None:
            return mine
        waiting = Review.objects.filter(status=Status.WAITING).select_for_update(
            of=("self",), skip_locked=True
        )
        for review in waiting.select_related("case__queue", "decision__actor").order_by("pk")[:200]:
            if not reviewing.why_not(actor, review) and not personal.why_shut(review.case, actor)[0]:
                review.reviewer = actor
                review.save(update_fields=["reviewer"])
                review.move_to(Status.TAKEN, actor=actor, source="page")
                return review
    return None


def review_put_back(*, actor: User, review_id: UUID) -> Review:
    """Give a review back that one has, or as a manager anybody's, so that it waits for nobody who is away."""
    with transaction.atomic():
        review = _locked(review_id)
        if review.reviewer_id != actor.pk:
            require(actor, "case.manage")
        if review.status != Status.TAKEN:
            raise Conflict("Nobody is reviewing this now.")
        review.move_to(Status.WAITING, actor=actor, source="page")
        review.reviewer = None
        review.save(update_fields=["reviewer"])
    return review


def review_decide(
    *, actor: User, review_id: UUID, decision: str, reason_code: str = "", text: str = ""
) -> Review:
    """Say how one would have decided. It has no effect but to be compared with the first decision.

    Raises NotFound for a review of somebody else, Conflict when it is made already, Forbidden while the customer's data
    is shut away, Invalid for what is lacking.
    """
    with transaction.atomic():
        review = _locked(review_id)
        if review.reviewer_id != actor.pk:
            raise NotFound("There is no such review.")
        if review.status != Status.TAKEN:
            raise Conflict("This review is made already.")
        refuse(reviewing.why_not(actor, review))
        personal.require_open(review.case, actor)
        chosen = kinds.get(review.case.kind).decision(decision)
        if chosen is None:
            raise invalid(decision="Choose a decision.")
        text = clean(text)
        check_reasons(chosen, reason_code, text)
        first = review.decision
        review.code, review.reason_code, review.text = decision, reason_code, text
        review.reviewed_at = clock.now()
        review.same_decision = first.code == decision
        review.same_reason = first.reason_code == reason_code
        review.save(
            update_fields=["code", "reason_code", "text", "reviewed_at", "same_decision", "same_reason"]
        )
        review.move_to(Status.AGREED if review.agrees else Status.DISAGREED, actor=actor, source="page")
        audit.record(
            "review.made",
            subject=review,
            actor=actor,
            after={"decision": decision, "reason_code": reason_code, "agrees": review.agrees},
            source="page",
        )
    return review


def review_settle(*, actor: User, review_id: UUID, stands: str, lesson: str) -> Review:
    """Say which of two decisions stands, and what everybody learns from it. A manager's who made neither.

    The case itself stays as it is: whoever finds that it must be decided anew reopens it.
    """
    lesson = checked_text(lesson, "lesson", "Write what is learnt from it.")
    if len(lesson) > LONGEST_LESSON:
        raise invalid(lesson=f"Use at most {LONGEST_LESSON} characters.")
    if stands not in Review.Stands.values:
        raise invalid(stands="Choose which decision stands.")
    with transaction.atomic():
        review = _locked(review_id)
        refuse(reviewing.why_not_settle(actor, review))
        personal.require_open(review.case, actor)
        review.stands, review.lesson, review.judged_by = stands, lesson, actor
        review.save(update_fields=["stands", "lesson", "judged_by"])
        review.move_to(Status.SETTLED, actor=actor, source="page")
        audit.record("review.settled", subject=review, actor=actor, after={"stands": stands}, source="page")
        transaction.on_commit(reviewing.lessons_changed)
    return review


def _locked(review_id: UUID) -> Review:
    rows = Review.objects.select_for_update(of=("self",)).select_related(
        "case__queue", "decision__actor", "reviewer"
    )
    found = rows.filter(pk=review_id).first()
    if found is None:
        raise NotFound("There is no such review.")
    return found


def _policy(policy: ReviewPolicy) -> dict[str, object]:
    return {
        "percents": policy.percents,
        "usual_percent": policy.usual_percent,
        "per_person": policy.per_person,
    }
