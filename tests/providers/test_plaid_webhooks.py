"""Plaid's signed webhooks at the intake: what proves itself is stored, everything else is refused without detail."""

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client

from portal import clock
from providers import inbox
from providers.models import CallLog, InboundEvent
from providers.plaid import events
from providers.plaid.webhooks import MOST_UNKNOWN, RECHECKED_AFTER
from tests.providers.talker import Talker, answer

pytestmark = pytest.mark.django_db(transaction=True)
KEYS = "/plaid/webhook_verification_key/get"
KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
BODY = b'{\n  "webhook_type": "ITEM",\n  "webhook_code": "ERROR",\n  "item_id": "It1",\n  "environment": "sandbox"\n}'


def jwk(key: ec.EllipticCurvePrivateKey = KEY, **changes: Any) -> dict[str, Any]:
    found = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return (
        found | {"kid": "key-1", "alg": "ES256", "use": "sig", "created_at": 1, "expired_at": None} | changes
    )


def token(
    body: bytes = BODY,
    *,
    key: Any = KEY,
    kid: str = "key-1",
    algorithm: str = "ES256",
    age: float = 0,
    **claims: Any,
) -> str:
    said = {
        "iat": int(clock.now().timestamp() - age),
        "request_body_sha256": hashlib.sha256(body).hexdigest(),
    }
    return jwt.encode(said | claims, key, algorithm=algorithm, headers={"kid": kid})


def post(body: bytes = BODY, signed: str | None = None, path: str = "/webhooks/plaid/") -> int:
    headers = {"Plaid-Verification": token(body) if signed is None else signed}
    return Client().post(path, body, content_type="application/json", headers=headers).status_code


@pytest.fixture
def plaid_keys(talker: Talker, settings: Any) -> Iterator[Talker]:
    settings.PLAID_URL = f"{talker.url}/plaid"
    talker.then(KEYS, answer(200, {"key": jwk(), "request_id": "r"}))
    yield talker


def test_what_proves_itself_is_stored_once_under_one_look_at_the_key(plaid_keys: Talker) -> None:
    assert [post(), post(), post(BODY + b"\n")] == [200, 200, 200]
    assert sorted(InboundEvent.objects.values_list("provider", "deliveries")) == [("plaid", 1), ("plaid", 2)]
    assert plaid_keys.times(KEYS) == 1 and plaid_keys.last(KEYS).json == {"key_id": "key-1"}
    assert InboundEvent.objects.earliest("received_at").body.reveal() == BODY.decode()


