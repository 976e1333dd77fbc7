"""Showing what is masked: field by field, for some minutes, with a reason, so many an hour, and recorded.

An app registers each field that may be shown, once, when it starts:

    revealing.register(
        revealing.Field("onboarding.owner.tax_id", "Tax number", find=holder_of_owner)
    )

Staff pages print a sealed value with the tag `{% sealed value %}`: the mask with a link to reveal it, or, while the
reader's grant lasts, the value. What is no sealed value, a file for example, asks `is_shown`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from portal import audit, clock
from portal.composed import Composed, Question
from portal.errors import Conflict, Invalid, NotFound
from portal.models import Reveal, Role, User
from portal.permissions import can_do, require
from portal.sealed import Sealed

#: So long and no longer a reason is.
SHORTEST_REASON, LONGEST_REASON = 5, 300
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Holder:
    """What a value belongs to, and whose it is. The label is a reference: it holds no personal data."""

    subject: models.Model
    label: str
    url: str
    #: Names and e-mail addresses of the person, to tell when somebody looks at a colleague or at themselves.
    names: tuple[str, ...] = ()
    #: Whether this member of the staff has work with it now.
    has_task: Callable[[User], bool] = lambda _: False


@dataclass(frozen=True)
class Field:
    """A field that may be shown: `name` is app.model.field, as sealed values are bound to it."""

    name: str
    title: str
    find: Callable[[UUID], Holder | None]
    permission: str = "pii.reveal"


_fields: dict[str, Field] = {}


def register(field: Field) -> None:
    """Make a field known. Raises ValueError when another holds its name."""
    if _fields.get(field.name, field) is not field:
        raise ValueError(f"There is a field {field.name} already.")
    _fields[field.name] = field


def field(name: str) -> Field:
    """The field of that name. Raises NotFound."""
    if name not in _fields:
        raise NotFound("There is nothing of that kind to reveal.")
    return _fields[name]


def known(name: str) -> Field | None:
    """The field of that name; None when it cannot be revealed."""
    return _fields.get(name)


def address_of(value: Sealed) -> tuple[str, UUID] | None:
    """The field's name and the row's key of a sealed value; None for one that is not a registered row's."""
    name, _, key = value.home.rpartition(":")
    return (name, UUID(key)) if name in _fields else None


def holder(name: str, row_id: UUID) -> Holder:
    """What the row's field belongs to. Raises NotFound."""
    found = field(name).find(row_id)
    if found is None:
        raise NotFound("There is no such record.")
    return found


def live(actor: User, at: datetime | None = None) -> dict[tuple[str, UUID], Reveal]:
    """The person's grants that last, by field and row."""
    return {(row.field, row.row_id): row for row in _LIVE(actor.pk, at or clock.now())}


def remember_live(request: Any, actor: User, at: datetime) -> None:
    """Have the page of this request print sealed values by the grants that last at that moment."""
    request.live_reveals = live(actor, at)


def live_question(actor: User, at: datetime) -> Question:
    """What `live` asks at that moment."""
    return _LIVE.of(actor.pk, at)


_LIVE = Composed(lambda actor, now: Reveal.objects.filter(actor=actor, until__gt=now), UUID, datetime)


def is_shown(actor: User, name: str, row_id: UUID) -> bool:
    """Whether the person may read this field of this row now."""
    found = _fields.get(name)
    return (
        found is not None
        and can_do(actor, found.permission)
        and Reveal.objects.filter(actor=actor, field=name, row_id=row_id, until__gt=clock.now()).exists()
    )


def next_possible(actor: User) -> datetime | None:
    """When the person may reveal again; None when they may now."""
    mine = Reveal.objects.filter(actor=actor, at__gt=clock.now() - HOUR).order_by("-at")
    last = mine.values_list("at", flat=True)[settings.REVEALS_PER_HOUR - 1 : settings.REVEALS_PER_HOUR]
    return last[0] + HOUR if last else None


def reveal_grant(*, actor: User, name: str, row_id: UUID, reason: str, source: str = "page") -> Reveal:
    """Let the actor read one field of one row for REVEAL_MINUTES, and write down why.

    Asked again while it lasts, it is the same grant. Raises NotFound, Forbidden, Invalid for the reason, and Conflict
    once the actor revealed REVEALS_PER_HOUR values within an hour; that is recorded too.
    """
    wanted = field(name)
    require(actor, wanted.permission)
    reason = _reason(reason)
    whose = holder(name, row_id)
    with transaction.atomic():
        # One at a time for each person, so that two requests do not both find the last place of the hour.
        User.objects.select_for_update().only("pk").get(pk=actor.pk)
        rows = Reveal.objects.filter(actor=actor, field=name, row_id=row_id, until__gt=clock.now())
        if (lasting := rows.first()) is not None:
            return lasting
        again = next_possible(actor)
        if again is None:
            return _granted(actor, wanted, row_id, whose, reason, source)
        _record("pii.reveal_refused", actor, wanted, row_id, whose, reason, source)
    raise Conflict(
        f"You have revealed {settings.REVEALS_PER_HOUR} values within an hour, which is all there is. "
        f"The next is possible at {timezone.localtime(again):%H:%M}. Ask a colleague if it cannot wait."
    )


def reveal_end(*, actor: User, name: str, row_id: UUID, source: str = "page") -> None:
    """Hide the value again before its time. Nothing happens when it is hidden."""
    rows = Reveal.objects.filter(actor=actor, field=name, row_id=row_id, until__gt=clock.now())
    if rows.update(until=clock.now()):
        _record("pii.reveal_ended", actor, field(name), row_id, holder(name, row_id), "", source)


def _reason(text: str) -> str:
    reason = " ".join(text.replace("\x00", "").split())
    if len(reason) < SHORTEST_REASON:
        problem = "Say why, in a few words."
    elif len(reason) > LONGEST_REASON:
        problem = f"Use at most {LONGEST_REASON} characters."
    else:
        return reason
    raise Invalid(problem, fields={"reason": [problem]})


def _granted(actor: User, wanted: Field, row_id: UUID, whose: Holder, reason: str, source: str) -> Reveal:
    entry = _record("pii.reveal", actor, wanted, row_id, whose, reason, source)
    return Reveal.objects.create(
        actor=actor,
        field=wanted.name,
        row_id=row_id,
        subject_type=whose.subject._meta.label_lower,
        subject_id=whose.subject.pk,
        subject_label=whose.label[:100],
        # As the audit trail has it, with what looks like personal data cut out.
        reason=entry.reason[:LONGEST_REASON],
        at=clock.now(),
        until=clock.now() + timedelta(minutes=settings.REVEAL_MINUTES),
        had_task=whose.has_task(actor),
        relation=_relation(actor, whose.names),
    )


def _record(
    action: str, actor: User, wanted: Field, row_id: UUID, whose: Holder, reason: str, source: str
) -> audit.AuditEntry:
    return audit.record(
        action,
        subject=whose.subject,
        actor=actor,
        reason=reason,
        source=source,
        after={"field": wanted.name, "row": str(row_id)},
    )


def _relation(actor: User, names: tuple[str, ...]) -> str:
    """By names and addresses alone: it marks what a person should look at, and accuses nobody."""
    wanted = {_plain(name) for name in names if name.strip()}
    if wanted & {_plain(actor.email), _plain(actor.name)}:
        return Reveal.Relation.SELF
    people = User.objects.exclude(role=Role.CUSTOMER).values_list("email", "name")
    if any(wanted & {_plain(email), _plain(name)} for email, name in people):
        return Reveal.Relation.COLLEAGUE
    return Reveal.Relation.NONE


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
