"""Whether a webhook comes from who it says: one verifier per provider, as its contract allows."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from django.conf import settings
from django.http import HttpRequest

from portal import clock
from portal.middleware import client_ip
from providers.plaid.webhooks import SignedBody


class Verifier(Protocol):
    """Answers whether a request may be stored as the provider's."""

    @property
    def refusal(self) -> int:
        """The HTTP status a stranger gets."""

    def accepts(self, request: HttpRequest, path_secret: str, body: Callable[[], bytes]) -> bool:
        """True when the request proves itself; comparisons take constant time.

        `body` reads the raw bytes, for those who need them; what it raises is passed on.
        """


@dataclass(frozen=True)
class PathSecret:
    """An unguessable path, and where agreed a list of source addresses (contract bakkt-partner.md 7.6).

    Bakkt publishes no signature for this family, so an event is a hint, confirmed by reading where it
    matters. A stranger gets 404, as for any address that does not exist.
    """

    secret_setting: str
    addresses_setting: str
    refusal: int = 404

    def accepts(self, request: HttpRequest, path_secret: str, body: Callable[[], bytes]) -> bool:
        """The path holds the secret and the caller's address is allowed; with no list, every address is."""
        return _equal(path_secret, self.secret_setting) and self._address_allowed(request)

    def _address_allowed(self, request: HttpRequest) -> bool:
        allowed = getattr(settings, self.addresses_setting)
        if not allowed:
            return True
        try:
            address = ip_address(client_ip(request))
        except ValueError:
            return False
        # A socket that listens on IPv6 names an IPv4 caller ::ffff:192.0.2.1.
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in ip_network(entry, strict=False) for entry in allowed)


@dataclass(frozen=True)
class ApiKeyHeader:
    """`Authorization: API-Key <secret>`, the present or the previous secret (contract bakkt-accounts.md 9.3).

    With `window`, a request whose X-Bakkt-Timestamp is further away is refused; leave it out unless the
    provider stamps each retry anew, because retries run for two days. The contract asks for 401.
    """

    secret_setting: str
    previous_setting: str
    window: timedelta | None = None
    refusal: int = 401

    def accepts(self, request: HttpRequest, path_secret: str, body: Callable[[], bytes]) -> bool:
        """The header holds one of the secrets and its time, where one is asked for, is near."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        present = _equal(given, self.secret_setting)
        previous = _equal(given, self.previous_setting)
        return scheme == "API-Key" and (present or previous) and self._in_time(request)

    def _in_time(self, request: HttpRequest) -> bool:
        if self.window is None:
            return True
        stamped = timestamp(request.headers.get("X-Bakkt-Timestamp", ""))
        return stamped is not None and abs(clock.now() - stamped) <= self.window


def timestamp(text: str) -> datetime | None:
    """A moment as epoch seconds, epoch milliseconds or ISO 8601 (UTC without a zone); None otherwise."""
    try:
        if text.isascii() and text.isdigit():
            number = int(text)
            return datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _equal(given: str, setting: str) -> bool:
    # An unset secret is nobody's: two empty texts are equal too.
    wanted = str(getattr(settings, setting))
    return hmac.compare_digest(given.encode(), wanted.encode()) and bool(wanted)


VERIFIERS: dict[str, Verifier] = {
    "bakkt": PathSecret("BAKKT_WEBHOOK_SECRET", "BAKKT_WEBHOOK_ALLOWED_IPS"),
    "plaid": SignedBody(),
}
