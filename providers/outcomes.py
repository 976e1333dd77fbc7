"""From a provider call made inside an outbox handler to the outbox engine's outcomes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from portal import outbox
from portal.models.outbox import OutboundCall
from providers.errors import (
    Busy,
    FieldProblem,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from providers.http import about

T = TypeVar("T")


def as_outcome(
    fn: Callable[[], T],
    answer: Callable[[T], dict[str, Any]],
    *,
    call: OutboundCall | None = None,
    keyed: bool = False,
) -> outbox.Outcome:
    """Make the provider call `fn` and tell the engine what came of it.

    `answer` turns the typed reply into what the outbox row keeps: no personal data. With `call`, the
    attempts are logged under its subject and id, so that they stand on the subject's timeline. `keyed`: the
    request bears an idempotency key, which an answer that is neither a verdict nor a 5xx spends (seed 001). Other
    exceptions pass: they are our own faults.
    """
    try:
        if call is None:
            reply = fn()
        else:
            with about(subject_type=call.subject_type, subject_id=call.subject_id, outbound_call_id=call.pk):
                reply = fn()
    except ProviderError as error:
        if keyed and isinstance(error, Busy | Misconfigured) and error.status is not None:
            return outbox.KeySpent(str(error), _wait(error))
        return _outcome(error)
    return outbox.Succeeded(answer(reply))


def field_problem(problem: FieldProblem) -> dict[str, Any]:
    """The form in which the outbox row keeps a complaint."""
    return {"code": problem.code, "field": problem.field, "message": problem.message}


def _outcome(error: ProviderError) -> outbox.Outcome:
    words = str(error)
    if isinstance(error, NotSent | Busy):
        return outbox.NotSent(words, _wait(error))
    if isinstance(error, OutcomeUnknown):
        return outbox.Unknown(words)
    if isinstance(error, Rejected):
        return outbox.Refused(words, [field_problem(problem) for problem in error.fields])
    if isinstance(error, Misconfigured):
        return outbox.Misconfigured(words)
    return outbox.Unknown(words)


def _wait(error: ProviderError) -> timedelta | None:
    return timedelta(seconds=error.retry_after) if error.retry_after is not None else None
