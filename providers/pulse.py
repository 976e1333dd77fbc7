"""Whether the partner API answers: asked once a minute, shown on the staff status page and as a gauge.

Information only: traffic never depends on it (contract, question 35).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal import clock
from portal.gauges import seconds_since
from portal.metrics import register_gauge
from portal.models import Heartbeat
from providers.clients import bakkt_partner
from providers.errors import ProviderError

log = structlog.get_logger(__name__)

NAME = "bakkt-partner"
#: Asked every minute; silent for so long, it is said.
SILENT_AFTER = timedelta(minutes=3)


@dataclass(frozen=True)
class Pulse:
    """What is known: which of the provider's environments it is, and when it answered last."""

    environment: str
    answered_at: datetime | None

    @property
    def is_silent(self) -> bool:
        """Whether it has not answered for longer than it should."""
        return self.answered_at is None or clock.now() - self.answered_at > SILENT_AFTER


def ask() -> bool:
    """Ask now and keep when it answered; whether it did."""
    try:
        bakkt_partner().heartbeat()
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("partner_api_silent", error=type(error).__name__)
        return False
    Heartbeat.objects.update_or_create(name=NAME, defaults={"at": clock.now()})
    return True


def pulse() -> Pulse:
    """When it answered last."""
    at = Heartbeat.objects.filter(name=NAME).values_list("at", flat=True).first()
    return Pulse(environment(), at)


def environment() -> str:
    """Which of the provider's environments the portal is set to, in words; a stand-in is never taken for one."""
    url = str(settings.BAKKT_PARTNER_URL)
    if not url:
        return "not connected"
    if settings.SANDBOX_URL and url.startswith(settings.SANDBOX_URL):
        return "stand-in"
    return "PTR" if ".ptr." in f".{urlsplit(url).hostname}." else "production"


def _age() -> Mapping[str, float]:
    return {NAME: seconds_since(pulse().answered_at)}


register_gauge(
    "portal_provider_answered_seconds", "Since the provider last answered a heartbeat", "api", _age
)
