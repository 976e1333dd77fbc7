"""Who may do what to which case, and why not: every reason at once, each with what helps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from django.db.models import QuerySet

from compliance import kinds
from compliance.models import Case, Queue
from portal.errors import Conflict, Forbidden
from portal.models import User
from portal.permissions import TABLE, can_do

Action = Literal[
    "note", "take", "assign", "put_back", "work", "wait", "hold", "resume", "escalate", "decide", "reopen"
]
#: Roles that may be given a case.
WORKING_ROLES = tuple(role for role, words in TABLE.items() if "case.work" in words)
#: Roles that see any case at all.
SEEING_ROLES = tuple(role for role, words in TABLE.items() if words & {"case.view", "case.view_own"})
NOT_YOUR_ROLE = "Ask a compliance manager if you need it for your work."


@dataclass(frozen=True)
class Reason:
    """Why something is not possible, and what makes it possible."""

    text: str
    fix: str
    #: Whether the asker's role is in the way, not the state of the case.
    is_role: bool = False

    def __str__(self) -> str:
        return f"{self.text} {self.fix}".strip()


#: Roles that a queue may leave out. Who sees every queue by role is never left out.
NARROWED_ROLES = tuple(
    role for role, words in TABLE.items() if "case.view" in words and "queue.view" not in words
)


def role_sees(actor: User, queue: Queue | None) -> bool:
    """Whether the actor's role sees what lies in the queue. What no rule has looked at yet hides from nobody."""
    return queue is None or can_do(actor, "queue.view") or actor.role in queue.seen_by


def role_decides(actor: User, queue: Queue | None) -> bool:
    """Whether the queue leaves the actor's role to decide in it; managers always."""
    return queue is None or can_do(actor, "case.manage") or actor.role in queue.decided_by


NEWER_IS_OPEN = Reason("A newer case of this kind about the same subject is open.", "Work on that one.")


def may_see(actor: User, case: Case) -> bool:
    """Whether the actor may open this case: any in the queues they see, or only what they opened or were given."""
    if can_do(actor, "case.view"):
        return role_sees(actor, case.queue)
    return can_do(actor, "case.view_own") and actor.pk in {case.opened_by_id, case.assignee_id}


def why_not(actor: User, action: Action, case: Case) -> list[Reason]:
    """Every reason why the actor cannot do this to the case now; empty when they can.

    The page disables what it cannot do with these words; the services refuse with the same.
    """
    return list(_reasons(actor, action, case))


def why_not_decide(actor: User, case: Case, decision: kinds.Decision, ticked: set[str]) -> list[Reason]:
    """Every reason why the actor cannot decide this way now; `ticked` are the items of the checklist that are done."""
    kind = kinds.get(case.kind)
    role = why_not_role(actor, kind, decision)
    return [*why_not(actor, "decide", case), *([role] if role else []), *lacking_ticks(kind, ticked)]


def why_not_role(actor: User, kind: kinds.CaseKind, decision: kinds.Decision) -> Reason | None:
    """Whether the actor's role is in the way of this decision; None when it is not."""
    if can_do(actor, kind.permission_for(decision)):
        return None
    return Reason(f"Your role does not decide “{decision.label}”.", NOT_YOUR_ROLE, is_role=True)


def lacking_ticks(kind: kinds.CaseKind, ticked: set[str]) -> list[Reason]:
    """What of the checklist is still to do."""
    return [
        Reason(f"Not ticked yet: {item.text}.", "Do it and tick it in the checklist.")
        for item in kind.checklist
        if item.code not in ticked
    ]


def refuse(reasons: list[Reason]) -> None:
    """Raise what the reasons amount to: Forbidden when the role is in the way, else Conflict; nothing when empty."""
    if not reasons:
        return
    words = " ".join(str(reason) for reason in reasons)
    raise Forbidden(words) if any(reason.is_role for reason in reasons) else Conflict(words)


def _reasons(actor: User, action: Action, case: Case) -> Iterator[Reason]:
    manages = can_do(actor, "case.manage")
    if action == "assign" and not manages:
        yield Reason("Only a manager gives cases to others.", NOT_YOUR_ROLE, is_role=True)
    elif not can_do(actor, "case.work"):
        yield Reason("Your role does not work on cases.", NOT_YOUR_ROLE, is_role=True)
    if action == "note":
        return
    if action == "reopen":
        if not case.is_done:
            yield Reason("The case is open.", "")
        elif _same(case).exclude(status__in=Case.DONE).exists():
            yield NEWER_IS_OPEN
        return
    if case.is_done:
        yield Reason("The case is decided.", "Reopen it first.")
        return
    if action in {"take", "put_back", "work", "wait", "hold", "resume", "escalate", "decide"}:
        yield from _whose(actor, action, case, manages)
    if action == "decide" and case.queue and not role_decides(actor, case.queue):
        yield Reason(f"Your role does not decide in the queue “{case.queue}”.", NOT_YOUR_ROLE, is_role=True)
    if action in {"work", "decide"} and case.status == Case.Status.WAITING_APPROVAL:
        yield Reason("A decision waits for a second person.", "Withdraw it, or wait for their answer.")
    if action == "resume" and case.status not in Case.RETURNING:
        yield Reason("The case waits for nobody.", "")
    if action == "hold" and case.status == Case.Status.HELD:
        yield Reason("The case is on hold already.", "Take it up again first.")
    if action == "escalate" and case.status == Case.Status.ESCALATED:
        yield Reason("The case is escalated already.", "")
    if (
        case.status == Case.Status.ESCALATED
        and action in {"put_back", "wait", "hold", "decide"}
        and not manages
    ):
        yield Reason("The case is escalated.", "A manager decides it or gives it back.", is_role=True)


def _same(case: Case) -> QuerySet[Case]:
    """The cases of its kind about its subject."""
    return Case.objects.filter(kind=case.kind, subject_type=case.subject_type, subject_id=case.subject_id)


def _whose(actor: User, action: Action, case: Case, manages: bool) -> Iterator[Reason]:
    fix = "Take it over first." if manages else "Ask them to put it back, or a manager to give it to you."
    if action == "take":
        if case.assignee_id == actor.pk:
            yield Reason("The case is yours already.", "")
        elif case.assignee_id is not None and not manages:
            yield Reason(f"{case.assignee} works on it.", fix)
    elif case.assignee_id is None:
        yield Reason("Nobody works on it.", "Assign it to yourself first.")
    elif case.assignee_id != actor.pk and not (manages and action == "put_back"):
        yield Reason(f"{case.assignee} works on it.", fix)
