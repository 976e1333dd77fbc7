"""What people do with cases until they are decided: take, note, check, wait, escalate, reopen."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from compliance import jobs, kinds, permissions, selectors, sla
from compliance.models import Case, CaseNote, CaseTick
from compliance.services.shared import changed, checked_text, invalid, visible
from compliance.services.workers import is_away
from portal import audit, clock
from portal.errors import Conflict
from portal.models import User
from portal.permissions import can_do, require

Status = Case.Status


def case_assign(*, actor: User, case_id: UUID, to: User | None, source: str = "page") -> Case:
    """Give the case to someone: to oneself, to another (managers), or to nobody, which puts it back.

    A waiting case goes on waiting. Raises Forbidden or Conflict with every reason.
    """
    with transaction.atomic():
        case = visible(actor, case_id)
        if to is None:
            permissions.refuse(permissions.why_not(actor, "put_back", case))
        elif to == actor:
            permissions.refuse(permissions.why_not(actor, "take", case))
        else:
            permissions.refuse(permissions.why_not(actor, "assign", case))
            if not can_do(to, "case.work"):
                raise Conflict(f"{to} does not work on cases. Choose someone who does.")
            if not permissions.role_sees(to, case.queue):
                raise Conflict(f"{to} does not see the queue “{case.queue}”. Choose someone who does.")
        if to is not None and is_away(to.pk):
            raise Conflict(
                "You are away. Say that you are back first."
                if to == actor
                else f"{to} is away. Choose someone who is there."
            )
        before = case.assignee
        if before == to:
            return case
        changed(case, assignee=to)
        if case.status == Status.ESCALATED and not can_do(to, "case.manage"):
            case.move_to(Status.IN_PROGRESS, actor=actor, reason="Given back by a manager", source=source)
        elif to is None and case.status == Status.IN_PROGRESS:
            case.move_to(Status.OPEN, actor=actor, source=source)
        elif to is not None and case.status == Status.OPEN:
            case.move_to(Status.IN_PROGRESS, actor=actor, source=source)
        audit.record(
            "case.assigned",
            subject=case,
            actor=actor,
            before={"assignee": str(before.pk) if before else None},
            after={"assignee": str(to.pk) if to else None},
            source=source,
        )
    return case


def case_take_next(*, actor: User, source: str = "page") -> Case | None:
    """Assign the most pressing case that nobody works on to the actor; None when there is none.

    Two who ask at once get two cases.
    """
    with transaction.atomic():
        require(actor, "case.work")
        case = selectors.to_take(actor).select_for_update(skip_locked=True).first()
        return case_assign(actor=actor, case_id=case.pk, to=actor, source=source) if case else None


def case_note(*, actor: User, case_id: UUID, text: str, source: str = "page") -> CaseNote:
    """Write an internal note. Its text stays out of the audit trail. Raises Invalid for an empty or long one."""
    text = checked_text(text, "text", "Write the note.")
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "note", case))
        note = CaseNote.objects.create(case=case, author=actor, text=text)
        changed(case)
        audit.record("case.note", subject=case, actor=actor, after={"note": str(note.pk)}, source=source)
    return note


def case_check(*, actor: User, case_id: UUID, done: set[str], source: str = "page") -> Case:
    """Save the checklist: the items of `done` are ticked, all others are not. Unknown codes are left out."""
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "work", case))
        wanted = {item.code for item in kinds.get(case.kind).checklist} & done
        before = selectors.ticked(case)
        if wanted != before:
            case.ticks.exclude(item__in=wanted).delete()
            CaseTick.objects.bulk_create(
                CaseTick(case=case, item=code, by=actor) for code in sorted(wanted - before)
            )
            changed(case)
            audit.record(
                "case.checklist",
                subject=case,
                actor=actor,
                before={"done": sorted(before)},
                after={"done": sorted(wanted)},
                source=source,
            )
    return case


def case_wait(
    *, actor: User, case_id: UUID, on: str, until: datetime, reason: str, source: str = "page"
) -> Case:
    """Let the case wait on the "customer" or the "provider" until a moment, or until something new comes in."""
    statuses = {"customer": Status.WAITING_CUSTOMER, "provider": Status.WAITING_PROVIDER}
    if on not in statuses:
        raise invalid(on="Choose on whom it waits.")
    if until <= clock.now():
        raise invalid(until="Choose a day to come.")
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "wait", case))
        sla.stop(case)
        changed(case, waiting_until=until, **sla.values(case))
        if case.status != statuses[on]:
            case.move_to(statuses[on], actor=actor, reason=reason, source=source)
    return case


def case_resume(*, actor: User, case_id: UUID, source: str = "page") -> Case:
    """Take up a waiting case again before its day."""
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "resume", case))
        jobs.bring_back(case, actor=actor, reason="Taken up again", source=source)
    return case


def case_escalate(*, actor: User, case_id: UUID, reason: str, source: str = "page") -> Case:
    """Ask a manager to decide. The assignee stays, until a manager takes it over."""
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "escalate", case))
        sla.start(case)
        changed(case, waiting_until=None, **sla.values(case))
        case.move_to(Status.ESCALATED, actor=actor, reason=reason, source=source)
    return case


def case_reopen(*, actor: User, case_id: UUID, reason: str, source: str = "page") -> Case:
    """Put a decided case back into the queue. What was decided before stays written, and its effect stays done."""
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "reopen", case))
        sla.restart(case)
        changed(case, assignee=None, **sla.values(case))
        try:
            with transaction.atomic():
                case.move_to(Status.OPEN, actor=actor, reason=reason, source=source)
        except IntegrityError as error:
            raise Conflict(str(permissions.NEWER_IS_OPEN)) from error
    return case
