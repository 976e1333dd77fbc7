"""The configured clients, built from Django's settings once per process."""

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.fiat import FiatClient
from providers.bakkt.partner import PartnerClient, PartnerCredentials
from providers.bakkt.types import CryptoCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.http import Timeouts, Transport
from providers.plaid.client import PlaidClient
from providers.plaid.types import PlaidCredentials
from providers.tokens import SharedTokens

#: While a person waits on a page: the page has a written fallback.
IMPATIENT = Timeouts(connect=2.0, read=4.0, total=6.0)
#: For what waits for a bank: Plaid's fresh balances may take more than half a minute.
BANK = Timeouts(connect=3.05, read=45.0, total=50.0)
#: What the stand-in is told where no keys are set; it takes any.
STAND_IN_KEYS = PlaidCredentials("stand-in", "stand-in")


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


def bakkt_fiat(*, waiting: bool = False) -> FiatClient:
    """The client of fiat funding, with the partner client's token; see bakkt_crypto. Raises ImproperlyConfigured
    when BAKKT_PARTNER_URL is not set."""
    return _fiat(
        _address("BAKKT_PARTNER_URL"),
        settings.BAKKT_PARTNER_CLIENT_ID,
        settings.BAKKT_PARTNER_CLIENT_SECRET,
        settings.BAKKT_PARTNER_ID,
        settings.BAKKT_TRANSACTION_READS,
        settings.BAKKT_LINK_READS,
        waiting,
    )


def plaid(*, waiting: bool = False) -> PlaidClient:
    """The client for linking banks; see bakkt_crypto. Raises ImproperlyConfigured when PLAID_URL is not set."""
    return _plaid(
        _address("PLAID_URL"),
        settings.PLAID_CLIENT_ID,
        settings.PLAID_SECRET,
        settings.PARTNER_NAME,
        waiting,
    )


def plaid_host() -> str:
    """Where the client asks: what is known of one environment holds for no other. "" where no bank can be linked."""
    return str(settings.PLAID_URL)


def plaid_webhook_address() -> str:
    """Where Plaid sends webhooks; given with each link token."""
    return f"{settings.PORTAL_URL}/webhooks/plaid/"


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


@lru_cache(maxsize=8)
def _fiat(
    url: str,
    client_id: str,
    client_secret: str,
    partner_id: str,
    reads_transactions: bool,
    reads_links: bool,
    waiting: bool,
) -> FiatClient:
    return FiatClient(
        base_url=url,
        credentials=PartnerCredentials(client_id, client_secret),
        partner_id=partner_id,
        transport=_transport(waiting),
        tokens=SharedTokens(),
        reads_transactions=reads_transactions,
        reads_links=reads_links,
    )


@lru_cache(maxsize=8)
def _plaid(url: str, client_id: str, secret: str, client_name: str, waiting: bool) -> PlaidClient:
    recorder, circuits = CallLogRecorder(), SharedCircuits()
    return PlaidClient(
        base_url=url,
        credentials=PlaidCredentials(client_id, secret) if client_id else STAND_IN_KEYS,
        client_name=client_name,
        transport=_transport(waiting),
        slow=Transport(circuits=circuits, recorder=recorder, timeouts=BANK, read_attempts=1),
    )


@lru_cache(maxsize=2)
def _transport(waiting: bool) -> Transport:
    recorder, circuits = CallLogRecorder(), SharedCircuits()
    if waiting:
        return Transport(circuits=circuits, recorder=recorder, timeouts=IMPATIENT, read_attempts=1)
    return Transport(circuits=circuits, recorder=recorder)
