"""Whether a webhook is really Plaid's: a JWT over the body's hash, signed with a key Plaid hands out
(contract plaid.md, section 7)."""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import structlog
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from portal import clock
from providers import clients
from providers.errors import ProviderError, Rejected

log = structlog.get_logger(__name__)

HEADER = "Plaid-Verification"
OLDEST = timedelta(minutes=5)
_KID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
LONGEST_TOKEN = 4096

#: A key is asked about again after this; while nobody answers, the known one serves on until it is forgotten.
RECHECKED_AFTER = timedelta(hours=12)
FORGOTTEN_AFTER = timedelta(days=7)
#: Anybody may post an id nobody knows. So many are asked about in a minute, whoever posts them; the rest wait for
#: Plaid's next try. Known keys are not counted, and unknown ids are not kept: they would fill the cache.
MOST_UNKNOWN = 20


@dataclass(frozen=True)
class SignedBody:
    """The verifier of Plaid's webhooks. A stranger gets 401, without a reason."""

    refusal: int = 401

    def accepts(self, request: HttpRequest, path_secret: str, body: Callable[[], bytes]) -> bool:
        """True when the signature holds, is fresh, and speaks of exactly these bytes."""
        token = request.headers.get(HEADER, "")
        kid = _key_id(token)
        # Before the body is read and a key is asked for.
        if kid is None or path_secret:
            return False
        key = _key(kid)
        claims = _claims(token, key) if key else None
        if claims is None or not _fresh(claims.get("iat")):
            return False
        said = claims.get("request_body_sha256")
        return isinstance(said, str) and hmac.compare_digest(
            said.encode(), hashlib.sha256(body()).hexdigest().encode()
        )


def _key_id(token: str) -> str | None:
    """The key a token names, None for a token that cannot be Plaid's. Nothing in it is trusted yet."""
    if not token or len(token) > LONGEST_TOKEN:
        return None
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):  # the latter for a header nested a thousand deep
        return None
    kid = header.get("kid")
    return kid if header.get("alg") == "ES256" and isinstance(kid, str) and _KID.fullmatch(kid) else None


def _claims(token: str, jwk: dict[str, Any]) -> dict[str, Any] | None:
    try:
        key = jwt.PyJWK.from_dict(jwk, algorithm="ES256")
        # The age is judged by our own clock, below.
        claims: dict[str, Any] = jwt.decode(
            token, key.key, algorithms=["ES256"], options={"verify_iat": False, "require": ["iat"]}
        )
    except (jwt.PyJWTError, ValueError):
        return None
    return claims


def _fresh(issued: object) -> bool:
    if not isinstance(issued, int) or isinstance(issued, bool):
        return False
    try:
        moment = datetime.fromtimestamp(issued, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return abs(clock.now() - moment) <= OLDEST


def _key(kid: str) -> dict[str, Any] | None:
    """The usable public key of this id, from the cache all processes share or from Plaid."""
    place = f"plaid-webhook-key:{clients.plaid_host()}:{kid}"
    known: dict[str, Any] | None = cache.get(place)
    if known is None and not _may_ask():
        log.warning("plaid_webhook_keys_asked_too_often")
        return None
    if known is None or clock.now() - known["asked"] > RECHECKED_AFTER:
        known = _asked(place, kid) or known
    key = known["key"] if known else None
    return key if key and _usable(key) else None


def _asked(place: str, kid: str) -> dict[str, Any] | None:
    """What Plaid says of the key now, kept; None where nobody answers or nobody knows it."""
    try:
        key = clients.plaid(waiting=True).webhook_key(kid)
    except Rejected:
        cache.delete(place)
        return {"key": None}
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("plaid_webhook_key_not_read", error=type(error).__name__)
        return None
    known = {"key": key, "asked": clock.now()}
    cache.set(place, known, FORGOTTEN_AFTER.total_seconds())
    return known


def _usable(key: dict[str, Any]) -> bool:
    kind = (key.get("alg"), key.get("kty"), key.get("crv"), key.get("use"))
    return kind == ("ES256", "EC", "P-256", "sig") and key.get("expired_at") is None


def _may_ask() -> bool:
    """Whether a key nobody knows yet may be asked about now; counts."""
    place = f"plaid-webhook-keys-asked:{clock.now():%H%M}"
    cache.add(place, 0, 120)
    try:
        return cache.incr(place) <= MOST_UNKNOWN
    except ValueError:  # the cache lost it in between
        return False
