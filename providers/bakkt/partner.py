"""Bakkt's partner API (`/partner/v1`): token, heartbeat, document-verification link. Contract sections 1.1,
5 and 6. What moves money is in fiat.py."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from portal import ids
from providers.bakkt import assumptions
from providers.bakkt.links import expiry, usable_url
from providers.bakkt.problems import read_problem
from providers.errors import Unreadable
from providers.http import Bearer, Call, Token, TokenStore, Transport


@dataclass(frozen=True)
class PartnerCredentials:
    """Client id and secret, one set per environment."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class DocumentVerification:
    """A link that lets its holder start the identity check, hence never printed; it works for 72 hours."""

    url: str = field(repr=False)
    expires_at: datetime | None


#: What the path of every call about one customer begins with.
PARTY = "/partner/v1/partner/{partnerId}/party/{partnerPartyRef}"


class PartnerApi:
    """What the clients of the partner API share: credentials, one token, and the path of a customer.

    `partner_id` is Bakkt's UUID of the partner the customers belong to; `local_origin` that of the stand-in,
    whose links are plain http.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: PartnerCredentials,
        partner_id: str,
        transport: Transport,
        tokens: TokenStore,
        local_origin: str = "",
    ) -> None:
        self._base_url = base_url
        self._local_origin = local_origin
        self._credentials = credentials
        self._partner_id = partner_id
        self._transport = transport
        name = f"bakkt-partner {urlsplit(base_url).netloc} {credentials.client_id}"
        self._bearer = Bearer(name=name, store=tokens, fetch=self.fetch_token)

    def fetch_token(self) -> Token:
        """Fetch a new token. The token store calls this; everyone else uses the shared token."""
        grant = {"grant_type": "client_credentials"}
        call = self._call(
            "bakkt.partner_token",
            "POST",
            "/partner/v1/oauth2/token",
            basic=(self._credentials.client_id, self._credentials.client_secret),
            query=grant if assumptions.GRANT_TYPE_IN_QUERY else {},
            form=None if assumptions.GRANT_TYPE_IN_QUERY else grant,
        )
        return self._transport.call(replace(call, bearer=None), _partner_token)

    def _call(self, operation: str, method: str, template: str, **more: Any) -> Call:
        return Call(
            operation=operation,
            method=method,
            base_url=self._base_url,
            template=template,
            bearer=self._bearer,
            read_problem=read_problem,
            **more,
        )

    def _party_call(self, operation: str, method: str, tail: str, party_ref: str, **more: Any) -> Call:
        path = {"partnerId": self._partner_id, "partnerPartyRef": party_ref} | more.pop("path", {})
        return self._call(operation, method, PARTY + tail, path=path, **more)


class PartnerClient(PartnerApi):
    """Connectivity and identity checks. Every method raises the errors of providers.errors."""

    def heartbeat(self) -> str:
        """The provider's word about itself. Information only: traffic never depends on it (contract,
        question 35)."""
        call = self._call(
            "bakkt.heartbeat",
            "POST",
            "/partner/v1/heartbeat",
            json={"requestId": str(ids.new_id())},
            repeatable=True,
        )
        return self._transport.call(call, _heartbeat_result)

    def document_verification_details(
        self, party_ref: str, *, override_declined_consent: bool = False
    ) -> DocumentVerification:
        """A current link for the customer's identity check. Call it after an expiry, not at each page view.

        Raises Rejected when no further link is granted: after three expired ones every refusal means that
        the attempts are used up (contract, question 10). `override_declined_consent` is undocumented; by
        its name it renews the link after the customer refused consent at the vendor.
        """
        call = self._party_call(
            "bakkt.document_verification_details",
            "GET",
            "/kyc/documentVerificationDetails",
            party_ref,
            query={"overrideCustomerDeclinedConsent": "true"} if override_declined_consent else {},
            tracked=True,
        )
        return self._transport.call(call, _document_verification(self._local_origin))


def _partner_token(body: Any) -> Token:
    """Reply fields are camelCase and `expiresIn` is text; the JWT may end earlier than it says (contract,
    section 1.1)."""
    if not isinstance(body, dict) or not isinstance(body.get("accessToken"), str):
        raise Unreadable("the token reply holds no accessToken")
    ends = [moment for moment in (_said_end(body.get("expiresIn")), _jwt_end(body["accessToken"])) if moment]
    return Token(body["accessToken"], min(ends) if ends else None)


def _said_end(expires_in: Any) -> datetime | None:
    try:
        return datetime.now(UTC) + timedelta(seconds=int(expires_in))
    except (TypeError, ValueError, OverflowError):
        return None


def _jwt_end(token: str) -> datetime | None:
    """The `exp` of a JWT, read without checking its signature: it is ours to send, not to trust."""
    pieces = token.split(".")
    if len(pieces) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4)))
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _heartbeat_result(body: Any) -> str:
    if not isinstance(body, dict) or not isinstance(body.get("result"), str):
        raise Unreadable("the heartbeat reply holds no result")
    return str(body["result"])[:100]


def _document_verification(local_origin: str) -> Callable[[Any], DocumentVerification]:
    def read(body: Any) -> DocumentVerification:
        if not isinstance(body, dict):
            raise Unreadable("the verification reply is not an object")
        url = usable_url(body.get("verificationURL"), local_origin=local_origin)
        if url is None:
            raise Unreadable("the verification reply holds no https address")
        return DocumentVerification(url, expiry(body))

    return read
