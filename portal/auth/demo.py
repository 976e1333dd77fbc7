"""Second factors of the demo's staff, to try the product without a phone. Never in production."""

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings

from portal.auth.adapter import MFAAdapter
from portal.models import User

PERIOD_SECONDS = 30


def enrol_totp(user: User, secret: str) -> None:
    """Give `user` an authenticator app with this base32 secret, marked as the demo's. Repeatable.

    Raises RuntimeError in production.
    """
    if settings.ENVIRONMENT != "development":
        raise RuntimeError("Demo second factors are made in development only.")
    Authenticator.objects.update_or_create(
        user=user,
        type=Authenticator.Type.TOTP,
        defaults={"data": {"secret": MFAAdapter().encrypt(secret), "demo": True}},
    )


def demo_codes(role: str) -> list[tuple[User, str, int]]:
    """(user, code now, seconds it still works) of each demo account in the role."""
    now = int(time.time())
    rows = Authenticator.objects.filter(
        type=Authenticator.Type.TOTP, data__demo=True, user__role=role, user__is_active=True
    ).select_related("user")
    found = []
    for row in rows.order_by("user__email"):
        secret = MFAAdapter().decrypt(row.data["secret"])
        code = totp.format_hotp_value(totp.hotp_value(secret, now // PERIOD_SECONDS))
        found.append((row.user, code, PERIOD_SECONDS - now % PERIOD_SECONDS))
    return found
