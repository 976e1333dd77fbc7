"""Identifiers: UUIDv7, so that a primary key sorts by time and lists page on it; and references for people."""

import secrets
from uuid import UUID

from uuid_utils import compat

#: Crockford's alphabet: nothing that is mistaken for something else when read out on the phone.
REFERENCE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_id() -> UUID:
    """A new UUIDv7."""
    return compat.uuid7()


def new_reference(prefix: str) -> str:
    """A reference people can read out, such as PA-7K3M-9QX2 (40 random bits)."""
    digits = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(8))
    return f"{prefix}-{digits[:4]}-{digits[4:]}"
