"""Where allauth meets our rules: who may sign up, how people are named, how secrets are kept."""

import base64
import time
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import is_headless_request
from allauth.headless.base.response import ForbiddenResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from portal.auth.factors import STRONG, has_second_factor
from portal.keyring import current_key_id, header, seal, unseal
from portal.middleware import client_ip
from portal.models import Role, User


def display_name(user: User) -> str:
    """How allauth's pages and mails address a person."""
    return user.name or user.email


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Everyone who signs up is a customer; staff are invited by an administrator."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """The new customer. The role is never read from input."""
        user.role = Role.CUSTOMER
        user.name = form.cleaned_data.get("name", "")
        return super().save_user(request, user, form, commit)  # type: ignore[no-any-return]

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that rate limits count by."""
        return client_ip(request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where people land after signing in: `home` knows staff from customers."""
        return reverse("home")

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Refuse app sign-ins of staff without a second factor; they enrol one in the browser."""
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if (
            response is None
            and user.is_staff_member
            and is_headless_request(request)
            and not has_second_factor(user)
        ):
            raise ImmediateHttpResponse(ForbiddenResponse(request))
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """A sign-in minutes ago is as good as confirming the password again."""
        if not super().is_reauthentication_required(app=app, **kwargs):
            return False
        records = get_authentication_records(self.request, self.request.user)
        return not records or time.time() - records[-1]["at"] > account_settings.REAUTHENTICATION_TIMEOUT

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every mail knows our name and address from the settings, not from the request's Host header."""
        ours = {
            "portal_url": settings.PORTAL_URL,
            "partner_name": settings.PARTNER_NAME,
            "support_email": settings.SUPPORT_EMAIL,
        }
        super().send_mail(template_prefix, email, context | ours)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors keep their secrets under seal; passkeys belong to the portal's own address."""

    AAD = "mfa.authenticator"

    def encrypt(self, text: str) -> str:
        """The secret as it is stored."""
        return base64.b64encode(seal(text.encode(), self.AAD)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The stored secret in clear."""
        return unseal(base64.b64decode(encrypted_text), self.AAD).decode()

    def get_totp_issuer(self) -> str:
        """The name under which authenticator apps list the account."""
        return str(settings.PARTNER_NAME)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Staff keep at least one second factor: a new one is added before the last is removed."""
        others = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=STRONG)
        return not authenticator.user.is_staff_member or others.exclude(pk=authenticator.pk).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys are bound to the host of PORTAL_URL."""
        return {"id": urlsplit(settings.PORTAL_URL).hostname or "", "name": settings.PARTNER_NAME}


def reseal_authenticators() -> int:
    """Bring the secrets of second factors under the current key; returns how many rows changed."""
    adapter, prefix, changed = MFAAdapter(), header(current_key_id()), 0
    types = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for pk in Authenticator.objects.filter(type__in=types).values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            names = [name for name in ("secret", "seed") if name in row.data]
            old = [name for name in names if not base64.b64decode(row.data[name]).startswith(prefix)]
            for name in old:
                row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
            if old:
                row.save(update_fields=["data"])
                changed += 1
    return changed
