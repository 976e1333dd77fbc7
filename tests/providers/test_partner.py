"""The partner client: its token's oddities, heartbeat and the document-verification link."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from portal.context import acting
from providers.bakkt import assumptions
from providers.bakkt.partner import PartnerClient, PartnerCredentials
from providers.errors import Misconfigured, NotSent, OutcomeUnknown, Rejected
from providers.http import Transport
from providers.models import CallLog
from providers.tokens import SharedTokens
from tests.providers.talker import Talker, answer

TOKEN = "/partner/v1/oauth2/token"
PARTNER_ID = "11111111-2222-4333-8444-555555555555"
DETAILS = f"/partner/v1/partner/{PARTNER_ID}/party/ACC-1/kyc/documentVerificationDetails"


def jwt(**claims: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.c2ln"


@pytest.fixture
def client_of(talker: Talker, make_transport: Callable[..., Transport]) -> PartnerClient:
    talker.then(TOKEN, answer(body={"accessToken": jwt(sub="p"), "expiresIn": "3600", "tokenType": "Bearer"}))
    return PartnerClient(
        base_url=talker.url,
        credentials=PartnerCredentials("client-1", "s3cret:with:colons"),
        partner_id=PARTNER_ID,
        transport=make_transport(),
        tokens=SharedTokens(),
    )


@pytest.mark.django_db
def test_the_token_is_asked_for_as_the_guide_shows(talker: Talker, client_of: PartnerClient) -> None:
    client_of.fetch_token()
    heard = talker.last(TOKEN)
    assert (
        base64.b64decode(heard.headers["authorization"].removeprefix("Basic "))
        == b"client-1:s3cret:with:colons"
    )
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(heard.body.decode()) == {"grant_type": ["client_credentials"]}
    assert "s3cret" not in repr(PartnerCredentials("client-1", "s3cret:with:colons"))


@pytest.mark.django_db
def test_the_grant_type_can_go_into_the_query(
    talker: Talker, client_of: PartnerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assumptions, "GRANT_TYPE_IN_QUERY", True)
    client_of.fetch_token()
    assert talker.last(TOKEN).target == f"{TOKEN}?grant_type=client_credentials"
    assert talker.last(TOKEN).body == b""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "claims", "seconds"),
    [
        ("3667", {"exp": 3600}, 3600),
        ("600", {"exp": 3600}, 600),
        ("3667", {}, 3667),
        (None, {"exp": 900}, 900),
        ("soon", {"exp": "never"}, None),
        (1200, {}, 1200),
    ],
)
def test_the_token_ends_at_the_earlier_of_what_is_said(
    talker: Talker, client_of: PartnerClient, said: object, claims: dict[str, object], seconds: int | None
) -> None:
    now = datetime.now(UTC)
    if isinstance(claims.get("exp"), int):
        claims = {"exp": int(now.timestamp()) + int(str(claims["exp"]))}
    talker.then(TOKEN, answer(body={"accessToken": jwt(**claims), "expiresIn": said}))
    ends = client_of.fetch_token().expires_at
    if seconds is None:
        assert ends is None
    else:
        assert ends is not None
        assert abs(ends - now - timedelta(seconds=seconds)) < timedelta(seconds=3)


@pytest.mark.django_db
def test_a_stock_oauth_reply_is_no_token(talker: Talker, client_of: PartnerClient) -> None:
    talker.then(TOKEN, answer(body={"access_token": "abc", "expires_in": 3600}))
    with pytest.raises(OutcomeUnknown):
        client_of.fetch_token()
    with pytest.raises(NotSent):
        client_of.heartbeat()


@pytest.mark.django_db
def test_wrong_credentials(talker: Talker, client_of: PartnerClient) -> None:
    talker.then(TOKEN, answer(401, raw=b""))
    with pytest.raises(Misconfigured):
        client_of.heartbeat()


@pytest.mark.django_db
def test_the_heartbeat(talker: Talker, client_of: PartnerClient) -> None:
    talker.then("/partner/v1/heartbeat", answer(503, {}), answer(200, {"result": "PONG: heartbeat received"}))
    assert client_of.heartbeat().startswith("PONG")
    assert talker.times(TOKEN) == 1


@pytest.mark.django_db
def test_a_link_for_document_verification(talker: Talker, client_of: PartnerClient) -> None:
    body = {
        "verificationURL": "https://verify.example/s/7d1c",
        "verificationURLExpiry": "2025-03-05T15:04:05.000Z",
    }
    talker.then(DETAILS, answer(200, body))
    ours = "0192d1c2-7b1e-7000-8000-000000000001"
    with acting(request_id=ours):
        details = client_of.document_verification_details("ACC-1")
    assert details.url == "https://verify.example/s/7d1c"
    assert details.expires_at == datetime(2025, 3, 5, 15, 4, 5, tzinfo=UTC)
    assert "7d1c" not in repr(details)
    heard = talker.last(DETAILS)
    assert heard.headers["x-tracking-id"] == ours
    assert heard.target == DETAILS
    assert "ACC-1" not in CallLog.objects.get(operation="bakkt.document_verification_details").template
    client_of.document_verification_details("ACC-1", override_declined_consent=True)
    assert talker.last(DETAILS).target == f"{DETAILS}?overrideCustomerDeclinedConsent=true"


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["http://verify.example/s", None, 5])
def test_a_link_that_is_not_https_is_no_link(talker: Talker, client_of: PartnerClient, url: object) -> None:
    talker.then(DETAILS, answer(200, {"verificationURL": url}))
    with pytest.raises(OutcomeUnknown):
        client_of.document_verification_details("ACC-1")


@pytest.mark.django_db
def test_no_further_link(talker: Talker, client_of: PartnerClient) -> None:
    talker.then(DETAILS, answer(400, {"type": "MAX_ATTEMPTS_REACHED", "detail": "limit"}))
    with pytest.raises(Rejected) as caught:
        client_of.document_verification_details("ACC-1")
    assert caught.value.code == "MAX_ATTEMPTS_REACHED"
