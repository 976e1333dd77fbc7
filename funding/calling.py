"""Provider calls in outbox handlers whose answer is for the record alone: it stays in memory, on no row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal import outbox
from portal.models import OutboundCall
from providers.errors import FieldProblem, Rejected
from providers.outcomes import as_outcome


@dataclass(frozen=True)
class Answered(outbox.Succeeded):
    """Success with the reply, which may hold a token."""

    reply: Any = field(default=None, repr=False)


def ask(fn: Callable[[], Any], call: OutboundCall) -> outbox.Outcome:
    """Make the provider call: Answered, or what else came of it. A refusal names its code first (`code_of`)."""
    replies: list[Any] = []

    def coded() -> None:
        try:
            replies.append(fn())
        except Rejected as error:
            raise with_code(error) from error

    outcome = as_outcome(coded, lambda _: {}, call=call)
    return Answered(reply=replies[0]) if isinstance(outcome, outbox.Succeeded) else outcome


def with_code(error: Rejected) -> Rejected:
    """The refusal with its own code first among what it complains about: the outbox row keeps that."""
    return Rejected(
        error.message,
        fields=[FieldProblem(error.code, "", ""), *error.fields],
        status=error.status,
        code=error.code,
        request_id=error.request_id,
    )


def code_of(refused: outbox.Refused) -> str:
    """The provider's code of the refusal, "" where it named none."""
    return next((str(row["code"]) for row in refused.fields if row["code"]), "")[:64]
