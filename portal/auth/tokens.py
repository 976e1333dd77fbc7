"""Tokens of the mobile apps: a member of staff gets and uses one only after showing a second factor."""

from typing import Any

from allauth.core.internal.sessionkit import get_session_user
from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from allauth.headless.tokens.strategies.jwt import JWTTokenStrategy
from allauth.headless.tokens.strategies.jwt.internal import get_token_session, validate_refresh_token
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from portal.auth.factors import session_is_enough
from portal.models import User


class TokenStrategy(JWTTokenStrategy):  # type: ignore[misc]
    """allauth's JWT strategy, closed to staff sessions without a second factor.

    A browser's session key can be sent as X-Session-Token, so the pages' guard alone would be walked around.
    """

    def lookup_session(self, session_token: str) -> SessionBase | None:
        """The session, or None (answered 410) when it does not exist or may not act for its staff member."""
        session: SessionBase | None = super().lookup_session(session_token)
        if session is None:
            return None
        user = get_session_user(session)
        # While a sign-in waits for its second factor the session has no user yet.
        return session if user is None or session_is_enough(session, user) else None

    def create_access_token_payload(self, request: HttpRequest) -> dict[str, Any] | None:
        """Access and refresh token after signing in; none for staff whose session is not enough."""
        user = request.user
        if not user.is_authenticated or not session_is_enough(request.session, user):
            return None
        payload: dict[str, Any] | None = super().create_access_token_payload(request)
        return payload

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        """A new pair for a refresh token that is still good, else None."""
        found = validate_refresh_token(refresh_token)
        if found is None or not session_is_enough(found[1], found[0]):
            return None
        pair: tuple[str, str] | None = super().refresh_token(refresh_token)
        return pair


def session_of(request: Request) -> SessionBase:
    """The session behind a request of the REST API: that of its token, or of the browser."""
    claims = request.auth
    found = get_token_session(claims) if isinstance(claims, dict) else None
    return found if found is not None else request._request.session


class TokenAuthentication(JWTTokenAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer <access token>` for the REST API."""

    def authenticate_credentials(self, key: str) -> tuple[User, dict[str, Any]]:
        """User and claims. Raises AuthenticationFailed for a dead token or an insufficient session."""
        user, claims = super().authenticate_credentials(key)
        session = get_token_session(claims)
        if session is None or not session_is_enough(session, user):
            raise AuthenticationFailed("Staff use the API only after signing in with a second factor.")
        return user, claims
