"""The call log: method, path template, host, outcome and sizes of every attempt; never bodies, headers or
filled paths."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class About:
    """On whose behalf calls are made: the row they concern and the outbox row that carries them."""

    subject_type: str = ""
    subject_id: UUID | None = None
    outbound_call_id: UUID | None = None


@dataclass(frozen=True)
class CallRecord:
    """One attempt. `outcome` is answered, rejected, not_found, conflict, busy, misconfigured, unknown or
    not_sent."""

    at: datetime
    operation: str
    method: str
    template: str
    host: str
    attempt: int
    outcome: str
    status: int | None
    code: str
    error: str
    provider_request_id: str
    request_id: str
    duration_ms: int
    bytes_out: int
    bytes_in: int
    about: About


class CallRecorder(Protocol):
    """Where attempts are written. Never raises: a lost log line must not change what a call came to."""

    def record(self, call: CallRecord) -> None: ...


_NOBODY = About()
_about: ContextVar[About] = ContextVar("provider_call_about", default=_NOBODY)


@contextmanager
def about(
    *, subject_type: str = "", subject_id: UUID | None = None, outbound_call_id: UUID | None = None
) -> Iterator[None]:
    """Name the row that calls inside the block concern, for its timeline."""
    token = _about.set(About(subject_type, subject_id, outbound_call_id))
    try:
        yield
    finally:
        _about.reset(token)


def current_about() -> About:
    return _about.get()
