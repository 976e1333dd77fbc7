"""What a customer does with a link: open it here, or carry it to a phone by a QR code."""

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from onboarding.identity import checks
from onboarding.identity.delivery import Ways, delivery_now
from onboarding.jobs import lock_account
from onboarding.models import IdentityCheck, IdentityLink, ProviderAccount
from onboarding.models.invitations import token_hash
from onboarding.services.shared import locked
from portal import audit, clock
from portal.errors import Conflict, NotFound
from portal.models import User

#: How long the address behind a QR code works: long enough to take the phone out of the pocket.
HANDOFF_LASTS = timedelta(minutes=10)
ELSEWHERE = "The link was sent to you. Use it there: it is not opened from this page."
NO_LINK = "There is no link that works now. Ask for a new one."


def is_offered(link: IdentityLink, ways: Ways) -> bool:
    """Whether our page opens this link. One that was asked for here is always shown here: nobody else sends it."""
    return ways.in_app or link.source != IdentityLink.Source.WEBHOOK


def may_open(account: ProviderAccount, ways: Ways) -> bool:
    """Whether the account has a living link that our page opens; for reading, so nothing is locked."""
    rows = IdentityLink.objects.filter(
        identity_check__account=account, ended_at=None, expires_at__gt=clock.now()
    )
    link = rows.defer("url").first()
    return link is not None and is_offered(link, ways)


def link_open(*, actor: User, application_id: UUID, source: str) -> IdentityLink:
    """The living link of the customer's own check, noted as opened. Nothing is fetched.

    Raises NotFound, or Conflict where no link lives or it reaches the customer another way.
    """
    with transaction.atomic():
        check, link = _living(actor, application_id)
        _opened(check, link, actor, source)
    return link


def handoff_make(*, actor: User, application_id: UUID, source: str) -> str:
    """A secret for an address that opens the link on a phone once, within minutes; one made before stops working.

    Raises what link_open raises.
    """
    with transaction.atomic():
        check, link = _living(actor, application_id)
        token = secrets.token_urlsafe(24)
        link.handoff_sha256, link.handoff_until = token_hash(token), clock.now() + HANDOFF_LASTS
        link.save(update_fields=["handoff_sha256", "handoff_until"])
        audit.record(
            "identity_check.handoff",
            subject=check.account.application,
            actor=actor,
            source=source,
            after={"number": link.number},
        )
    return token


def handoff_works(token: str) -> bool:
    """Whether the address still opens a link. Looking does not use it up."""
    rows = IdentityLink.objects.filter(handoff_sha256=token_hash(token), handoff_until__gt=clock.now())
    return rows.filter(ended_at=None, expires_at__gt=clock.now()).exists()


def handoff_follow(token: str) -> IdentityLink:
    """The link behind the address, which works no more. Raises NotFound."""
    sha256 = token_hash(token)
    account_id = (
        IdentityLink.objects.filter(handoff_sha256=sha256)
        .values_list("identity_check__account", flat=True)
        .first()
    )
    if account_id is None:
        raise NotFound("This address works once, for ten minutes. Ask for a new QR code.")
    with transaction.atomic():
        check = checks.locked_check(lock_account(account_id))
        link = checks.living_link(check) if check is not None else None
        if (
            check is None
            or link is None
            or link.handoff_sha256 != sha256
            or link.handoff_until is None
            or link.handoff_until <= clock.now()
        ):
            raise NotFound("This address works once, for ten minutes. Ask for a new QR code.")
        link.handoff_sha256, link.handoff_until = "", None
        link.save(update_fields=["handoff_sha256", "handoff_until"])
        _opened(check, link, None, "phone")
    return link


def _living(actor: User, application_id: UUID) -> tuple[IdentityCheck, IdentityLink]:
    application = locked(actor, application_id)
    account = ProviderAccount.objects.select_for_update().filter(application=application).first()
    check = None
    if account is not None:
        account.application = application
        check = checks.locked_check(account)
    if check is None or check.status == IdentityCheck.Status.RESOLVED:
        raise NotFound("No identity check is asked for.")
    link = checks.living_link(check)
    if link is None:
        raise Conflict(NO_LINK)
    if not is_offered(link, delivery_now()):
        raise Conflict(ELSEWHERE)
    return check, link


def _opened(check: IdentityCheck, link: IdentityLink, actor: User | None, source: str) -> None:
    if link.opened_at is None:
        link.opened_at = clock.now()
        link.save(update_fields=["opened_at"])
    audit.record(
        "identity_check.opened",
        subject=check.account.application,
        actor=actor,
        source=source,
        after={"number": link.number},
    )
