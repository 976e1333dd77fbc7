"""The inbox: webhooks that are stored (providers/intake.py) and answered are processed here.

Twice, late or unknown, it changes nothing wrongly. The app that owns what an event is about registers a
handler for the provider. `plan` says what the event would change against what is known now; `apply` does it,
in the same transaction. Staff see the plan before a replay.
`process_due()` is what a woken worker does, and what beat has done every few seconds, in case no wake arrived.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import structlog
from celery import current_app
from django.db import models, transaction

from portal import audit, clock, permissions
from portal.context import acting, current
from portal.errors import Conflict, DomainError, NotFound
from portal.waker import Waker
from providers.models.inbound import InboundEvent

if TYPE_CHECKING:
    from portal.models import User

Status = InboundEvent.Status
log = structlog.get_logger(__name__)

#: A failing event is tried this often by itself, then waits for a person.
MOST_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=10)
#: A worker takes so many events at a time; a full batch wakes another worker to help.
BATCH = 20
#: What a worker took and did not settle, because it died or lost the database, is due again after this long.
TAKEN_FOR = timedelta(seconds=20)
#: A worker gives its place back after so long (the time limit of tasks is 200); what is left rings by itself.
LONGEST_RUN_SECONDS = 60.0
#: A wake nobody took within this many seconds is dropped by the worker: beat has had the rows looked at since.
WAKE_EXPIRES_SECONDS = 60


class Verdict(StrEnum):
    """What an event comes to."""

    APPLY = "apply"
    NO_EFFECT = "no_effect"
    QUARANTINE = "quarantine"
    #: Only in a preview: the rehearsal raised.
    FAIL = "fail"


@dataclass(frozen=True)
class Plan:
    """What processing an event would change. `lines` are sentences for people, without personal data.

    `if_applied` says of a quarantined event what a person who applies it changes, and then what to weigh.
    """

    verdict: Verdict
    lines: list[str] = field(default_factory=list)
    kind: str = ""
    provider_request_id: str = ""
    party_ref: str = ""
    subject: models.Model | None = None
    if_applied: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Equal for plans that say the same to a person."""
        return hashlib.sha256("\n".join([self.verdict, *self.lines, *self.if_applied]).encode()).hexdigest()[
            :16
        ]


class Handler(Protocol):
    """The owner of a provider's events."""

    def plan(self, event: InboundEvent) -> Plan:
        """What the event would change now. Changes nothing; locks what `apply` will write."""

    def apply(self, event: InboundEvent, plan: Plan) -> None:
        """Make the change of an APPLY plan, in the transaction the plan was made in."""

    def apply_held(self, event: InboundEvent, plan: Plan, *, actor: "User", reason: str) -> None:
        """Make the change `if_applied` tells of, in the actor's name and in the plan's transaction."""


_handlers: dict[str, Handler] = {}
_put_aside: dict[str, Callable[[InboundEvent, Plan], None]] = {}
_subject_pages: dict[str, Callable[[UUID], str]] = {}


def register(provider: str, handler: Handler) -> None:
    """Name the handler of a provider's events; called from the owning app's `ready()`."""
    _handlers[provider] = handler


def register_put_aside(kind: str, told: Callable[[InboundEvent, Plan], None]) -> None:
    """Have `told` called with each event of the kind that goes to quarantine, in the transaction that puts it there."""
    _put_aside[kind] = told


def register_subject_page(subject_type: str, address: Callable[[UUID], str]) -> None:
    """Name the staff page of what events are about; `address` gives "" for a row that is gone."""
    _subject_pages[subject_type] = address


def subject_page(event: InboundEvent) -> str:
    """The address of the staff page of what the event is about, "" when there is none."""
    address = _subject_pages.get(event.subject_type)
    return address(event.subject_id) if address and event.subject_id else ""


# --- Waking -------------------------------------------------------------------------------------------------


def _send_wake() -> None:
    current_app.send_task("providers.tasks.inbox_process", queue="webhooks", expires=WAKE_EXPIRES_SECONDS)


_waker = Waker(_send_wake)


def wake() -> None:
    """Have a worker process what is due, after commit. Many at once are one message; see portal/waker.py."""
    transaction.on_commit(_waker.wake, robust=True)


# --- Processing ---------------------------------------------------------------------------------------------


