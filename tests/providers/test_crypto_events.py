"""Webhook bodies, read tolerantly. Contract bakkt-partner.md, section 7."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from providers.bakkt.events import PartyEvent, UnknownEvent, parse_event
from providers.errors import Unreadable

NOON = datetime(2024, 5, 4, 12, tzinfo=UTC)
BASE = {"requestId": "r-1", "partnerPartyRef": "ACC-1"}


def parsed(**fields: Any) -> Any:
    return parse_event(json.dumps(BASE | fields).encode())


def party(**fields: Any) -> PartyEvent:
    event = parsed(partnerWebhookType="PARTY_EVENT", **fields)
    assert isinstance(event, PartyEvent)
    return event


def test_a_party_event() -> None:
    assert party(partyStatus="ACTIVE", reasonCode="ENROLLMENT", extra=1) == PartyEvent(
        "r-1", "ACC-1", "ACTIVE", "ENROLLMENT"
    )


def test_words_nobody_knows_are_kept_as_they_came() -> None:
    event = party(partyStatus="Dormant-ish", reasonCode="new reason")
    assert (event.status, event.reason) == ("Dormant-ish", "new reason")


@pytest.mark.parametrize("spelling", ["verificationURLExpiry", "verificationUrlExpiry"])
@pytest.mark.parametrize("value", ["2024-05-04T12:00:00.000Z", 1714824000, 1714824000000, "1714824000"])
def test_both_spellings_and_every_form_of_the_expiry(spelling: str, value: object) -> None:
    event = party(
        partyStatus="UNDER_REVIEW", verificationURL="https://verify.example/s/7d1c", **{spelling: value}
    )
    assert (event.verification_url, event.verification_url_expiry) == ("https://verify.example/s/7d1c", NOON)


@pytest.mark.parametrize(
    "url",
    [
        "http://verify.example/s",
        "javascript:alert(1)",
        "https://",
        "https://user:pw@verify.example/",
        "https://verify.example/a b",
        "https://verify.example/\n",
        "https://[broken",
        "//verify.example/s",
        "https://verify.example/" + "x" * 3000,
        7,
        {"a": 1},
        "",
    ],
)
def test_only_plain_https_links_are_kept(url: object) -> None:
    assert party(partyStatus="UNDER_REVIEW", verificationURL=url).verification_url is None


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:8009/verify/7d1c", True),
        ("https://verify.example/s/7d1c", True),
        ("http://127.0.0.1:80090/verify", False),
        ("http://127.0.0.1:8009.evil.example/verify", False),
        ("http://user@127.0.0.1:8009/verify", False),
        ("ftp://127.0.0.1:8009/verify", False),
    ],
)
def test_the_stand_ins_own_origin_may_be_plain_http(url: str, kept: bool) -> None:
    raw = json.dumps(BASE | {"partnerWebhookType": "PARTY_EVENT", "verificationURL": url}).encode()
    event = parse_event(raw, local_origin="http://127.0.0.1:8009")
    assert isinstance(event, PartyEvent)
    assert event.verification_url == (url if kept else None)


def test_the_link_is_not_printed() -> None:
    event = party(partyStatus="UNDER_REVIEW", verificationURL="https://verify.example/s/7d1c")
    assert "7d1c" not in repr(event)


@pytest.mark.parametrize("value", ["in three days", [], True, {"a": 1}])
def test_an_expiry_nobody_can_read_is_none(value: object) -> None:
    assert party(partyStatus="ACTIVE", verificationURLExpiry=value).verification_url_expiry is None


def test_fields_of_another_form_are_empty_and_harmless() -> None:
    event = party(partyStatus=["ACTIVE"], reasonCode=None, requestId=17, partnerPartyRef="A\x00CC")
    assert event == PartyEvent("17", "ACC", "", "")
    assert len(party(partyStatus="x" * 9000).status) == 255


def test_a_kind_nobody_knows() -> None:
    assert parsed(partnerWebhookType="PARTY_MERGED", a=1) == UnknownEvent("r-1", "ACC-1", "PARTY_MERGED")
    assert parse_event(b"{}") == UnknownEvent("", "", "")


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b'"x"', b"{", b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_object(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_event(raw)
