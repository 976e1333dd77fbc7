"""Where an identity check stands, from its row alone: the same on every page, in lists and in the API."""

from dataclasses import dataclass
from datetime import datetime

from onboarding.models import IdentityCheck, ProviderAccount
from onboarding.models.identity import MOST_LINKS
from onboarding.told import Standing
from portal import clock
from portal.ball import Ball

Status = IdentityCheck.Status


@dataclass(frozen=True)
class Stand:
    """The check as the clock has it now. The row follows within a minute; nobody is told what is past."""

    status: str
    expirations: int
    #: Until when the present link works; None while there is none.
    expires_at: datetime | None
    since: datetime
    #: Whether a person of ours has to look before the customer can go on.
    with_us: bool
    problem: str = ""

    @property
    def links_used(self) -> int:
        """Links given out so far, the living one among them."""
        return self.expirations + (1 if self.expires_at else 0)

    @property
    def links_left(self) -> int:
        """Links that can still be asked for."""
        return max(0, MOST_LINKS - self.links_used)

    @property
    def is_over(self) -> bool:
        return self.status == Status.RESOLVED


def stand_of(account: ProviderAccount | None) -> Stand | None:
    """Where the account's check stands; None where none is asked for, or it came to its end.

    An account whose documents are asked for has a check even before its row is written.
    """
    if account is None:
        return None
    check: IdentityCheck | None = getattr(account, "identity_check", None)
    if check is None or check.status == Status.RESOLVED:
        if account.status != ProviderAccount.Status.DOCUMENTS_NEEDED:
            return None
        return Stand(Status.AWAITING, 0, None, account.status_at, with_us=False)
    status, expirations, until = check.status, check.expirations, check.expires_at
    if until is not None and until <= clock.now():
        status, expirations, until = Status.EXPIRED, expirations + 1, None
    with_us = status == Status.EXHAUSTED or check.refused_at is not None
    since = check.refused_at or check.status_at
    return Stand(status, expirations, until, since, with_us, check.problem)


def ball(account: ProviderAccount | None, since: datetime) -> Ball:
    """Who has the ball while the check is what is waited for."""
    found = stand_of(account)
    if found is None or found.expires_at:
        return Ball(
            "customer",
            "Waiting for the customer's identity check",
            found.since if found else since,
            "The identity check with a document",
            found.expires_at if found else None,
        )
    if found.status == Status.EXHAUSTED:
        return Ball(
            "us",
            "The identity check has no links left; our compliance team takes over",
            found.since,
            "What they agree with the provider",
        )
    if found.with_us:
        return Ball(
            "us",
            "The provider gave no new link for the identity check",
            found.since,
            "One of us looks at why",
        )
    if found.status == Status.EXPIRED:
        return Ball(
            "customer",
            "The link for the identity check has run out; waiting for the customer to ask for a new one",
            found.since,
            "Asking for a new link",
        )
    return Ball(
        "customer",
        "Waiting for the customer to fetch the link for the identity check",
        found.since,
        "Fetching the link",
    )


_HAVE = (
    "The provider asks for a photo of an identity document and of your face. It takes about five minutes on a phone. "
    "Passing the check is needed for approval but does not promise it."
)
_PROVE = Standing(
    "Please prove your identity",
    (_HAVE,),
    "warning",
    "verify_identity",
    "Start the identity check",
    True,
    15,
)
_FETCH = Standing(
    "Please prove your identity",
    (_HAVE, "The link for it is not here yet. You can fetch it now."),
    "warning",
    "renew_identity_link",
    "Get the link",
    True,
    15,
)
_EXPIRED = Standing(
    "The link for your identity check has run out",
    ("Nothing is lost: ask for a new link and do the check before that one ends.",),
    "warning",
    "renew_identity_link",
    "Get a new link",
    True,
    15,
)
_LAST_EXPIRED = Standing(
    "The link for your identity check has run out",
    (
        "It was the last of three. You can still ask: if the provider gives no other, a person of ours takes over "
        "and writes to you.",
    ),
    "warning",
    "renew_identity_link",
    "Ask for another link",
    True,
    15,
)
_EXHAUSTED = Standing(
    "A person of ours takes over your identity check",
    (
        "All links for the check have run out, and the provider gives no more by itself. Your application is not "
        "refused, and nothing you entered is lost.",
        "Our compliance team asks the provider how you can go on and writes to you, usually within two business days. "
        "You do not need to do anything now.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    60,
)
_REFUSED = Standing(
    "One of us looks at your identity check",
    (
        "The provider gave no new link just now. We look at why and call or write to you, usually within one "
        "business day.",
        "Did you decline the consent on the provider's page? Tell us, and we ask for a new link with you.",
    ),
    "info",
    "wait",
    "Nothing to do now",
    False,
    60,
)


def standing(account: ProviderAccount | None) -> Standing:
    """What the customer reads while the check is what is waited for."""
    found = stand_of(account)
    if found is None or found.expires_at:
        return _PROVE
    if found.status == Status.EXHAUSTED:
        return _EXHAUSTED
    if found.with_us:
        return _REFUSED
    if found.status == Status.EXPIRED:
        return _EXPIRED if found.links_left else _LAST_EXPIRED
    return _FETCH
