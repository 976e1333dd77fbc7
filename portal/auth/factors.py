"""Second factors: who has one, and whether this very session was signed in with it."""

from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.base import SessionBase

from portal.models import User

#: What counts as a second factor. Recovery codes alone do not: they are the way back to one of these.
STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_SESSION_KEY = "portal_second_factor"


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey."""
    return bool(Authenticator.objects.filter(user_id=user.pk, type__in=STRONG).exists())


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
