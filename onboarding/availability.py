"""What may be done with an account: what stops its money now, and what the provider allows where the customer lives.

`can` is the one answer to whether money may move or coins be traded; pages, the API and funding ask it.

Of places (contract 4.6) a job keeps the provider's answer for every one; pages read what is kept, before the customer
hands in. It stops nobody: the provider decides about an account when it opens it, and its list is about trading, not
about having an account.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.core.cache import caches
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.formats import date_format
from django_countries import countries

from onboarding.models import (
    AccountHold,
    Address,
    Application,
    JurisdictionReading,
    Owner,
    ProviderAccount,
)
from onboarding.requirements.roles import has_entity
from onboarding.requirements.rules import STATE_CHOICES
from portal import clock
from portal.composed import Written
from portal.models import User
from portal.ui.time import moment_words
from providers.bakkt.types import AssetRestriction
from providers.clients import bakkt_crypto
from providers.errors import ProviderError

log = structlog.get_logger(__name__)

Account = ProviderAccount.Status

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
    if _newest() is None and not caches["local"].get("availability_silent") and not refresh(waiting=True):
        caches["local"].set("availability_silent", True, PAUSE_SECONDS)
    return kept(application)


def kept(application: Application) -> Availability:
    """The same from what is kept, the provider not asked."""
    if has_entity(application.account_type):
        rows = Address.objects.filter(entity__application=application, kind=Address.Kind.REGISTERED)
    else:
        rows = Address.objects.filter(
            owner__application=application, owner__is_applicant=True, kind=Address.Kind.RESIDENTIAL
        )
    return kept_at(rows.first() or Owner.objects.get(application=application, is_applicant=True))


def kept_at(place_of: Address | Owner) -> Availability:
    """The same of the address that counts, or of the applicant where there is none yet."""
    country, state, place = _place(place_of)
    newest = _newest()
    if newest is None or clock.now() - newest > VALID_FOR:
        return Availability(place)
    row = JurisdictionReading.objects.filter(country=country, state=state).first()
    if row is None:
        return Availability(place, checked_at=newest)
    return Availability(place, row.read_at, _coins(row.orders), _coins(row.transfers))


def _newest() -> datetime | None:
    found: datetime | None = NEWEST()[0][0]
    return found


#: Every case page asks it: when the provider's list was read.
NEWEST = Written("SELECT max(read_at) FROM onboarding_jurisdictionreading")


def _coins(words: dict[str, str]) -> Coins:
    by_word = {"OPEN": "open", "CLOSE": "sell_only", "PROHIBITED": "prohibited"}
    found: dict[str, list[str]] = {}
    for coin, word in sorted(words.items()):
        found.setdefault(by_word.get(word, "unclear"), []).append(coin)
    return Coins(**{name: tuple(coins) for name, coins in found.items()})


def _place(of: Address | Owner) -> tuple[str, str, str]:
    """The provider's country and state, and the place in words."""
    state = of.state if isinstance(of, Address) and of.country.code == "US" else ""
    words = dict(STATE_CHOICES).get(state, state) if state else str(of.country.name)
    return countries.alpha3(of.country.code), state, words


# --- What stops an account ----------------------------------------------------------------------------------


class Use(TextChoices):
    """What is done with an account that is open."""

    DEPOSIT = "deposit", "Deposit"
    WITHDRAW = "withdraw", "Withdraw"
    BUY = "buy", "Buy"
    SELL = "sell", "Sell"


@dataclass(frozen=True)
class Stop:
    """Why something cannot be done with an account, and what helps. `code` is stable, for apps."""

    code: str
    text: str
    fix: str

    def __str__(self) -> str:
        return f"{self.text} {self.fix}"


_WRITE = "Write to us and we tell you what can be said and what happens next."
_ASK_THEM = "Only the provider lifts this: ask its compliance team."
_BY_STATUS = {
    Account.SUSPENDED: Stop("suspended", "The provider has paused this account.", _WRITE),
    Account.CLOSED: Stop("closed", "The account is closed.", "Nothing can be done with it any more."),
    Account.INACTIVE: Stop("switched_off", "The provider has switched this account off.", _WRITE),
}
_NOT_OPEN = Stop("not_open", "The account is not open yet.", "Wait until its checks are done.")
_SELL_ONLY = Stop(
    "sell_only",
    "The provider has limited this account.",
    "You can sell what it holds and withdraw the money.",
)
_DISABLED = Stop(
    "disabled", "The provider does not allow trades and transfers on this account at present.", _WRITE
)


def can(actor: User | None, use: str, account: ProviderAccount | None) -> list[Stop]:
    """Every reason why this cannot be done with the account now; empty when it can.

    Whether the actor has anything to do with the account is asked elsewhere. Staff read what a hold of ours is about,
    customers only that there is one.
    """
    if account is None:
        return [_NOT_OPEN]
    found = []
    if account.status == Account.LIQUIDATE_ONLY:
        found += [_SELL_ONLY] if use in {Use.DEPOSIT, Use.BUY} else []
    elif account.status != Account.ACTIVE:
        found.append(_BY_STATUS.get(Account(account.status), _NOT_OPEN))
    elif account.can_trade is False:
        # The provider's word for both trades and transfers (contract 4.3).
        found.append(_DISABLED)
    if actor is not None and actor.is_staff_member:
        found = [replace(stop, fix=_ASK_THEM) if stop.fix == _WRITE else stop for stop in found]
    return found + _held(actor, account)


def _held(actor: User | None, account: ProviderAccount) -> list[Stop]:
    if account.held_at is None:
        return []
    if actor is None or not actor.is_staff_member:
        since = date_format(timezone.localtime(account.held_at), "j F Y")
        return [Stop("held", f"We have paused all deposits, withdrawals and trades since {since}.", _WRITE)]
    rows = AccountHold.objects.filter(account=account, status=AccountHold.Status.STANDING)
    return [
        Stop(
            "held",
            f"Held by us since {moment_words(row.put_at)}: {row.get_cause_display()} ({row.put_by}).",
            "Release the hold on the account's page.",
        )
        for row in rows.select_related("put_by").order_by("put_at")
    ]


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
