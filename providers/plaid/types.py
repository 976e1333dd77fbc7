"""What Plaid answers, in our terms. Tokens never print; contract plaid.md, sections 3 and 6."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, ClassVar, Literal

from portal.money import Money, MoneyError, exponent_of
from providers.errors import Unreadable
from providers.plaid.problems import PlaidProblem, problem_of_code
from providers.wire import Wire

#: Kinds of account a customer may link; Link is told the same by a filter, which a browser could evade.
SUBTYPES = ("checking", "savings")
#: An account with any other word here must not be debited (contract, section 9).
VERIFIED = ("", "automatically_verified", "manually_verified", "database_matched")
#: Names match from here on, and are close from there (contract, /identity/match).
MATCH_FROM, CLOSE_FROM = 85, 70

Verdict = Literal["match", "close", "mismatch", "unknown"]


@dataclass(frozen=True)
class PlaidCredentials:
    """One set per environment."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class LinkToken:
    """What opens Link. `hosted_url` is "" unless a hosted page was asked for; whoever has it can link."""

    token: str = field(repr=False)
    expires_at: datetime
    hosted_url: str = field(repr=False, default="")


@dataclass(frozen=True)
class Item:
    """A login at a bank. Keep the access token sealed; webhooks name the id alone."""

    item_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, repr=False)
class Balance:
    """An account's balance. `available` is None where the bank does not tell it, both for odd currencies.

    Fractions below the currency's smallest unit are rounded down.
    """

    available: Money | None
    current: Money | None


@dataclass(frozen=True, repr=False)
class BankAccount(Balance):
    """An account of an Item. `mask` is the end of its number, "" where unknown, and not unique."""

    account_id: str
    name: str
    official_name: str
    mask: str
    type: str
    subtype: str
    verification_status: str
    persistent_id: str

    @property
    def offered(self) -> bool:
        """A checking or savings account whose number is verified, so that it may be linked and debited."""
        kind = self.type == "depository" and self.subtype in SUBTYPES
        return kind and self.verification_status in VERIFIED

    def __repr__(self) -> str:
        return f"BankAccount(subtype={self.subtype!r}, verification_status={self.verification_status!r})"


@dataclass(frozen=True)
class OwnerMatch:
    """How well the bank's owner of an account fits what we know: scores 0 to 100, None where a side had no data.

    `unavailable` is Plaid's code where the check itself is not to be had, and every score is then None.
    """

    name_score: int | None = None
    phone_score: int | None = None
    email_score: int | None = None
    address_score: int | None = None
    is_nickname_match: bool = False
    is_first_or_last_name_match: bool = False
    is_business_name: bool = False
    unavailable: str = ""

    @property
    def verdict(self) -> Verdict:
        """By the name alone; `unknown` is no mismatch."""
        if self.name_score is None:
            return "unknown"
        if self.name_score >= MATCH_FROM:
            return "match"
        return "close" if self.name_score >= CLOSE_FROM else "mismatch"


@dataclass(frozen=True)
class ItemHealth:
    """An Item as Plaid sees it. `problem` is None while it works; `error_code` is Plaid's word for it."""

    item_id: str
    institution_id: str
    institution_name: str
    error_code: str
    problem: PlaidProblem | None
    webhook: str
    products: tuple[str, ...]
    consent_expires_at: datetime | None


@dataclass(frozen=True)
class OwnerAddress:
    """Where a customer lives, for the comparison with the bank's record. `country` has two letters."""

    street: str = field(repr=False)
    city: str = field(repr=False)
    region: str = field(repr=False)
    postal_code: str = field(repr=False)
    country: str = field(repr=False, default="US")


class Reply(Wire):
    SNAKE: ClassVar[bool] = True


@dataclass(frozen=True, repr=False)
class LinkTokenReply(Reply):
    link_token: str
    expiration: datetime
    hosted_link_url: str = ""


@dataclass(frozen=True, repr=False)
class ExchangeReply(Reply):
    access_token: str
    item_id: str


@dataclass(frozen=True, repr=False)
class ProcessorReply(Reply):
    processor_token: str


@dataclass(frozen=True, repr=False)
class _Balances(Reply):
    available: Decimal | None = None
    current: Decimal | None = None
    iso_currency_code: str = ""


@dataclass(frozen=True, repr=False)
class _Account(Reply):
    account_id: str
    balances: _Balances
    name: str
    type: str
    official_name: str = ""
    mask: str = ""
    subtype: str = ""
    verification_status: str = ""
    persistent_account_id: str = ""


