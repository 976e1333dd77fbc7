"""Secrets for development and tests: made once, kept out of the repository."""

import base64
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


def new_secrets() -> dict[str, str]:
    """A fresh value for every secret the settings ask for."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "SEAL_KEYS": _new_ring(),
        "BLIND_INDEX_KEY": secrets.token_urlsafe(32),
        "AUDIT_KEYS": _new_ring(),
        "BAKKT_WEBHOOK_SECRET": secrets.token_urlsafe(32),
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }


def _new_ring() -> str:
    return f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def new_jwt_key() -> str:
    """A private RSA key in PEM, for the mobile tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def load_or_make(folder: Path) -> dict[str, str]:
    """The development secrets kept in `folder` (dev.env and jwt.pem, mode 0600), made at the first call."""
    folder.mkdir(parents=True, exist_ok=True)
    store, pem = folder / "dev.env", folder / "jwt.pem"
    if not pem.exists():
        _write(pem, new_jwt_key())
    kept = (
        dict(line.split("=", 1) for line in store.read_text().splitlines() if "=" in line)
        if store.exists()
        else {}
    )
    wanted = new_secrets() | kept
    if wanted != kept:
        _write(store, "".join(f"{name}={value}\n" for name, value in wanted.items()))
    return wanted | {"HEADLESS_JWT_PRIVATE_KEY_FILE": str(pem)}


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
