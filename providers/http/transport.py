"""Sending calls: the only module of the house that opens a connection to a provider.

Every attempt has a connect, a read and a total time-out and a cap on the answer's size; TLS is verified; no
redirect is followed. Reads are repeated a few times with jittered waits; writes never are, the outbox
repeats those. A 401 to a shared token renews it once and repeats the call once, since the provider did not
process it.
"""

import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import NAMESPACE_OID, UUID, uuid5

import requests
import structlog
import urllib3.exceptions
from requests.adapters import HTTPAdapter

from portal import context, ids
from providers.errors import (
    Busy,
    CircuitOpen,
    Conflict,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    Unreadable,
)
from providers.http import metrics
from providers.http.answers import error_of, failure_of, request_id, request_id_in
from providers.http.calls import Call, parsed
from providers.http.circuit import CircuitStore
from providers.http.files import Download
from providers.http.record import CallRecord, CallRecorder, current_about
from providers.http.tokens import Token

log = structlog.get_logger(__name__)

T = TypeVar("T")
CHUNK_BYTES = 64 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
OUTCOMES: tuple[tuple[type[ProviderError], str], ...] = (
    (NotSent, "not_sent"),
    (OutcomeUnknown, "unknown"),
    (Busy, "busy"),
    (Misconfigured, "misconfigured"),
    (NotFound, "not_found"),
    (Conflict, "conflict"),
    (Rejected, "rejected"),
)


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, between two pieces of the answer, and for one attempt as a whole."""

    connect: float = 3.05
    read: float = 15.0
    total: float = 20.0


PATIENT = Timeouts()


@dataclass
class _Attempt:
    """What is known of the attempt under way, for its record."""

    number: int
    started: float
    at: datetime
    status: int | None = None
    provider_request_id: str = ""
    bytes_out: int = 0
    bytes_in: int = 0


class Transport:
    """One per process and kind of patience; safe to share between threads and across a fork."""

    def __init__(
        self,
        *,
        circuits: CircuitStore,
        recorder: CallRecorder,
        timeouts: Timeouts = PATIENT,
        read_attempts: int = 3,
        longest_wait: float = 2.0,
        answer_cap_bytes: int = 1024 * 1024,
        user_agent: str = "partner-portal/1",
        pool_size: int = 16,
    ) -> None:
        self._circuits = circuits
        self._recorder = recorder
        self._timeouts = timeouts
        self._read_attempts = read_attempts
        self._longest_wait = longest_wait
        self._answer_cap_bytes = answer_cap_bytes
        self._user_agent = user_agent
        self._pool_size = pool_size
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._session_pid = 0

    def call(self, call: Call, read: Callable[[Any], T]) -> T:
        """Make the call and return `read(parsed body)`.

        Raises the errors of providers.errors; Unreadable from `read` becomes OutcomeUnknown, since the
        provider may well have acted. For a write that failed to log in the error is NotSent: the write
        itself never left.
        """
        limit = self._read_attempts if call.may_repeat else 1
        number = 1
        while True:
            try:
                return self._authorised(call, read, number)
            except (OutcomeUnknown, Busy) as error:
                wait = self._wait_before_repeat(error, number)
                if number >= limit or wait is None:
                    raise
            time.sleep(wait)
            number += 1

    def _wait_before_repeat(self, error: ProviderError, number: int) -> float | None:
        """Seconds to wait, None when the wait is too long to be spent inside the call."""
        if isinstance(error, CircuitOpen):
            return None
        grown = min(0.2 * 2.0 ** (number - 1), self._longest_wait)
        asked = error.retry_after or 0.0
        if asked > self._longest_wait:
            return None
        return max(asked, grown * random.uniform(0.5, 1.0))  # noqa: S311  (spreads load; guards no secret)

    def _authorised(self, call: Call, read: Callable[[Any], T], number: int) -> T:
        if call.bearer is None:
            return self._attempt(call, read, number, None)
        token = _logged_in(call.bearer.current)
        try:
            return self._attempt(call, read, number, token)
        except Misconfigured as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            if call.once:
                with suppress(ProviderError):
                    call.bearer.replacement(token)
                raise
        return self._attempt(call, read, number, _logged_in(lambda: call.bearer.replacement(token)))  # type: ignore[union-attr]

    def _attempt(self, call: Call, read: Callable[[Any], T], number: int, token: Token | None) -> T:
        try:
            admission = self._circuits.admit(call.host)
        except CircuitOpen:
            metrics.HELD_BACK.labels(call.host).inc()
            raise
        attempt = _Attempt(number, time.perf_counter(), datetime.now(UTC))
        try:
            answer = self._exchange(call, read, attempt, token)
        except ProviderError as error:
            unknown = isinstance(error, OutcomeUnknown)
            (self._circuits.failed if unknown else self._circuits.succeeded)(admission)
            self._note(call, attempt, error)
            raise
        self._circuits.succeeded(admission)
        self._note(call, attempt, None)
        return answer

    def _exchange(self, call: Call, read: Callable[[Any], T], attempt: _Attempt, token: Token | None) -> T:
        body, media_type = call.body()
        headers = dict(call.headers)
        headers |= {"Accept": "*/*" if call.download else "application/json", "User-Agent": self._user_agent}
        if media_type:
            headers["Content-Type"] = media_type
        if token is not None and call.bearer is not None:
            headers["Authorization"] = call.bearer.header(token)
        if call.tracked:
            headers["x-tracking-id"] = tracking_id()
        url = call.url()
        attempt.bytes_out = len(body or b"")
        try:
            with self._http().request(
                call.method,
                url,
                params=dict(call.query) or None,
                data=body,
                headers=headers,
                auth=call.basic,
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                stream=True,
                proxies=_proxies(url),
                verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
            ) as response:
                attempt.status = response.status_code
                attempt.provider_request_id = request_id(response.headers)
                # Where the status alone counts, a body that breaks off must not put it in doubt.
                done = call.status_alone and _good(response.status_code)
                raw = b"" if done else self._read(response, attempt, call.download)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            # From None: the library's own words hold the filled path.
            failure = failure_of(error)
            if isinstance(failure, NotSent):
                attempt.bytes_out = 0
            raise _placed(failure, attempt) from None
        if call.request_id_key and not attempt.provider_request_id:
            attempt.provider_request_id = request_id_in(raw, call.request_id_key)
        if not _good(response.status_code):
            raise _placed(error_of(call, response.status_code, response.headers, raw), attempt)
        try:
            if call.download is not None:
                return read(response.headers.get("Content-Type", ""))
            return read(parsed(raw, plain_words=call.plain_words))
        except Unreadable as error:
            problem = OutcomeUnknown(f"The answer cannot be read: {error}", code="unreadable")
            raise _placed(problem, attempt) from None

    def _read(self, response: requests.Response, attempt: _Attempt, download: Download | None) -> bytes:
        """The body; empty when it went into the download. Errors are never written there."""
        into = download if response.status_code == HTTPStatus.OK else None
        if into is not None:
            into.start_over()
        cap = into.cap_bytes if into is not None else self._answer_cap_bytes
        pieces: list[bytes] = []
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
            attempt.bytes_in += len(piece)
            if attempt.bytes_in > cap:
                raise _placed(OutcomeUnknown("The answer is too large", code="too_large"), attempt)
            if time.perf_counter() - attempt.started > self._timeouts.total:
                raise _placed(OutcomeUnknown("No complete answer in time", code="timeout"), attempt)
            if into is not None:
                into.into.write(piece)
            else:
                pieces.append(piece)
        return b"".join(pieces)

    def _http(self) -> requests.Session:
        """The session of this process; connections opened before a fork belong to the parent."""
        with self._lock:
            if self._session is None or self._session_pid != os.getpid():
                session = requests.Session()
                # Neither ~/.netrc may replace our Authorization header nor a cookie tie calls together.
                session.trust_env = False
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                adapter = HTTPAdapter(pool_connections=8, pool_maxsize=self._pool_size, max_retries=0)
                session.mount("https://", adapter)
                session.mount("http://", adapter)
                self._session, self._session_pid = session, os.getpid()
            return self._session

    def _note(self, call: Call, attempt: _Attempt, error: ProviderError | None) -> None:
        seconds = time.perf_counter() - attempt.started
        outcome = outcome_word(error)
        metrics.CALLS.labels(call.operation, outcome).inc()
        metrics.SECONDS.labels(call.operation, outcome).observe(seconds)
        record = CallRecord(
            at=attempt.at,
            operation=call.operation,
            method=call.method,
            template=call.template,
            host=call.host,
            attempt=attempt.number,
            outcome=outcome,
            status=attempt.status,
            code=(error.code[:64] if error else ""),
            error=type(error).__name__ if error else "",
            provider_request_id=attempt.provider_request_id,
            request_id=context.current().request_id,
            duration_ms=round(seconds * 1000),
            bytes_out=attempt.bytes_out,
            bytes_in=attempt.bytes_in,
            about=current_about(),
        )
        log.info(
            "provider_call",
            operation=record.operation,
            method=record.method,
            path=record.template,
            host=record.host,
            status=record.status,
            outcome=outcome,
            code=record.code,
            attempt=record.attempt,
            duration_ms=record.duration_ms,
            provider_request_id=record.provider_request_id,
        )
        self._recorder.record(record)


def _good(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def outcome_word(error: ProviderError | None) -> str:
    """The word of the call log for what an attempt came to."""
    if error is None:
        return "answered"
    return next((name for kind, name in OUTCOMES if isinstance(error, kind)), "unknown")


def tracking_id() -> str:
    """Our request id as the UUID a provider's tracking header wants; a new one outside of requests and
    tasks."""
    ours = context.current().request_id
    if not ours:
        return str(ids.new_id())
    try:
        return str(UUID(ours))
    except ValueError:
        return str(uuid5(NAMESPACE_OID, ours))


def _logged_in(obtain: Callable[[], Token]) -> Token:
    """The token, with a log-in of unknown outcome told as what it is for the call behind it: not sent."""
    try:
        return obtain()
    except NotSent:
        raise
    except OutcomeUnknown as error:
        raise NotSent(
            "Logging in failed", status=error.status, code="login", retry_after=error.retry_after
        ) from error


def _placed(error: ProviderError, attempt: _Attempt) -> ProviderError:
    error.status = attempt.status
    error.request_id = attempt.provider_request_id
    return error


def _proxies(url: str) -> dict[str, str]:
    """The proxies the environment asks for; the machine itself is never reached through one."""
    if urlsplit(url).hostname in LOOPBACK:
        return {}
    return dict(requests.utils.get_environ_proxies(url))