def forged(name: str) -> tuple[bytes, str]:
    hs_key = base64.urlsafe_b64encode(b"x" * 32).decode()
    deep = base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")
    moved = json.dumps(json.loads(BODY)).encode()
    tokens = {
        "none": "",
        "no token": "abc",
        "nested": f"{deep}.e30.e30",
        "wrong algorithm": token(key=hs_key, algorithm="HS256"),
        "no algorithm": jwt.encode({"iat": 1}, None, algorithm="none", headers={"kid": "key-1"}),
        "wrong curve": token(key=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384"),
        "wrong key": token(key=OTHER),
        "old": token(age=301),
        "of the future": token(age=-3600),
        "no time": token(iat=None),
        "other body": token(BODY + b" "),
        "no hash": token(request_body_sha256=None),
        "rewritten body": token(BODY),
        "odd key id": token(kid="../key 1"),
    }
    return (moved if name == "rewritten body" else BODY), tokens[name]


@pytest.mark.parametrize(
    "name",
    ["none", "no token", "nested", "wrong algorithm", "no algorithm", "wrong curve", "wrong key", "old",
     "of the future", "no time", "other body", "no hash", "rewritten body", "odd key id"],
)  # fmt: skip
def test_what_does_not_prove_itself_is_refused(plaid_keys: Talker, name: str) -> None:
    body, signed = forged(name)
    assert post(body, signed) == 401
    assert not InboundEvent.objects.exists()
    assert post() == 200


def test_a_secret_path_is_no_way_round(plaid_keys: Talker, settings: Any) -> None:
    assert post(path=f"/webhooks/plaid/{settings.BAKKT_WEBHOOK_SECRET}/") == 401


@pytest.mark.parametrize("changes", [{"expired_at": 1700000000}, {"alg": "ES384"}, {"crv": "P-384"}])
def test_a_key_that_is_over_or_of_another_kind_proves_nothing(
    plaid_keys: Talker, changes: dict[str, Any]
) -> None:
    plaid_keys.then(KEYS, answer(200, {"key": jwk(**changes), "request_id": "r"}))
    assert post() == 401


def test_a_flood_of_unknown_keys_is_asked_about_no_more_than_so_often(plaid_keys: Talker) -> None:
    assert post() == 200
    unknown = {"error_type": "INVALID_INPUT", "error_code": "INVALID_WEBHOOK_VERIFICATION_KEY_ID"}
    plaid_keys.then(KEYS, answer(400, unknown))
    with time_machine.travel(clock.now(), tick=False):
        for number in range(3 * MOST_UNKNOWN):
            assert post(BODY, token(kid=f"flood-{number}", key=OTHER)) == 401
        assert plaid_keys.times(KEYS) <= 1 + MOST_UNKNOWN
        # The key in use serves on.
        assert post() == 200
    with time_machine.travel(clock.now() + timedelta(minutes=2)):
        assert post(BODY, token(kid="after", key=OTHER)) == 401
    assert plaid_keys.last(KEYS).json == {"key_id": "after"}


def test_a_known_key_is_asked_about_again_and_outlives_a_silent_provider(plaid_keys: Talker) -> None:
    assert post() == 200
    with time_machine.travel(clock.now() + RECHECKED_AFTER + timedelta(minutes=1)):
        plaid_keys.then(KEYS, answer(500, {}))
        assert post() == 200
        plaid_keys.then(KEYS, answer(200, {"key": jwk(expired_at=1700000000), "request_id": "r"}))
        assert post() == 401
    assert CallLog.objects.filter(operation="plaid.webhook_key").count() == 3


class Keeper:
    """Handles a kind of notice by remembering it."""

    def __init__(self) -> None:
        self.kept: list[events.Notice] = []

    def plan(self, event: InboundEvent, notice: events.Notice) -> inbox.Plan:
        verdict = inbox.Verdict.APPLY if notice.item_id == "It1" else inbox.Verdict.QUARANTINE
        return inbox.Plan(verdict, ["Kept."])

    def apply(self, event: InboundEvent, notice: events.Notice, plan: inbox.Plan) -> None:
        self.kept.append(notice)


def test_each_notice_goes_to_the_app_that_registered_for_it(
    plaid_keys: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_handlers", {})
    keeper, rest = Keeper(), Keeper()
    events.register("ITEM", "ERROR", keeper)
    events.register("LINK", events.ANY, rest)
    ours = {"environment": "sandbox", "item_id": "It1"}
    finished = {"status": "success", "public_tokens": ["p1", "p2"], "public_token": "p1", "link_token": "l1"}
    wrong = {"error": {"error_code": "ITEM_LOGIN_REQUIRED"}}
    bodies = [
        {"webhook_type": "ITEM", "webhook_code": "ERROR", **wrong, **ours},
        {"webhook_type": "LINK", "webhook_code": "SESSION_FINISHED", **finished, **ours},
        {"webhook_type": "AUTH", "webhook_code": "DEFAULT_UPDATE", **ours},
        {"webhook_type": "ITEM", "webhook_code": "WEBHOOK_UPDATE_ACKNOWLEDGED", **ours},
        {"webhook_type": "ITEM", "webhook_code": "ERROR", "item_id": "It1", "environment": "production"},
        {"nothing": "known"},
    ]
    for body in bodies:
        assert post(json.dumps(body, indent=2).encode()) == 200
    inbox.process_due()
    assert [(notice.code, notice.error_code) for notice in keeper.kept] == [("ERROR", "ITEM_LOGIN_REQUIRED")]
    assert [(n.public_tokens, n.link_token, n.finished_well) for n in rest.kept] == [
        (["p1", "p2"], "l1", True)
    ]
    states = InboundEvent.objects.order_by("received_at").values_list("kind", "party_ref", "status")
    assert list(states) == [
        ("ITEM.ERROR", "It1", "processed"),
        ("LINK.SESSION_FINISHED", "It1", "processed"),
        ("AUTH.DEFAULT_UPDATE", "It1", "quarantined"),
        ("ITEM.WEBHOOK_UPDATE_ACKNOWLEDGED", "It1", "ignored"),
        ("ITEM.ERROR", "It1", "quarantined"),
        ("", "", "quarantined"),
    ]
