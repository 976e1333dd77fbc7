"""The signature under a case file's manifest, and the public keys by which anybody checks it.

The keys are made from AUDIT_KEYS, each for this purpose alone, so there is no further secret to keep and to change:
a new audit key brings a new signing key, and the public keys of the older ones go on being published.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from portal.keyring import parse_ring

PURPOSE = b"case file signature"


def _private(key: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.new(key, PURPOSE, hashlib.sha256).digest())


def _public(key: bytes) -> str:
    return _private(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def public_keys() -> dict[str, str]:
    """Each key's id and its public half in hex; the first signs."""
    return {name: _public(key) for name, key in parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS").items()}


def signing_key_id() -> str:
    """The id of the key that signs now."""
    return next(iter(parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS")))


def sign(message: bytes) -> str:
    """The Ed25519 signature in hex, under the key that signs now."""
    return _private(parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS")[signing_key_id()]).sign(message).hex()
