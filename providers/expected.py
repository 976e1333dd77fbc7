"""Expected events: every submission writes down which answer must come and by when, so silence is noticed.

What is late is read from the provider by the app that owns the subject and applied as if delivered. Many late
at once are one outage notice, during which only a few are probed instead of all.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from django.db import IntegrityError, models, transaction

from portal import audit, clock, permissions
from portal.errors import NotFound
from providers.models.expected import ExpectedEvent, ProviderOutage

if TYPE_CHECKING:
    from portal.models import User

log = structlog.get_logger(__name__)
State = ExpectedEvent.State
OPEN = (State.WAITING, State.LATE)

#: Late answers are looked at again after this long, growing with each look.
LOOK_AGAIN = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=6)
BATCH = 50
#: This many late, and this share of what was due lately, is an outage and not a handful of slow reviews.
OUTAGE_FROM = 5
OUTAGE_SHARE = 0.3
OUTAGE_WINDOW = timedelta(hours=1)
#: During an outage so many are tried per sweep, to notice its end without hammering.
PROBES = 2

#: kind -> reads the provider's record of the subject; True when the provider answered.
_recoverers: dict[str, Callable[[UUID], bool]] = {}


def register(kind: str, recover: Callable[[UUID], bool]) -> None:
    """Name what reads the provider when an answer of this kind is late; called from the owner's `ready()`."""
    _recoverers[kind] = recover


def expect(subject: models.Model, kind: str, *, provider: str, due_in: timedelta) -> None:
    """Write down that an answer must come. An open expectation of the same kind is given the new time."""
    due_at = clock.now() + due_in
    label = subject._meta.label_lower
    open_one = ExpectedEvent.objects.filter(
        subject_type=label, subject_id=subject.pk, kind=kind, state__in=OPEN
    )
    if not open_one.update(state=State.WAITING, due_at=due_at, next_look_at=due_at, looks=0):
        ExpectedEvent.objects.create(
            subject_type=label,
            subject_id=subject.pk,
            kind=kind,
            provider=provider,
            due_at=due_at,
            next_look_at=due_at,
        )


def met(subject: models.Model, kind: str) -> None:
    """The answer came by itself."""
    _settle(subject, kind, State.MET)


def recovered(subject: models.Model, kind: str) -> None:
    """The answer was found by reading the provider's record."""
    _settle(subject, kind, State.RECOVERED)


def _settle(subject: models.Model, kind: str, state: str) -> None:
    ExpectedEvent.objects.filter(
        subject_type=subject._meta.label_lower, subject_id=subject.pk, kind=kind, state__in=OPEN
    ).update(state=state, settled_at=clock.now())


def sweep() -> int:
    """Mark what is late and read it from the provider; returns how many were tried. Safe in parallel."""
    taken = _take()
    readings = [(event.provider, _read(event)) for event in taken]
    answered = {provider for provider, reading in readings if reading is True}
    silent = {provider for provider, reading in readings if reading is False}
    notices = {notice.provider: notice for notice in outages()}
    for provider in answered | silent | notices.keys():
        notice = notices.get(provider)
        if notice is None:
            if provider in silent - answered:
                _open_if_many_late(provider)
        elif provider in answered or not _late(provider).exists():
            _close(notice)
        elif provider in silent:
            notice.late_count = _late(provider).count()
            notice.save(update_fields=["late_count"])
    return len(taken)


def _late(provider: str) -> models.QuerySet[ExpectedEvent]:
    return ExpectedEvent.objects.filter(provider=provider, state=State.LATE)


def _take() -> list[ExpectedEvent]:
    """Claim what is due in one batch and give what to read; during an outage that is a few probes."""
    moment = clock.now()
    silent = {notice.provider for notice in outages()}
    with transaction.atomic():
        due = list(
            ExpectedEvent.objects.select_for_update(skip_locked=True)
            .filter(state__in=OPEN, next_look_at__lte=moment)
            .order_by("next_look_at")[:BATCH]
        )
        for event in due:
            event.state = State.LATE
            event.looks += 1
            event.next_look_at = moment + min(LOOK_AGAIN * 2 ** min(event.looks - 1, 10), LONGEST_PAUSE)
        ExpectedEvent.objects.bulk_update(due, ["state", "looks", "next_look_at"])
    probes: dict[str, int] = {}
    chosen = []
    for event in due:
        probes[event.provider] = probes.get(event.provider, 0) + 1
        if event.provider not in silent or probes[event.provider] <= PROBES:
            chosen.append(event)
    return chosen


def _read(event: ExpectedEvent) -> bool | None:
    """Whether the provider answered; None when that cannot be told: no reader for the kind, or our fault."""
    recover = _recoverers.get(event.kind)
    if recover is None:
        return None
    try:
        return recover(event.subject_id)
    except Exception:
        # One row that cannot be read must not keep the others waiting; it is looked at again later.
        log.exception("late_answer_not_read", kind=event.kind, subject_id=str(event.subject_id))
        return None


def _open_if_many_late(provider: str) -> None:
    moment = clock.now()
    lately = ExpectedEvent.objects.filter(
        provider=provider, due_at__gt=moment - OUTAGE_WINDOW, due_at__lte=moment
    )
    late, due = lately.filter(state=State.LATE).count(), lately.count()
    if late < OUTAGE_FROM or late <= due * OUTAGE_SHARE:
        return
    try:
        with transaction.atomic():
            opened = ProviderOutage.objects.create(provider=provider, late_count=late)
            audit.record("provider.outage", subject=opened, after={"provider": provider, "late": late})
    except IntegrityError:
        return  # Another sweep opened the same notice a moment ago.


def _close(notice: ProviderOutage) -> None:
    """End the notice; what waited through the outage unread is due now, and read batch by batch."""
    moment = clock.now()
    with transaction.atomic():
        if not ProviderOutage.objects.filter(pk=notice.pk, ended_at=None).update(ended_at=moment):
            return  # Another sweep ended it a moment ago.
        _late(notice.provider).update(next_look_at=moment, looks=0)
        audit.record("provider.outage_end", subject=notice, after={"provider": notice.provider})


def outages() -> list[ProviderOutage]:
    """The outages under way."""
    return list(ProviderOutage.objects.filter(ended_at=None).order_by("started_at"))


def note_outage(*, actor: "User", outage_id: UUID, note: str) -> ProviderOutage:
    """Write what staff should know of an outage, under way or over, in place of what stood there.

    Raises Forbidden and NotFound.
    """
    permissions.require(actor, "outage.note")
    with transaction.atomic():
        outage = ProviderOutage.objects.select_for_update().filter(pk=outage_id).first()
        if outage is None:
            raise NotFound("There is no such outage.")
        before, outage.note = outage.note, note
        outage.noted_by, outage.noted_at = actor, clock.now()
        outage.save(update_fields=["note", "noted_by", "noted_at"])
        audit.record(
            "provider.outage_note",
            subject=outage,
            actor=actor,
            before={"note": before},
            after={"note": note},
            source="page",
        )
    return outage
