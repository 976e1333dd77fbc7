"""What can go wrong on our side, each with a stable code, an HTTP status and words that are safe to show.

One REST handler (portal.api.errors) and one page middleware (portal.middleware) turn them into answers.
"""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A refusal a person or an app can act on.

    `fields` maps a field's path (dotted, as in the step's data) to the sentences about it; empty for errors
    that concern no field. `reasons` are all the reasons with their fixes, where there may be several at once:
    {"code", "text", "fix"}. `message` is shown as it is: it never carries personal data.
    """

    code = "refused"
    status = 400
    title = "The request was refused"
    reasons: Sequence[Mapping[str, str]] = ()

    def __init__(self, message: str, *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields: dict[str, list[str]] = dict(fields or {})


class NotFound(DomainError):
    """No such thing, or none that the asker may know of."""

    code = "not-found"
    status = 404
    title = "Not found"


class Forbidden(DomainError):
    """The asker is known and may not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class Conflict(DomainError):
    """The thing changed meanwhile, or an equal request is under way."""

    code = "conflict"
    status = 409
    title = "Conflict"


class Invalid(DomainError):
    """The input does not hold; `fields` says where and how to mend it."""

    code = "invalid"
    status = 422
    title = "Some answers need attention"


class PreconditionFailed(DomainError):
    """The draft is at another version than the caller holds (If-Match)."""

    code = "stale-draft"
    status = 412
    title = "The application was changed elsewhere"


class PreconditionRequired(DomainError):
    """A change of a draft came without saying which version of it was seen (If-Match)."""

    code = "precondition-required"
    status = 428
    title = "If-Match is missing"


class StaleRow(Conflict):
    """The row left the status it was expected in between read and write."""

    code = "stale-row"
    title = "It changed at the same moment"


class IllegalMove(Conflict):
    """The state machine has no such move."""

    code = "illegal-move"
    title = "Not possible in its present state"


class Gone(DomainError):
    """It was there for a while, and the while is over."""

    code = "gone"
    status = 410
    title = "It is no longer there"


class TooLarge(DomainError):
    """More bytes than are taken, or than were announced."""

    code = "too-large"
    status = 413
    title = "The body is too large"


class Unavailable(DomainError):
    """A part of ours is away for the moment; the same request may be sent again."""

    code = "unavailable"
    status = 503
    title = "We are back in a moment"


class ProviderAway(DomainError):
    """The provider did not answer while a person waited; `retry_after` says in how many seconds to try again."""

    code = "provider-away"
    status = 503
    title = "The provider cannot be reached"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
