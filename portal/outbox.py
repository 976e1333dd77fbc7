"""The outbox: a provider call is a committed row first, then performed, and repeated safely until its outcome is known.

A handler per operation, registered by the app that owns it, sends the call and records the answer. The engine
owns claiming, leases, retry times and the rule that a key is repeated only while the outcome is unknown and never
past the provider's memory (seed 001: same key after no status or a 5xx; keys are kept ten days).
"""

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q

from portal import audit, clock, ids
from portal.context import current
from portal.doorbell import ring
from portal.errors import Conflict
from portal.models.outbox import OutboundCall

if TYPE_CHECKING:
    from portal.models import User

Status = OutboundCall.Status

#: How long a worker may hold a call before another takes it up: longer than the slowest call with its time-outs.
LEASE = timedelta(seconds=120)
#: How long the provider remembers an idempotency key (seed 001), less a day for clocks and queues.
KEY_MEMORY = timedelta(days=9)
FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=15)
SWEEP_BATCH = 100
HANDED_OUT = timedelta(seconds=30)
UNFINISHED = (Status.QUEUED, Status.UNKNOWN, Status.SENDING)


# --- What a call can come to --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Succeeded:
    """The provider took it. `answer` is kept on the row, so it holds no personal data."""

    answer: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """The provider said no for good. `fields` are {code, field, message} without the rejected values."""

    problem: str
    fields: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Unknown:
    """It may or may not have taken effect: repeat with the same key."""

    problem: str


@dataclass(frozen=True)
class NotSent:
    """It certainly had no effect (no connection, busy, breaker open): try again at or after `retry_after`."""

    problem: str
    retry_after: timedelta | None = None


@dataclass(frozen=True)
class Misconfigured:
    """Our credentials or permissions are at fault: nothing took effect; retried slowly and shown to operators."""

    problem: str


@dataclass(frozen=True)
class KeySpent:
    """An answer that says nothing about the request, and after which its key may not be sent again.

    Where keys guard money, any status but a 5xx ends the key (seed 001): before the request goes out under a new one,
    the handler's `look_up` asks whether it had an effect after all.
    """

    problem: str
    retry_after: timedelta | None = None


@dataclass(frozen=True)
class AskPerson:
    """Nothing more can be found out by itself: a person looks at the provider's record."""

    problem: str


Outcome = Succeeded | Refused | Unknown | NotSent | Misconfigured | KeySpent | AskPerson


class Handler(Protocol):
    """What an operation's owner provides. Both are called by the worker, never inside a web request."""

    def send(self, call: OutboundCall) -> Outcome:
        """Make the call, outside any transaction."""

    def record(self, call: OutboundCall, outcome: Succeeded | Refused) -> None:
        """Record a final outcome, inside the transaction that finishes the row."""

    def gave_up(self, call: OutboundCall) -> None:
        """The call went to a person, inside the transaction that says so."""


class Looking(Handler, Protocol):
    """What the owner of an operation that may come to KeySpent provides besides."""

    def look_up(self, call: OutboundCall) -> Outcome | None:
        """What came of the request by the provider's own record, outside any transaction; None: it is not there."""


_handlers: dict[str, Handler] = {}


def register(operation: str, handler: Handler) -> None:
    """Name the handler of an operation; called from the owning app's `ready()`."""
    _handlers[operation] = handler


# --- Writing ------------------------------------------------------------------------------------------------