def process(event_id: UUID, *, taken: bool = False) -> None:
    """Plan and apply one event in one transaction. Harmless for one settled or in another worker's hands.

    With `taken` nobody else works on it: whoever holds the row is counting a repeat, and is waited for.
    """
    with transaction.atomic():
        rows = InboundEvent.objects.select_for_update(skip_locked=not taken)
        event = rows.filter(pk=event_id).first()
        if event is None or event.status != Status.RECEIVED:
            return
        with _as_received(event):
            try:
                with transaction.atomic():
                    plan = _carry_out(event)
                    _settle(event, plan, _SETTLED[plan.verdict], outcome=" ".join(plan.lines))
            except Exception as error:
                log.exception("webhook_failed", event_id=str(event_id))
                _failed(event, error)


@contextmanager
def _as_received(event: InboundEvent) -> Iterator[None]:
    """What the event causes bears the id of the request that brought it, whoever woke the worker."""
    request_id = event.request_id or current().request_id
    with acting(request_id=request_id), structlog.contextvars.bound_contextvars(request_id=request_id):
        yield


def _carry_out(event: InboundEvent) -> Plan:
    handler = _handlers.get(event.provider)
    if handler is None:
        return Plan(Verdict.QUARANTINE, ["Nothing handles this provider's events."])
    plan = handler.plan(event)
    if plan.verdict == Verdict.APPLY:
        handler.apply(event, plan)
    elif plan.verdict == Verdict.QUARANTINE and plan.kind in _put_aside:
        _put_aside[plan.kind](event, plan)
    return plan


_SETTLED = {
    Verdict.APPLY: Status.PROCESSED,
    Verdict.NO_EFFECT: Status.IGNORED,
    Verdict.QUARANTINE: Status.QUARANTINED,
}


def _settle(
    event: InboundEvent,
    plan: Plan,
    new: Status,
    *,
    outcome: str,
    actor: "User | None" = None,
    reason: str = "",
) -> None:
    event.kind, event.party_ref = plan.kind[:64], plan.party_ref[:255]
    event.provider_request_id = plan.provider_request_id[:255]
    if plan.subject is not None:
        event.subject_type, event.subject_id = plan.subject._meta.label_lower, plan.subject.pk
    event.outcome = outcome[:500]
    event.attempts += 1
    event.processed_at, event.next_attempt_at = clock.now(), None
    event.move_to(new, actor=actor, reason=reason or event.outcome, source="page" if actor else "inbox")
    event.save(
        update_fields=[
            "kind",
            "party_ref",
            "provider_request_id",
            "subject_type",
            "subject_id",
            "outcome",
            "attempts",
            "processed_at",
            "next_attempt_at",
        ]
    )


def _failed(event: InboundEvent, error: Exception) -> None:
    # The message of an unforeseen exception may carry data; its name and place in the log must do.
    event.refresh_from_db()
    event.outcome = (
        f"Processing failed: {type(error).__name__}. The log has the details under this event's id."
    )
    event.attempts += 1
    if event.attempts >= MOST_ATTEMPTS:
        event.next_attempt_at = None
        event.move_to(Status.FAILED, actor=None, reason=event.outcome, source="inbox")
    else:
        event.next_attempt_at = clock.now() + FIRST_WAIT * 3 ** (event.attempts - 1)
    event.save(update_fields=["outcome", "attempts", "next_attempt_at"])


def _take() -> list[UUID]:
    """Ids of events that are due, oldest first, which are nobody else's for TAKEN_FOR."""
    moment = clock.now()
    with transaction.atomic():
        due = list(
            InboundEvent.objects.select_for_update(skip_locked=True)
            .filter(next_attempt_at__lte=moment)
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:BATCH]
        )
        if due:
            InboundEvent.objects.filter(pk__in=due).update(next_attempt_at=moment + TAKEN_FOR)
    return due


def process_due() -> int:
    """Process what is due, oldest first, until nothing is; returns how many events were taken up.

    Safe in parallel: each event is one worker's. An event that keeps killing its worker holds up its batch for
    TAKEN_FOR, not the events behind it.
    """
    count = 0
    until = time.monotonic() + LONGEST_RUN_SECONDS
    while time.monotonic() < until and (taken := _take()):
        if len(taken) == BATCH:
            wake()
        for event_id in taken:
            process(event_id, taken=True)
        count += len(taken)
    return count


