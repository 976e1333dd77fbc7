"""What people do with cases until they are decided: take, note, check, wait, escalate, reopen."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from compliance import jobs, kinds, mentions, permissions, personal, selectors, sla
from compliance.models import Case, CaseMention, CaseNote, CaseTick
from compliance.services import proposals
from compliance.services.shared import WAITS_ON, changed, checked_text, invalid, visible, wait
from compliance.services.workers import held_there
from portal import audit, clock, mail
from portal.errors import Conflict
from portal.models import User
from portal.permissions import can_do, require

Status = Case.Status


def case_assign(*, actor: User, case_id: UUID, to: User | None, source: str = "page") -> Case:
    """Give the case to someone: to oneself, to another (managers), or to nobody, which puts it back.

    A waiting case goes on waiting. Raises Forbidden or Conflict with every reason.
    """
    with transaction.atomic():
        is_there = to is None or held_there(to)
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
        if not is_there:
            raise Conflict(
                "You are away. Say that you are back first."
                if to == actor
                else f"{to} is away. Choose someone who is there."
            )
        before = case.assignee
        if before == to:
            return case
        # A hold is that of whoever put it on hold.
        changed(case, assignee=to, **({"waiting_until": None} if case.status == Status.HELD else {}))
        if case.status == Status.ESCALATED and not can_do(to, "case.manage"):
            case.move_to(Status.IN_PROGRESS, actor=actor, reason="Given back by a manager", source=source)
        elif to is None and case.status in Case.WORKED:
            case.move_to(Status.OPEN, actor=actor, source=source)
        elif to is not None and case.status in {Status.OPEN, Status.HELD}:
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
        held_there(actor)
        case = selectors.to_take(actor).select_for_update(skip_locked=True).first()
        return case_assign(actor=actor, case_id=case.pk, to=actor, source=source) if case else None


def case_note(*, actor: User, case_id: UUID, text: str, source: str = "page") -> CaseNote:
    """Write an internal note, and tell those whom it names by an @. Its text stays out of the audit trail.

    Raises Invalid for an empty or long one, and where it names nobody, or somebody who may not see the case; Forbidden
    while the data of the case's people is shut away from the actor.
    """
    text = checked_text(text, "text", "Write the note.")
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "note", case))
        personal.require_open(case, actor)
        named = [person for person in mentions.read(case, text) if person != actor]
        note = CaseNote.objects.create(case=case, author=actor, text=text)
        CaseMention.objects.bulk_create(CaseMention(note=note, case=case, person=person) for person in named)
        for person in named:
            _tell(person, actor, case)
        changed(case)
        case.mark_touched(actor)
        after = {"note": str(note.pk), "mentions": [str(person.pk) for person in named]}
        audit.record("case.note", subject=case, actor=actor, after=after, source=source)
    return note


def _tell(person: User, author: User, case: Case) -> None:
    """A letter without anything of the case but its reference."""
    mail.send(
        to=person.email,
        subject=f"You were mentioned on case {case.reference}",
        template="case_mention",
        context={
            "name": person.name or person.email,
            "author": str(author),
            "reference": case.reference,
            "case_id": str(case.pk),
        },
    )


def mentions_seen(*, actor: User, case_id: UUID) -> None:
    """The actor has opened the case, and so has seen the notes that name them."""
    CaseMention.objects.filter(person=actor, case=case_id, seen_at=None).update(seen_at=clock.now())


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
            case.mark_touched(actor)
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
    if on not in WAITS_ON:
        raise invalid(on="Choose on whom it waits.")
    if until <= clock.now():
        raise invalid(until="Choose a day to come.")
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "wait", case))
        proposals.take_back(case, actor=actor, source=source)
        wait(case, on=on, until=until, actor=actor, reason=reason, source=source)
    return case


def case_hold(*, actor: User, case_id: UUID, until: datetime, reason: str, source: str = "page") -> Case:
    """Put a case that is the actor's aside until a moment, or until something new comes in. Its clock runs on. A
    customer who waits for it is told until when, and never why.

    Raises Forbidden or Conflict with every reason, Invalid for a moment that is past.
    """
    if until <= clock.now():
        raise invalid(until="Choose a day to come.")
    with transaction.atomic():
        case = visible(actor, case_id)
        permissions.refuse(permissions.why_not(actor, "hold", case))
        proposals.take_back(case, actor=actor, source=source)
        sla.start(case)
        changed(case, waiting_until=until, **sla.values(case))
        case.move_to(Status.HELD, actor=actor, reason=reason, source=source)
        kinds.get(case.kind).tell_held(case, until)
    return case


def case_resume(*, actor: User, case_id: UUID, source: str = "page") -> Case:
    """Take up a waiting case, or one on hold, again before its day."""
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
        proposals.take_back(case, actor=actor, source=source)
        sla.start(case)
        changed(case, waiting_until=None, **sla.values(case))
        # A manager's proposal about an escalated case, taken back, leaves it escalated.
        if case.status != Status.ESCALATED:
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
