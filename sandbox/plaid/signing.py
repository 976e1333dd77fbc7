"""Signatures of Plaid's webhooks: ES256 over the body's hash, under a key of this process. Contract plaid.md, 7."""

import hashlib
import time
import uuid
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.state import Json

HEADER = "Plaid-Verification"
#: Names the one key; a restarted stand-in has another.
KEY_ID = str(uuid.uuid4())
_BEGAN = int(time.time())


@cache
def _key(wrong: bool) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signature(text: str, *, wrong: bool = False) -> str:
    """The header's value for a body sent now; `wrong` signs with a key nobody hands out."""
    claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(text.encode()).hexdigest()}
    return jwt.encode(claims, _key(wrong), algorithm="ES256", headers={"kid": KEY_ID})


def public_key() -> Json:
    """The key as `/webhook_verification_key/get` shows it."""
    found: Json = jwt.algorithms.ECAlgorithm.to_jwk(_key(False).public_key(), as_dict=True)
    return found | {"kid": KEY_ID, "alg": "ES256", "use": "sig", "created_at": _BEGAN, "expired_at": None}