def enqueue(
    *,
    operation: str,
    subject: models.Model,
    body: dict[str, Any],
    actor: "User | None",
    key: str | None = None,
    look_up_first: bool = False,
) -> OutboundCall:
    """Write a call in the caller's transaction and wake a worker after commit.

    `body` is the domain payload the handler turns into the provider's form; it is sealed. `key` is the idempotency
    key, a new one when left out. `look_up_first`: the request may have had an effect before, so the handler looks it
    up before it sends it. Raises RuntimeError outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an outbound call is written in the transaction of the change that needs it")
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    call = OutboundCall.objects.create(
        operation=operation,
        subject_type=subject._meta.label_lower,
        subject_id=subject.pk,
        idempotency_key=key or str(ids.new_id()),
        key_spent=look_up_first,
        body=body,
        body_hash=hashlib.sha256(canonical).hexdigest(),
        actor=actor,
        request_id=current().request_id,
    )
    wake(call.pk)
    return call


def wake(call_id: UUID) -> None:
    """Ask a worker to perform the call after commit. A dead broker costs nothing: the sweeper finds the row."""
    ring("portal.tasks.outbox_perform", call_id, queue="provider")


# --- Performing ---------------------------------------------------------------------------------------------


def perform(call_id: UUID) -> None:
    """Claim the call, send it, record what came of it. Harmless for a call that is finished, held or not yet due."""
    call = _claim(call_id)
    if call is None:
        return
    outcome = _looked_up(call) or _handlers[call.operation].send(call)
    with transaction.atomic():
        row = OutboundCall.objects.select_for_update().get(pk=call.pk)
        if row.status in OutboundCall.FINAL:
            return
        if isinstance(outcome, Succeeded | Refused):
            _finish(row, outcome)
        elif row.lease != call.lease:
            # Another worker took the call up after our lease ran out: what we do not know, it will find out.
            return
        elif isinstance(outcome, AskPerson):
            _to_person(row, outcome.problem)
        else:
            _postpone(row, outcome)


def _looked_up(call: OutboundCall) -> Outcome | None:
    """What a request whose key is spent came to; None when it is to be sent, then under a new key."""
    if not call.key_spent:
        return None
    handler = _handlers[call.operation]
    assert hasattr(handler, "look_up"), f"{call.operation} spends keys and looks nothing up"
    found: Outcome | None = handler.look_up(call)
    if found is not None:
        return found
    with transaction.atomic():
        row = OutboundCall.objects.select_for_update().get(pk=call.pk)
        if row.lease != call.lease or row.status != Status.SENDING:
            return Unknown("Another worker took it up.")
        row.idempotency_key, row.key_spent, row.first_sent_at = str(ids.new_id()), False, clock.now()
        row.save(update_fields=["idempotency_key", "key_spent", "first_sent_at"])
    call.idempotency_key, call.key_spent = row.idempotency_key, False
    return None


def _claim(call_id: UUID) -> OutboundCall | None:
    moment = clock.now()
    with transaction.atomic():
        call = OutboundCall.objects.select_for_update(skip_locked=True).filter(pk=call_id).first()
        if call is None or call.status in OutboundCall.FINAL or call.status == Status.NEEDS_PERSON:
            return None
        if call.status == Status.SENDING:
            if call.lease_until and call.lease_until > moment:
                return None
            call.move_to(Status.UNKNOWN, actor=None, reason="The worker sending it stopped.", source="outbox")
        elif call.next_attempt_at > moment:
            return None
        if call.first_sent_at and moment - call.first_sent_at > KEY_MEMORY:
            _give_up(call)
            return None
        call.move_to(Status.SENDING, actor=None, reason=f"Attempt {call.attempts + 1}", source="outbox")
        call.attempts += 1
        call.first_sent_at = call.first_sent_at or moment
        call.lease = ids.new_id()
        call.lease_until = moment + LEASE
        call.next_attempt_at = call.lease_until
        call.save(update_fields=["attempts", "first_sent_at", "lease", "lease_until", "next_attempt_at"])
        return call


def _give_up(call: OutboundCall) -> None:
    if call.status == Status.QUEUED:
        call.move_to(Status.SENDING, actor=None, source="outbox")
    _to_person(
        call, "The provider no longer remembers this key; look it up there before anything is sent again."
    )


def _to_person(call: OutboundCall, reason: str) -> None:
    call.move_to(Status.NEEDS_PERSON, actor=None, reason=reason, source="outbox")
    _handlers[call.operation].gave_up(call)


def _finish(row: OutboundCall, outcome: Succeeded | Refused) -> None:
    row.finished_at = clock.now()
    if isinstance(outcome, Succeeded):
        row.answer, row.problem, row.problem_fields = outcome.answer, "", []
        row.move_to(Status.SUCCEEDED, actor=None, source="outbox")
    else:
        row.problem, row.problem_fields = outcome.problem[:300], outcome.fields
        row.move_to(Status.REJECTED, actor=None, reason=outcome.problem, source="outbox")
    row.save(update_fields=["finished_at", "answer", "problem", "problem_fields"])
    _handlers[row.operation].record(row, outcome)


def _postpone(row: OutboundCall, outcome: Unknown | NotSent | Misconfigured | KeySpent) -> None:
    row.problem = outcome.problem[:300]
    row.key_spent = row.key_spent or isinstance(outcome, KeySpent)
    row.next_attempt_at = clock.now() + _wait(row.attempts, outcome)
    if isinstance(outcome, Unknown):
        row.move_to(Status.UNKNOWN, actor=None, reason=outcome.problem, source="outbox")
    else:
        row.move_to(Status.QUEUED, actor=None, reason=outcome.problem, source="outbox")
    row.save(update_fields=["problem", "next_attempt_at", "key_spent"])


def _wait(attempts: int, outcome: Unknown | NotSent | Misconfigured | KeySpent) -> timedelta:
    if isinstance(outcome, Misconfigured):
        return timedelta(minutes=5)
    grown = min(FIRST_WAIT * (2 ** min(attempts - 1, 12)), LONGEST_WAIT)
    jittered: timedelta = grown * random.uniform(0.75, 1.25)  # noqa: S311  (spreads load; guards no secret)
    asked = outcome.retry_after if isinstance(outcome, NotSent | KeySpent) else None
    return max(jittered, asked) if asked else jittered


def sweep(limit: int = SWEEP_BATCH) -> list[UUID]:
    """Claim what is due and wake workers for it; what the broker lost is found here. Returns the ids woken.

    A row just handed out is left alone for half a minute, so that a long queue is not filled again at each tick.
    """
    moment = clock.now()
    with transaction.atomic():
        due = list(
            OutboundCall.objects.select_for_update(skip_locked=True)
            .filter(
                Q(swept_at=None) | Q(swept_at__lte=moment - HANDED_OUT),
                status__in=UNFINISHED,
                next_attempt_at__lte=moment,
            )
            .order_by("next_attempt_at")
            .values_list("pk", flat=True)[:limit]
        )
        OutboundCall.objects.filter(pk__in=due).update(swept_at=moment)
        for call_id in due:
            wake(call_id)
    return due


def waiting(operations: tuple[str, ...], *, most: int) -> int:
    """How many unfinished calls of these operations there are, counted up to `most`."""
    rows = OutboundCall.objects.filter(status__in=UNFINISHED, operation__in=operations)
    return len(rows.values_list("pk", flat=True)[:most])


def due_ids(limit: int = SWEEP_BATCH, *, at: datetime | None = None) -> list[UUID]:
    """Ids of unfinished calls that are due at `at` (now), oldest first."""
    return list(
        OutboundCall.objects.filter(status__in=UNFINISHED, next_attempt_at__lte=at or clock.now())
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)[:limit]
    )


# --- A person decides ---------------------------------------------------------------------------------------


def retry_by_person(*, actor: "User", call_id: UUID, reason: str, look_up: bool = True) -> OutboundCall:
    """Queue a call again that went to a person, under a NEW key: the old one may be forgotten by the provider.

    What its handler can look up is looked up before it is sent; with `look_up` False the person's word stands.
    Raises Conflict when the call is not waiting for a person. The caller checks the actor's permission.
    """
    with transaction.atomic():
        call = OutboundCall.objects.select_for_update().get(pk=call_id)
        if call.status != Status.NEEDS_PERSON:
            raise Conflict("Only a call that waits for a person can be sent again.")
        call.idempotency_key = str(ids.new_id())
        call.first_sent_at = None
        call.key_spent = look_up and hasattr(_handlers.get(call.operation), "look_up")
        call.next_attempt_at = clock.now()
        call.save(update_fields=["idempotency_key", "first_sent_at", "key_spent", "next_attempt_at"])
        call.move_to(Status.QUEUED, actor=actor, reason=reason, source="page")
        audit.record("outbox.retry", subject=call, actor=actor, reason=reason)
        wake(call.pk)
        return call


def conclude(
    *,
    call_id: UUID,
    outcome: Succeeded | Refused,
    reason: str,
    actor: "User | None" = None,
    record: bool = True,
) -> OutboundCall:
    """Finish a call that waits for a person by what was found out about it otherwise, in the caller's transaction.

    With `record` the operation's handler records the outcome as if it had come as an answer; without, the caller has
    its own way. Raises Conflict when the call is not waiting for a person.
    """
    row = OutboundCall.objects.select_for_update(of=("self",)).get(pk=call_id)
    if row.status != Status.NEEDS_PERSON:
        raise Conflict("This call does not wait for a person any more.")
    row.finished_at = clock.now()
    if isinstance(outcome, Succeeded):
        row.answer, row.problem, row.problem_fields = outcome.answer, "", []
    else:
        row.problem, row.problem_fields = outcome.problem[:300], outcome.fields
    final = Status.SUCCEEDED if isinstance(outcome, Succeeded) else Status.REJECTED
    row.move_to(final, actor=actor, reason=reason, source="case" if actor else "outbox")
    row.save(update_fields=["finished_at", "answer", "problem", "problem_fields"])
    if record:
        _handlers[row.operation].record(row, outcome)
    return row
