"""Who is acting, from where, in which request or task: set at the edge, read by audit, logs and status changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class RequestContext:
    """`actor_id` is the signed-in user, None for anonymous callers, tasks and providers."""

    actor_id: UUID | None = None
    ip: str = ""
    user_agent: str = ""
    request_id: str = ""
    #: What the browser or app asks to be spoken to in first, such as "es"; empty where it does not say.
    language: str = ""


_context: ContextVar[RequestContext] = ContextVar("portal_request", default=RequestContext())  # noqa: B039  (frozen)


def current() -> RequestContext:
    """The context of the work under way; empty values outside a request or task."""
    return _context.get()


@contextmanager
def acting(**changes: Any) -> Iterator[RequestContext]:
    """Run the block with the named fields of the context changed."""
    token = _context.set(replace(_context.get(), **changes))
    try:
        yield _context.get()
    finally:
        _context.reset(token)