def due_ids() -> list[UUID]:
    """Ids of events waiting to be processed, oldest first."""
    return list(
        InboundEvent.objects.filter(next_attempt_at__lte=clock.now(), status=Status.RECEIVED)
        .order_by("received_at")
        .values_list("pk", flat=True)
    )


# --- Staff --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Replayed:
    """What came of one row of a replay of many."""

    event: InboundEvent
    line: str
    queued: bool


def preview(event: InboundEvent) -> Plan:
    """What a replay would change now: carried out and rolled back, so what would fail again shows too."""
    try:
        with transaction.atomic():
            plan = _carry_out(event)
            transaction.set_rollback(True)
    except Exception as error:
        log.exception("webhook_preview_failed", event_id=str(event.pk))
        return Plan(Verdict.FAIL, [f"{type(error).__name__} was raised; the log has the details."])
    return plan


def replay(*, actor: "User", event_id: UUID, reason: str, seen: str | None = None) -> InboundEvent:
    """Put a settled event back to be processed again.

    `seen` is the fingerprint of the plan the actor was shown; None when no person looks. Raises Forbidden,
    NotFound, and Conflict when the event still waits to be processed or would change something else by now.
    """
    permissions.require(actor, "webhook.replay")
    with transaction.atomic():
        event = InboundEvent.objects.select_for_update().filter(pk=event_id).first()
        if event is None:
            raise NotFound("There is no such webhook.")
        if event.status == Status.RECEIVED:
            raise Conflict("This webhook is still waiting to be processed.")
        plan = preview(event)
        if seen is not None and plan.fingerprint != seen:
            raise Conflict("What it would change is different by now. Look at it again.")
        event.move_to(Status.RECEIVED, actor=actor, reason=reason, source="page")
        event.attempts, event.next_attempt_at = 0, clock.now()
        event.save(update_fields=["attempts", "next_attempt_at"])
        audit.record(
            "webhook.replay", subject=event, actor=actor, reason=reason, after={"shown": " ".join(plan.lines)}
        )
        wake()
    return event


def apply_held(*, actor: "User", event_id: UUID, reason: str, seen: str) -> InboundEvent:
    """Make the change a quarantined event was held back from.

    `seen` is the fingerprint of the plan the actor was shown. Raises Forbidden, NotFound, and Conflict when the
    event is not held any more, holds nothing a person could apply, or would change something else by now.
    """
    permissions.require(actor, "webhook.apply")
    with transaction.atomic():
        event = InboundEvent.objects.select_for_update().filter(pk=event_id).first()
        if event is None:
            raise NotFound("There is no such webhook.")
        handler = _handlers.get(event.provider)
        if event.status != Status.QUARANTINED or handler is None:
            raise Conflict("This webhook is not held any more.")
        plan = handler.plan(event)
        if plan.fingerprint != seen:
            raise Conflict("What it would change is different by now. Look at it again.")
        if not plan.if_applied:
            raise Conflict("This webhook holds nothing that can be applied by hand.")
        handler.apply_held(event, plan, actor=actor, reason=reason)
        shown = " ".join(plan.if_applied)
        outcome = f"Applied by a person. {plan.if_applied[0]}"
        _settle(event, plan, Status.PROCESSED, outcome=outcome, actor=actor, reason=reason)
        audit.record(
            "webhook.apply", subject=event, actor=actor, reason=reason, source="page", after={"shown": shown}
        )
    return event


def held_plan(event: InboundEvent) -> Plan | None:
    """What applying a held event would change; None where there is nothing a person may apply."""
    plan = preview(event) if event.status == Status.QUARANTINED else None
    return plan if plan and plan.if_applied else None


def replay_many(*, actor: "User", chosen: list[tuple[UUID, str]], reason: str) -> list[Replayed]:
    """Replay and process each (event id, fingerprint of the plan shown) by itself; say what came of each."""
    permissions.require(actor, "webhook.replay")
    results = []
    for event_id, seen in chosen:
        try:
            replay(actor=actor, event_id=event_id, reason=reason, seen=seen)
            process(event_id)
            refusal = ""
        except DomainError as error:
            refusal = error.message
        event = InboundEvent.objects.defer("body").filter(pk=event_id).first()
        if event is not None:
            results.append(Replayed(event, refusal or event.outcome, not refusal))
    return results
