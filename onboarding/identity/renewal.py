"""Fetching a link from the provider while a person waits on the page.

Claimed in one transaction, called outside any, recorded in another: two tabs fetch once, and nothing is locked while
the provider thinks. A call whose answer never came may have made a link; the next call brings that one, since the
provider answers with the current link (contract, question 12), so nothing is spent twice.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from onboarding.identity import checks
from onboarding.jobs import lock_account
from onboarding.models import Application, IdentityCheck, IdentityLink, ProviderAccount
from onboarding.services.shared import locked
from portal import audit, clock, permissions
from portal.errors import Conflict, NotFound, ProviderAway
from portal.models import User
from providers.bakkt.partner import DocumentVerification
from providers.clients import bakkt_partner
from providers.errors import Busy, ProviderError, Rejected
from providers.http import about

log = structlog.get_logger(__name__)
Status = IdentityCheck.Status

#: Longer than the impatient call and its token may take: a worker that died blocks nobody for longer.
CLAIM = timedelta(seconds=40)
#: After a failed fetch the next waits so long, doubled each time, and never longer than the most.
PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=15)

FETCHING = "The link is being fetched already. It shows here in a moment."
AWAY = "The provider could not be reached just now, so there is no new link yet. Nothing is lost: try again soon."
SAME = "The provider gave the old link once more. Try again in a few minutes."
NOT_GIVEN = "The provider did not give a new link. One of us looks at why and gets in touch with you."


@dataclass(frozen=True)
class _Claim:
    """One fetch that was begun."""

    account_id: UUID
    party_ref: str
    round: int
    actor: User
    source: str
    override: bool = False


def link_renew(*, actor: User, application_id: UUID, source: str) -> IdentityCheck:
    """Fetch a link for the customer who asks for one: the check, with the link that lives now.

    A link that lives is kept, nothing is fetched. Raises NotFound, Conflict where none can be asked for or the
    provider refused it, ProviderAway with when to try again.
    """
    with transaction.atomic():
        application = locked(actor, application_id)
        check = _check_of(application)
        if checks.living_link(check) is not None:
            return check
        if check.status == Status.EXHAUSTED:
            raise Conflict("There are no more links. A person of ours takes over and writes to you.")
        claim = _claimed(check, actor, source)
    return _fetch(claim)


def consent_override(*, actor: User, application_id: UUID, reason: str, source: str) -> IdentityCheck:
    """Fetch a link although the customer declined consent at the provider's page; the reason is kept.

    Raises Forbidden, NotFound, and what link_renew raises.
    """
    permissions.require(actor, "identity.override")
    with transaction.atomic():
        application = Application.objects.select_for_update(of=("self",)).filter(pk=application_id).first()
        if application is None:
            raise NotFound("There is no such application.")
        check = _check_of(application)
        if check.status == Status.EXHAUSTED:
            raise Conflict("There are no more links: the case about it says what can be done.")
        claim = _claimed(check, actor, source, override=True, reason=reason)
    return _fetch(claim)


def _check_of(application: Application) -> IdentityCheck:
    """The application's check, locked with its account. Raises NotFound where none is asked for."""
    account = ProviderAccount.objects.select_for_update().filter(application=application).first()
    if account is None:
        raise NotFound("No identity check is asked for.")
    account.application = application
    check = checks.locked_check(account)
    if account.status == ProviderAccount.Status.DOCUMENTS_NEEDED:
        if check is None:
            check = IdentityCheck.objects.create(account=account)
            check.account = account
        elif check.status == Status.RESOLVED:
            checks.begin_again(check)
    if check is None or check.status == Status.RESOLVED:
        raise NotFound("No identity check is asked for.")
    return check


