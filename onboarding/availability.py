"""What the provider allows where the customer lives, told before they hand in (contract 4.6).

A job keeps the provider's answer for every place; pages read what is kept. It stops nobody: the provider decides about
an account when it opens it, and its list is about trading, not about having an account.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django_countries import countries

from onboarding.models import Address, Application, JurisdictionReading, Owner
from onboarding.requirements.roles import has_entity
from onboarding.requirements.rules import STATE_CHOICES
from portal import clock
from providers.bakkt.types import AssetRestriction
from providers.clients import bakkt_crypto
from providers.errors import ProviderError

log = structlog.get_logger(__name__)

#: The provider's list is read this often, and what is older than the second says nothing any more.
READ_EVERY = timedelta(hours=12)
VALID_FOR = timedelta(days=7)
#: After a reading that failed while somebody waited, pages do not ask again for so long.
PAUSE_SECONDS = 120
NOT_CHECKED = "We could not check what can be traded where you live. This does not stop you."
NOTHING = (
    "No coin can be bought or sold there: an account could be opened, and could not trade. "
    "You can still hand in; think about whether it is worth it."
)


@dataclass(frozen=True)
class Coins:
    """Coins by what may be done with them; `unclear` are those the provider gave a word nobody knows."""

    open: tuple[str, ...] = ()
    sell_only: tuple[str, ...] = ()
    prohibited: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True)
class Availability:
    """What may be done at a place. `checked_at` is None while the provider could not be asked."""

    place: str
    checked_at: datetime | None = None
    orders: Coins = Coins()
    transfers: Coins = Coins()

    @property
    def can_trade(self) -> bool | None:
        """False where every coin is prohibited; None where that is not known."""
        if self.checked_at is None or not self.orders.prohibited:
            return None if self.checked_at is None else True
        return bool(self.orders.open or self.orders.sell_only or self.orders.unclear)

    @property
    def words(self) -> list[str]:
        """The same in plain sentences, worst first."""
        if self.checked_at is None:
            return [NOT_CHECKED]
        if self.can_trade is False:
            return [f"In {self.place}: {NOTHING[0].lower()}{NOTHING[1:]}"]
        found = [
            *_sentences(
                self.orders, "can be bought and sold", "can be sold, and not bought", "cannot be traded"
            ),
            *_sentences(self.transfers, "", "can be sent away, and not received", "cannot be transferred"),
        ]
        return found or [f"The provider names no restriction for {self.place}."]


def _sentences(coins: Coins, is_open: str, sell_only: str, prohibited: str) -> list[str]:
    groups = ((coins.prohibited, prohibited), (coins.sell_only, sell_only), (coins.open, is_open))
    return [f"{', '.join(names)} {words}." for names, words in groups if names and words]


def of(application: Application) -> Availability:
    """What the place of the applicant, or of the company or trust, allows.

    The provider is asked only where nothing was ever kept.
    """
    country, state, place = _place(application)
    newest = _newest()
    if newest is None and not caches["local"].get("availability_silent"):
        if refresh(waiting=True):
            newest = _newest()
        else:
            caches["local"].set("availability_silent", True, PAUSE_SECONDS)
    if newest is None or clock.now() - newest > VALID_FOR:
        return Availability(place)
    row = JurisdictionReading.objects.filter(country=country, state=state).first()
    if row is None:
        return Availability(place, checked_at=newest)
    return Availability(place, row.read_at, _coins(row.orders), _coins(row.transfers))


def _newest() -> datetime | None:
    return JurisdictionReading.objects.order_by("-read_at").values_list("read_at", flat=True).first()


def _coins(words: dict[str, str]) -> Coins:
    by_word = {"OPEN": "open", "CLOSE": "sell_only", "PROHIBITED": "prohibited"}
    found: dict[str, list[str]] = {}
    for coin, word in sorted(words.items()):
        found.setdefault(by_word.get(word, "unclear"), []).append(coin)
    return Coins(**{name: tuple(coins) for name, coins in found.items()})


def _place(application: Application) -> tuple[str, str, str]:
    """The provider's country and state, and the place in words."""
    if has_entity(application.account_type):
        rows = Address.objects.filter(entity__application=application, kind=Address.Kind.REGISTERED)
    else:
        rows = Address.objects.filter(
            owner__application=application, owner__is_applicant=True, kind=Address.Kind.RESIDENTIAL
        )
    address = rows.first()
    if address is None:
        owner = Owner.objects.get(application=application, is_applicant=True)
        return countries.alpha3(owner.country.code), "", str(owner.country.name)
    state = address.state if address.country.code == "US" else ""
    words = dict(STATE_CHOICES).get(state, state) if state else str(address.country.name)
    return countries.alpha3(address.country.code), state, words


# --- Reading ------------------------------------------------------------------------------------------------


def refresh_if_due() -> bool:
    """Read the provider's list when the kept one is old enough; whether there is a fresh one."""
    newest = _newest()
    if newest is not None and clock.now() - newest < READ_EVERY:
        return True
    return refresh()


def refresh(*, waiting: bool = False) -> bool:
    """Read every place and keep it in place of what was kept; False when the provider did not answer usefully."""
    try:
        listed = bakkt_crypto(waiting=waiting).jurisdictions()
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("jurisdictions_not_read", error=type(error).__name__)
        return False
    moment = clock.now()
    rows = {
        (row.country_code, row.state_code or ""): JurisdictionReading(
            country=row.country_code,
            state=row.state_code or "",
            orders=_kept(row.domain.orders),
            transfers=_kept(row.domain.transfers),
            read_at=moment,
        )
        for row in listed
        if row.country_code and len(row.country_code) == 3 and len(row.state_code or "") <= 10
    }
    if not rows:
        return False
    with transaction.atomic():
        JurisdictionReading.objects.bulk_create(
            [rows[place] for place in sorted(rows)],
            update_conflicts=True,
            unique_fields=["country", "state"],
            update_fields=["orders", "transfers", "read_at"],
        )
        JurisdictionReading.objects.filter(read_at__lt=moment).delete()
    return True


def _kept(listed: Iterable[AssetRestriction]) -> dict[str, str]:
    return {row.currency or row.trading_pair or "": row.status or "" for row in listed if row.status}