@dataclass(frozen=True, repr=False)
class _Accounts(Reply):
    accounts: tuple[_Account, ...]


@dataclass(frozen=True, repr=False)
class _Score(Reply):
    score: int | None = None
    is_nickname_match: bool = False
    is_first_name_or_last_name_match: bool = False
    is_business_name_detected: bool = False


@dataclass(frozen=True, repr=False)
class _Owner(Reply):
    account_id: str
    legal_name: _Score = _Score()
    phone_number: _Score = _Score()
    email_address: _Score = _Score()
    address: _Score = _Score()


@dataclass(frozen=True, repr=False)
class _Owners(Reply):
    accounts: tuple[_Owner, ...]


@dataclass(frozen=True, repr=False)
class _Error(Reply):
    error_code: str
    error_type: str = ""


@dataclass(frozen=True, repr=False)
class _Item(Reply):
    item_id: str
    institution_id: str = ""
    institution_name: str = ""
    error: _Error | None = None
    webhook: str = ""
    products: tuple[str, ...] = ()
    consent_expiration_time: datetime | None = None


def bank_accounts(body: Any) -> tuple[BankAccount, ...]:
    """All accounts of a reply. Raises Unreadable."""
    return tuple(_bank_account(found) for found in _Accounts.from_wire(body).accounts)


def _bank_account(found: _Account) -> BankAccount:
    currency = found.balances.iso_currency_code
    return BankAccount(
        available=_money(found.balances.available, currency),
        current=_money(found.balances.current, currency),
        account_id=found.account_id,
        name=found.name,
        official_name=found.official_name,
        mask=found.mask,
        type=found.type,
        subtype=found.subtype,
        verification_status=found.verification_status,
        persistent_id=found.persistent_account_id,
    )


def _money(amount: Decimal | None, currency: str) -> Money | None:
    if amount is None or not currency:
        return None
    try:
        scaled = amount.scaleb(exponent_of(currency)).to_integral_value(rounding=ROUND_FLOOR)
        return Money(int(scaled), currency)
    except MoneyError:
        return None


def owner_matches(body: Any) -> dict[str, OwnerMatch]:
    """Scores by account id. Raises Unreadable."""
    return {
        owner.account_id: OwnerMatch(
            name_score=owner.legal_name.score,
            phone_score=owner.phone_number.score,
            email_score=owner.email_address.score,
            address_score=owner.address.score,
            is_nickname_match=owner.legal_name.is_nickname_match,
            is_first_or_last_name_match=owner.legal_name.is_first_name_or_last_name_match,
            is_business_name=owner.legal_name.is_business_name_detected,
        )
        for owner in _Owners.from_wire(body).accounts
    }


def item_health(body: Any) -> ItemHealth:
    """The Item of a reply. Raises Unreadable."""
    item = _Item.from_wire(body.get("item") if isinstance(body, dict) else None)
    return ItemHealth(
        item_id=item.item_id,
        institution_id=item.institution_id,
        institution_name=item.institution_name,
        error_code=item.error.error_code if item.error else "",
        problem=problem_of_code(item.error.error_code, item.error.error_type) if item.error else None,
        webhook=item.webhook,
        products=item.products,
        consent_expires_at=item.consent_expiration_time,
    )


def public_tokens(body: Any) -> list[str]:
    """The public tokens of all sessions of a link token, each once, in order. Raises Unreadable."""
    sessions = body.get("link_sessions") if isinstance(body, dict) else None
    if sessions is None:
        return []
    try:
        found = [
            str(result["public_token"])
            for session in sessions
            for result in (session.get("results") or {}).get("item_add_results") or ()
        ]
    except (TypeError, AttributeError, KeyError):
        raise Unreadable("the sessions have another form") from None
    return list(dict.fromkeys(found))


def webhook_key(body: Any) -> dict[str, Any]:
    """The JWK of a webhook signature, `expired_at` with it. Raises Unreadable."""
    key = body.get("key") if isinstance(body, dict) else None
    if not isinstance(key, dict) or not all(isinstance(key.get(name), str) for name in ("kid", "x", "y")):
        raise Unreadable("the key has another form")
    wanted = ("kid", "alg", "crv", "kty", "use", "x", "y", "expired_at")
    return {name: _plain(key.get(name)) for name in wanted}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) else value


def done(body: Any) -> None:
    """For replies that say nothing more. Raises Unreadable."""
    if not isinstance(body, dict) or "request_id" not in body:
        raise Unreadable("the answer has another form")