def _claimed(
    check: IdentityCheck, actor: User, source: str, *, override: bool = False, reason: str = ""
) -> _Claim:
    now = clock.now()
    if check.fetching_until is not None and check.fetching_until > now:
        raise Conflict(FETCHING)
    if check.not_before is not None and check.not_before > now:
        raise ProviderAway(AWAY, retry_after=_seconds(check.not_before - now))
    check.fetching_until = now + CLAIM
    check.save(update_fields=["fetching_until"])
    audit.record(
        "identity_check.override" if override else "identity_check.ask",
        subject=check.account.application,
        actor=actor,
        source=source,
        reason=reason,
        after={"links_run_out": check.expirations},
    )
    account = check.account
    return _Claim(account.pk, account.client_account_id, check.round, actor, source, override)


def _fetch(claim: _Claim) -> IdentityCheck:
    """Ask the provider, and write down what came of it."""
    found: DocumentVerification | ProviderError
    subject = ProviderAccount._meta.label_lower
    try:
        with about(subject_type=subject, subject_id=claim.account_id):
            found = bakkt_partner(waiting=True).document_verification_details(
                claim.party_ref, override_declined_consent=claim.override
            )
    except ProviderError as error:
        found = error
    except ImproperlyConfigured:
        found = ProviderError("BAKKT_PARTNER_URL is not set", code="not_configured")
    with transaction.atomic():
        check = checks.locked_check(lock_account(claim.account_id))
        assert check is not None, "checks are never removed"
        check.fetching_until = None
        check.save(update_fields=["fetching_until"])
        problem = _recorded(check, claim, found)
    if problem is not None:
        raise problem
    return check


def _recorded(
    check: IdentityCheck, claim: _Claim, found: DocumentVerification | ProviderError
) -> Conflict | ProviderAway | None:
    """The answer on the locked check; what the person is told where there is no link."""
    if check.status == Status.RESOLVED or check.round != claim.round:
        # The provider said meanwhile how the check ended: an answer to the question before it is late.
        return None
    if isinstance(found, DocumentVerification):
        return _link_came(check, claim, found)
    if isinstance(found, Rejected):
        if checks.living_link(check) is not None and not claim.override:
            return None
        checks.refuse(check, _code(found), actor=claim.actor)
        return None if check.status == Status.EXHAUSTED else Conflict(NOT_GIVEN)
    log.warning("identity_link_not_fetched", error=type(found).__name__, code=found.code, status=found.status)
    return _failed(check, found)


def _link_came(check: IdentityCheck, claim: _Claim, found: DocumentVerification) -> ProviderAway | None:
    over = found.expires_at is not None and found.expires_at <= clock.now()
    if not over:
        asked = IdentityLink.Source.OVERRIDE if claim.override else IdentityLink.Source.RENEWAL
        checks.link_keep(
            check,
            found.url,
            found.expires_at,
            source=asked,
            actor=claim.actor,
        )
    if checks.living_link(check) is not None:
        return None
    # Our clock is ahead of theirs: for them the old link still lives.
    return _failed(check, ProviderError("the link is over already", code="link_over"), SAME)


def _failed(check: IdentityCheck, error: ProviderError, words: str = AWAY) -> ProviderAway | None:
    """No answer to be used: say so, and wait before the next. A link that came by webhook meanwhile is enough."""
    pause = min(PAUSE * 2 ** min(check.failures, 10), LONGEST_PAUSE)
    if isinstance(error, Busy) and error.retry_after is not None:
        pause = min(max(pause, timedelta(seconds=error.retry_after)), LONGEST_PAUSE)
    check.failures += 1
    check.problem = _code(error)
    check.not_before = clock.now() + pause
    check.save(update_fields=["failures", "problem", "not_before"])
    if checks.living_link(check) is not None:
        return None
    return ProviderAway(words, retry_after=_seconds(pause))


def _code(error: ProviderError) -> str:
    """What staff read: the provider's or our own stable word, with the HTTP status."""
    words = error.code or type(error).__name__
    return f"{words} ({error.status})"[:80] if error.status else words[:80]


def _seconds(pause: timedelta) -> int:
    return max(1, round(pause.total_seconds()))
