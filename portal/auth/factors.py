"""Second factors: who has one, and whether this very session was signed in with it."""

import time
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from portal.models import User

#: What counts as a second factor. Recovery codes alone do not: they are the way back to one of these.
STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_SESSION_KEY = "portal_second_factor"


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey."""
    # Every staff page asks once: who is signed in is read with the answer (portal/auth/backend.py). It may have changed
    # by the next time.
    known, user.strong_factor = user.strong_factor, None
    return strong_of(user.pk).exists() if known is None else known


def strong_of(user: Any) -> QuerySet[Authenticator]:
    """The person's authenticator apps and passkeys, by their key."""
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user=user, type__in=STRONG)
    return rows


def mark_session(session: SessionBase, user: User) -> None:
    """Note that `user` showed the second factor in this session, signing in with it or enrolling it."""
    session[_SESSION_KEY] = str(user.pk)


def session_is_enough(session: SessionBase, user: User) -> bool:
    """Whether the session may act as `user`: for staff, only with the second factor shown.

    Asking the session, and not only whether a factor exists, matters: a session opened with a stolen password
    before the person enrolled must not become whole when they do.
    """
    if not user.is_staff_member:
        return True
    return session.get(_SESSION_KEY) == str(user.pk) and has_second_factor(user)


def shown_lately(session: SessionBase) -> bool:
    """Whether an authenticator app or a passkey was shown in this session within the last minutes
    (ACCOUNT_REAUTHENTICATION_TIMEOUT): signing in, or confirming."""
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    return any(
        record.get("method") == "mfa"
        and record.get("type") in STRONG
        and time.time() - record["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        for record in records
    )


def confirm_url(user: User, following: str) -> str:
    """The page on which the user shows their second factor, and goes on to `following` from."""
    by_code = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).exists()
    page = reverse("mfa_reauthenticate" if by_code else "mfa_reauthenticate_webauthn")
    return f"{page}?{urlencode({'next': following})}"
