"""What the clock does to links: counts those that ran out, and warns of those that end soon."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from onboarding import notices
from onboarding.identity import checks
from onboarding.identity.delivery import delivery_now
from onboarding.jobs import lock_account
from onboarding.models import IdentityLink
from portal import clock

WARN_BEFORE = timedelta(hours=12)
#: How many links one run deals with: some seconds of work.
BATCH = 200


def links_expire(batch: int = BATCH) -> int:
    """Count the links that ran out; how many. A link two workers find is counted once, under its account's lock."""
    due: list[UUID] = list(
        IdentityLink.objects.filter(ended_at=None, expires_at__lte=clock.now())
        .order_by("expires_at")
        .values_list("identity_check__account", flat=True)[:batch]
    )
    for account_id in due:
        with transaction.atomic():
            checks.locked_check(lock_account(account_id))
    return len(due)


def links_warn(batch: int = BATCH) -> int:
    """Write the letters about links that end within twelve hours, once each, where letters are ours to write."""
    if not delivery_now().mail_by_us:
        return 0
    written = 0
    while written < batch:
        with transaction.atomic():
            link = _ending().select_for_update(of=("self",), skip_locked=True).first()
            if link is None:
                break
            link.warned_at = clock.now()
            link.save(update_fields=["warned_at"])
            application = link.identity_check.account.application
            if application.customer.user.is_active:
                notices.identity_link_ends(application, link.expires_at)
        written += 1
    return written


def _ending() -> QuerySet[IdentityLink]:
    """Links to warn of. One made for less than the time of warning is known to be short."""
    now = clock.now()
    return (
        IdentityLink.objects.filter(
            ended_at=None,
            warned_at=None,
            expires_at__gt=now,
            expires_at__lte=now + WARN_BEFORE,
            issued_at__lte=F("expires_at") - WARN_BEFORE,
        )
        .select_related("identity_check__account__application__customer__user")
        .order_by("expires_at")
    )
