"""The partner family, `/partner/v1`: token, heartbeat, document-verification link. Wire contract, 5 and 6."""

import base64
import binascii
import json
import secrets
import time
from typing import Any

from django.urls import path

from sandbox.bakkt import events
from sandbox.bakkt.schema import FORMS
from sandbox.endpoint import Answer, Request, endpoint
from sandbox.state import Json
from sandbox.world import World

FAMILY = "bakkt-partner"
REFUSED_CLIENT = "wrong"
# The published sample says `expiresIn` 3667 for a token whose own claims end after 3600 seconds.
SAID_TOO_MUCH = 67


def problem(kind: str, detail: str, description: str, details: list[Json] | None = None) -> Json:
    """A PublicApiError (contract, section 3)."""
    return {"type": kind, "detail": detail, "description": description, "details": details or []}


def error(code: int, message: str) -> Json:
    return problem(f"HTTP_{code}", message, message)


@endpoint("partner_token", method="POST", family=FAMILY, error=error, token=False, form=True)
def token(world: World, request: Request) -> Json:
    """HTTP Basic; the grant type in the form body, or in the query as another source declares it."""
    client = _basic_user(request.plain.headers.get("Authorization", ""))
    if client is None or client == REFUSED_CLIENT:
        raise Answer(401, error(401, "Unauthorized"))
    grant = request.plain.POST.get("grant_type") or request.plain.GET.get("grant_type")
    if grant != "client_credentials":
        raise Answer(400, bad_field("grant_type", "must be client_credentials", grant))
    with world.look() as state:
        life = int(state.settings.token_seconds)
    issued = world.issue_token(FAMILY, _jwt(life))
    return {"accessToken": issued, "expiresIn": str(life + SAID_TOO_MUCH), "tokenType": "Bearer"}


@endpoint("heartbeat", method="POST", family=FAMILY, error=error)
def heartbeat(world: World, request: Request) -> Json:
    body = request.body if isinstance(request.body, dict) else {}
    return {"requestId": body.get("requestId"), "result": "PONG: heartbeat received"}


@endpoint("document_verification_details", method="GET", family=FAMILY, error=error)
def document_verification_details(world: World, request: Request, partner: str, ref: str) -> Json:
    """The current link, or the next one after an expiry; three expirations, then no more (seed 000).

    After declined consent there is none without `overrideCustomerDeclinedConsent`: its meaning is taken from its name.
    """
    if not FORMS["a UUID"](partner):
        raise Answer(400, bad_field("partnerId", "Not a UUID", partner))
    with world.change() as state:
        account = state.accounts.get(ref)
        if account is None:
            raise Answer(400, problem("PARTY_ACCOUNT_NOT_FOUND", "party account not found", "Unknown party"))
        link = account.link
        if link is None or link.closed:
            raise Answer(
                400,
                problem("PARTY_INVALID_OPERATION", "invalid operation", "No document verification is open"),
            )
        override = request.plain.GET.get("overrideCustomerDeclinedConsent", "").lower() == "true"
        if link.declined and not override:
            text = "The customer declined consent"
            raise Answer(400, problem("CUSTOMER_DECLINED_CONSENT", "customer declined consent", text))
        expired = events.expirations(world, link)
        if expired >= events.MOST_LINKS:
            text = "No further verification URL can be issued"
            raise Answer(400, problem("MAX_ATTEMPTS_REACHED", "document verification limit", text))
        if expired == link.number:
            link = events.open_link(world, account, number=link.number + 1)
        elif link.declined:
            link = events.open_link(world, account, number=link.number)
        return events.link_details(world, account, link)


def bad_field(name: str, text: str, rejected: Any) -> Json:
    """The PublicApiError about one field."""
    detail = {"type": "VALIDATION_ERROR", "field": name, "description": text, "rejectedValue": rejected}
    return problem("INVALID_FIELD_VALUE", "validation error", f"{name}: {text}", [detail])


def _basic_user(header: str) -> str | None:
    scheme, _, code = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, _ = base64.b64decode(code, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return user if colon else None


def _jwt(life: int) -> str:
    """A token of three parts whose middle says when it ends; its signature is noise."""
    now = int(time.time())
    parts = [{"alg": "none-sandbox", "typ": "JWT"}, {"iat": now, "exp": now + life, "iss": "sandbox"}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, secrets.token_urlsafe(32)])


PARTY = "partner/v1/partner/<str:partner>/party/<str:ref>"
urlpatterns = [
    path("partner/v1/oauth2/token", token),
    path("partner/v1/heartbeat", heartbeat),
    path(f"{PARTY}/kyc/documentVerificationDetails", document_verification_details),
]
