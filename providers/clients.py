"""The configured clients, built from Django's settings once per process."""

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.partner import PartnerClient, PartnerCredentials
from providers.bakkt.types import CryptoCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.http import Timeouts, Transport
from providers.tokens import SharedTokens

#: While a person waits on a page: the page has a written fallback.
IMPATIENT = Timeouts(connect=2.0, read=4.0, total=6.0)


def bakkt_crypto(*, waiting: bool = False) -> CryptoClient:
    """The account-opening client. `waiting`: a person waits on a page, so be quick and try once.

    Raises ImproperlyConfigured when BAKKT_CRYPTO_URL is not set.
    """
    return _crypto(
        _address("BAKKT_CRYPTO_URL"),
        settings.BAKKT_CRYPTO_LOGON_ID,
        settings.BAKKT_CRYPTO_PASSWORD,
        settings.BAKKT_CRYPTO_TOKEN_PREFIX,
        waiting,
    )


def bakkt_partner(*, waiting: bool = False) -> PartnerClient:
    """The partner client; see bakkt_crypto. Raises ImproperlyConfigured when BAKKT_PARTNER_URL is not set."""
    return _partner(
        _address("BAKKT_PARTNER_URL"),
        settings.BAKKT_PARTNER_CLIENT_ID,
        settings.BAKKT_PARTNER_CLIENT_SECRET,
        settings.BAKKT_PARTNER_ID,
        settings.SANDBOX_URL,
        waiting,
    )


def _address(name: str) -> str:
    url = str(getattr(settings, name))
    if not url:
        raise ImproperlyConfigured(f"{name} is not set.")
    return url


# Keyed by the settings themselves, so that a test or a reload with others gets other clients.
@lru_cache(maxsize=8)
def _crypto(url: str, logon_id: str, password: str, prefix: str, waiting: bool) -> CryptoClient:
    return CryptoClient(
        base_url=url,
        credentials=CryptoCredentials(logon_id, password),
        transport=_transport(waiting),
        tokens=SharedTokens(),
        token_prefix=prefix,
    )


@lru_cache(maxsize=8)
def _partner(
    url: str, client_id: str, client_secret: str, partner_id: str, local_origin: str, waiting: bool
) -> PartnerClient:
    return PartnerClient(
        base_url=url,
        credentials=PartnerCredentials(client_id, client_secret),
        partner_id=partner_id,
        transport=_transport(waiting),
        tokens=SharedTokens(),
        local_origin=local_origin,
    )


@lru_cache(maxsize=2)
def _transport(waiting: bool) -> Transport:
    recorder, circuits = CallLogRecorder(), SharedCircuits()
    if waiting:
        return Transport(circuits=circuits, recorder=recorder, timeouts=IMPATIENT, read_attempts=1)
    return Transport(circuits=circuits, recorder=recorder)
