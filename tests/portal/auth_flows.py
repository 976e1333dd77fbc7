"""What the sign-in tests share: filling in allauth's pages, reading mail rows, computing codes."""

import re
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from portal.auth.adapter import MFAAdapter
from portal.models import MailMessage, User
from tests.people import PASSWORD

APP = "/api/auth/app/v1"


def log_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    """Post the sign-in form."""
    return client.post("/account/login/", {"login": email, "password": password})


def mails_to(email: str) -> list[dict[str, Any]]:
    """Messages to the address, oldest first, with subject and text."""
    rows = [(row, row.content.reveal()) for row in MailMessage.objects.order_by("created_at", "pk")]
    return [
        {"subject": row.subject, "text": content["text"]} for row, content in rows if email in content["to"]
    ]


def link_in(text: str) -> str:
    """The path of the one-time link in a message."""
    return re.findall(r"https?://[^/\s]+(/account/(?:confirm-email|password/reset/key)/\S+)", text)[0]


def totp_code(user: User) -> str:
    """What the user's authenticator app shows now."""
    row = Authenticator.objects.get(user=user, type=Authenticator.Type.TOTP)
    return code_of(MFAAdapter().decrypt(row.data["secret"]))


def code_of(secret: str) -> str:
    """The current code of a secret."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def signed_in_as(client: Client) -> str:
    """The id of the user the session belongs to, or ''."""
    return str(client.session.get("_auth_user_id", ""))
