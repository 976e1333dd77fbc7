"""Rings of named keys, and the sealing of fields with the first of one: AES-256-GCM, all keys can open.

settings.SEAL_KEYS is "id:base64key,id2:base64key", and so is AUDIT_KEYS (portal/audit_seals.py). A sealed value
is: version (1 byte), length of the key id (1 byte), key id, nonce (12), ciphertext with its tag (16). Reasons:
docs/decisions/0002-sealed-fields.md.
"""

import base64
import binascii
import os
import re
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class CannotUnseal(Exception):
    """The value cannot be opened: its key is unknown, or it is not this row's. Never tells the value."""


@lru_cache(maxsize=8)
def parse_ring(text: str, setting: str = "SEAL_KEYS") -> dict[str, bytes]:
    """{"2026a": key} in ring order. Raises ValueError saying what is wrong with the setting."""
    ring: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, encoded = entry.partition(":")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name):
            raise ValueError(
                f"each key of {setting} is written id:base64key, the id 1-16 letters, digits, - or _"
            )
        if name in ring:
            raise ValueError(f"{setting} names the key {name} twice")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(f"the key {name} of {setting} is not base64") from error
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key {name} of {setting} has {len(key)} bytes, not {KEY_BYTES}")
        if key in ring.values():
            raise ValueError(f"the key {name} of {setting} repeats another entry's key")
        ring[name] = key
    if not ring:
        raise ValueError(f"{setting} holds no key")
    return ring


def current_key_id() -> str:
    """The id of the key that seals now."""
    return next(iter(parse_ring(settings.SEAL_KEYS)))


@register("security")
def check_keys(**_: Any) -> list[CheckMessage]:
    """System check: the rings can be read and the key of the blind indexes is long enough."""
    problems: list[CheckMessage] = []
    for name in ("SEAL_KEYS", "AUDIT_KEYS"):
        try:
            parse_ring(getattr(settings, name), name)
        except ValueError as error:
            problems.append(Error(str(error), id="portal.E001"))
    if len(settings.BLIND_INDEX_KEY) < KEY_BYTES:
        problems.append(Error(f"BLIND_INDEX_KEY is shorter than {KEY_BYTES} characters", id="portal.E002"))
    return problems


def header(key_id: str) -> bytes:
    """The first bytes of every value sealed under the key: version, length of the id, id."""
    return bytes([VERSION, len(key_id)]) + key_id.encode()


def seal(plain: bytes, aad: str) -> bytes:
    """Encrypt under the current key, bound to `aad` (app.model.field:pk)."""
    key_id = current_key_id()
    nonce = os.urandom(NONCE_BYTES)
    cipher = AESGCM(parse_ring(settings.SEAL_KEYS)[key_id])
    return header(key_id) + nonce + cipher.encrypt(nonce, plain, aad.encode())


def unseal(token: bytes, aad: str) -> bytes:
    """Decrypt. Raises CannotUnseal for an unknown key, another row's value or a damaged one."""
    key_id = key_id_of(token)
    rest = token[2 + token[1] :]
    key = parse_ring(settings.SEAL_KEYS).get(key_id)
    if key is None:
        raise CannotUnseal(f"the key {key_id} is not in SEAL_KEYS")
    try:
        return AESGCM(key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], aad.encode())
    except (InvalidTag, ValueError) as error:  # ValueError: cut short, the nonce or the tag is not there
        raise CannotUnseal(
            f"a value sealed under {key_id} does not belong to {aad.partition(':')[0]} here"
        ) from error


def key_id_of(token: bytes) -> str:
    """The id of the key a value is sealed under. Raises CannotUnseal when it is no sealed value."""
    if len(token) < 2 or token[0] != VERSION:
        raise CannotUnseal("the value is not in a sealed form this version knows")
    return token[2 : 2 + token[1]].decode("ascii", "replace")


def plain_length(token: bytes) -> int:
    """How many bytes are under the seal, without opening it."""
    return len(token) - 2 - token[1] - NONCE_BYTES - TAG_BYTES
