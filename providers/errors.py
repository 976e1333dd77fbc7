"""What a call to a provider can come to. House style, section 7.

Nothing here carries a request body, a filled path or a rejected value: an error may be logged and shown to
staff.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any


@dataclasses.dataclass(frozen=True)
class FieldProblem:
    """One complaint of the provider about one input.

    `code` is the provider's own stable word or number; `field` its path of the input (`owners[0].role`,
    empty when it names none); `message` its sentence, with the rejected value masked. The sentence is free
    text of a third party and stays out of `repr`.
    """

    code: str
    field: str
    message: str = dataclasses.field(repr=False, default="")


class ProviderError(Exception):
    """A call that brought no usable answer.

    `status` is the HTTP status if one was received, `code` a stable word (the provider's, or ours for
    transport failures), `request_id` the provider's id of the request, `retry_after` the seconds it asks us
    to wait.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        facts = [f"status {self.status}"] if self.status else []
        facts += [self.code] if self.code else []
        return f"{self.message} ({', '.join(facts)})" if facts else self.message


class OutcomeUnknown(ProviderError):
    """Time-out, dropped connection, 5xx, or a reply nobody can read: the provider may or may not have
    acted."""


class NotSent(OutcomeUnknown):
    """The request never left: refused connection, unknown host, failed login. Nothing happened; try again
    later.

    It is an OutcomeUnknown so that whoever retries those retries this too; whoever cares tells it apart.
    """


class CircuitOpen(NotSent):
    """The host failed too often lately; calls are held back for `retry_after` seconds."""


class Busy(ProviderError):
    """429: not processed, to be repeated after `retry_after` seconds (None when the provider does not
    say)."""


class Misconfigured(ProviderError):
    """401, 403, a redirect, an impossible address: our set-up is wrong and a person must mend it."""


class Rejected(ProviderError):
    """The provider refused the request for good (other 4xx). `fields` says which inputs it complains
    about."""

    def __init__(self, message: str = "", *, fields: Iterable[FieldProblem] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.fields: tuple[FieldProblem, ...] = tuple(fields)


class NotFound(Rejected):
    """404: the provider knows no such thing."""


class Conflict(Rejected):
    """409: this key was used before. `body` is the parsed reply, which may hold the answer of the first
    request."""

    def __init__(self, message: str = "", *, body: Any = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.body = body


class Unreadable(ValueError):
    """A reply or webhook body that does not have the promised form. Says what is wrong, never the value."""
