"""What staff do to hand in a whole wave: start, pause, go on, stop."""

from typing import Any
from uuid import UUID

from django.db import transaction

from onboarding.imports import ready
from onboarding.imports.handin_jobs import FASTEST, wake
from onboarding.models import HandIn, ImportBatch, ImportRow
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

MANAGE = "import.manage"
Status = HandIn.Status
Outcome = ImportRow.Outcome


def why_not(batch: ImportBatch, *, going: int) -> list[str]:
    """Every reason why customers of the batch cannot be handed in now; `going`: how many would go."""
    reasons = []
    if batch.status != ImportBatch.Status.IMPORTED:
        reasons.append("Customers are handed in once the import is done.")
    if HandIn.objects.filter(batch=batch, status__in=HandIn.OPEN).exists():
        reasons.append("Another hand-in of this import is under way. Stop it, or wait until it is done.")
    if not going:
        reasons.append(
            "Nobody is ready: customers appear here by themselves once they are complete, in grace once they have "
            "accepted the agreements."
        )
    return reasons


def hand_in_start(
    *, actor: User, batch_id: UUID, complete_only: bool, per_minute: int, source: str
) -> HandIn:
    """Put everybody who may go in turn. Raises Invalid for the pace, Conflict with every reason why not."""
    permissions.require(actor, MANAGE)
    if not 1 <= per_minute <= FASTEST:
        raise Invalid(
            "Look at the pace.", fields={"per_minute": [f"Enter a number between 1 and {FASTEST}."]}
        )
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
        if batch is None:
            raise NotFound("There is no such import.")
        going = ready.rows(batch, complete_only=complete_only)
        if reasons := why_not(batch, going=int(going.exists())):
            raise Conflict(" ".join(reasons))
        hand_in = HandIn.objects.create(
            batch=batch, complete_only=complete_only, per_minute=per_minute, started_by=actor
        )
        hand_in.total = going.update(hand_in=hand_in, outcome=Outcome.WAITS, outcome_note="", outcome_at=None)
        hand_in.save(update_fields=["total"])
        audit.record(
            "import.hand_in",
            subject=batch,
            actor=actor,
            source=source,
            after={
                "hand_in": str(hand_in.pk),
                "customers": hand_in.total,
                "per_minute": per_minute,
                "complete_only": complete_only,
            },
        )
        wake(hand_in)
    return hand_in


def hand_in_pause(*, actor: User, hand_in_id: UUID, source: str) -> HandIn:
    """Let nobody else go until somebody says so."""
    with transaction.atomic():
        hand_in = _locked(actor, hand_in_id)
        _move(hand_in, Status.PAUSED, {Status.RUNNING}, actor=actor, source=source)
    return hand_in


def hand_in_go_on(*, actor: User, hand_in_id: UUID, source: str) -> HandIn:
    """Go on after a pause, at the same pace."""
    with transaction.atomic():
        hand_in = _locked(actor, hand_in_id)
        _move(hand_in, Status.RUNNING, {Status.PAUSED}, actor=actor, source=source)
        hand_in.problem, hand_in.next_at = "", clock.now()
        hand_in.save(update_fields=["problem", "next_at"])
        wake(hand_in)
    return hand_in


def hand_in_stop(*, actor: User, hand_in_id: UUID, source: str) -> HandIn:
    """End it: who waits is let go and may be handed in another time."""
    with transaction.atomic():
        hand_in = _locked(actor, hand_in_id)
        _move(hand_in, Status.STOPPED, {Status.RUNNING, Status.PAUSED}, actor=actor, source=source)
        hand_in.rows.filter(outcome=Outcome.WAITS).update(hand_in=None, outcome="")
    return hand_in


def _locked(actor: User, hand_in_id: UUID) -> HandIn:
    permissions.require(actor, MANAGE)
    hand_in = HandIn.objects.select_for_update().filter(pk=hand_in_id).first()
    if hand_in is None:
        raise NotFound("There is no such hand-in.")
    return hand_in


def _move(hand_in: HandIn, new: Status, allowed: set[Any], *, actor: User, source: str) -> None:
    """Move on by a press of a button, which stands on the page in `allowed` states alone."""
    if hand_in.status not in allowed:
        raise Conflict(f"This hand-in is {hand_in.get_status_display().lower()}. Load the page again.")
    hand_in.move_to(new, actor=actor, source=source)
