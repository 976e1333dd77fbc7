"""Sign-ins and second factors in the audit trail.

Signals are right here and nowhere else in this code: sign-in is allauth's and Django's, they tell of it by
signals only, and each receiver does nothing but record what has happened.
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core.internal.httpkit import is_headless_request
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from portal import audit
from portal.auth.devices import device_of
from portal.auth.factors import STRONG, mark_session
from portal.models import User


def _client(request: HttpRequest | None) -> str:
    return "app" if request is not None and is_headless_request(request) else "browser"


@receiver(user_logged_in)
def _logged_in(request: HttpRequest, user: User, **_: Any) -> None:
    records = get_authentication_records(request, user)
    methods = [str(record.get("type") or record["method"]) for record in records]
    after = {"methods": ", ".join(methods)}
    if device := device_of(request):
        after["device"] = device
    audit.record("auth.login", subject=user, actor=user, after=after, source=_client(request))


@receiver(user_logged_out)
def _logged_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        audit.record("auth.logout", subject=user, actor=user, source=_client(request))


@receiver(user_login_failed)
def _login_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    email = str(credentials.get("email", ""))
    user = User.objects.filter(email__iexact=email).first() if email else None
    # The address typed may be a password in the wrong field, so it is not kept.
    reason = "wrong password or switched-off account" if user else "unknown address"
    audit.record("auth.login_failed", subject=user, reason=reason, source=_client(request))


@receiver(mfa.authentication_failed)
def _second_factor_failed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    audit.record(
        "auth.second_factor_failed", subject=user, after={"type": authenticator.type}, source=_client(request)
    )


@receiver(mfa.authenticator_used)
def _second_factor_shown(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    mark_session(request.session, user)
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        audit.record("auth.recovery_code_used", subject=user, actor=user, source=_client(request))


@receiver(mfa.authenticator_added)
def _second_factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type in STRONG:
        mark_session(request.session, user)
    _record_factor("auth.second_factor_added", request, user, authenticator)


@receiver(mfa.authenticator_removed)
def _second_factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _record_factor("auth.second_factor_removed", request, user, authenticator)


@receiver(mfa.authenticator_reset)
def _recovery_codes_renewed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    _record_factor("auth.recovery_codes_renewed", request, user, authenticator)


def _record_factor(action: str, request: HttpRequest, user: User, authenticator: Authenticator) -> None:
    audit.record(
        action, subject=user, actor=user, after={"type": authenticator.type}, source=_client(request)
    )


@receiver(account.user_signed_up)
def _signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record(
        "auth.signed_up", subject=user, actor=user, after={"role": user.role}, source=_client(request)
    )


@receiver(account.email_confirmed)
def _email_confirmed(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    user = email_address.user
    audit.record("auth.email_confirmed", subject=user, actor=user, source=_client(request))


@receiver(account.email_changed)
def _email_changed(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record("auth.email_changed", subject=user, actor=user, source=_client(request))


@receiver([account.password_changed, account.password_set])
def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record("auth.password_changed", subject=user, actor=user, source=_client(request))


@receiver(account.password_reset)
def _password_reset(request: HttpRequest, user: User, **_: Any) -> None:
    audit.record("auth.password_reset", subject=user, actor=user, source=_client(request))
