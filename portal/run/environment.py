"""The environment the launcher gives to what it starts. Pure: what is set already always stays."""

from collections.abc import Mapping
from dataclasses import dataclass

#: What the sandbox accepts as credentials, and the settings name them by.
SANDBOX_CREDENTIALS = {
    "BAKKT_CRYPTO_LOGON_ID": "sandbox",
    "BAKKT_CRYPTO_PASSWORD": "sandbox-password",
    "BAKKT_PARTNER_CLIENT_ID": "sandbox",
    "BAKKT_PARTNER_CLIENT_SECRET": "sandbox-secret",
    "BAKKT_PARTNER_ID": "5a0db0c5-0000-4000-8000-000000000001",
}


@dataclass(frozen=True)
class Addresses:
    """Where the started parts are reached; `sandbox` is empty when none is started."""

    portal: str
    sandbox: str
    database: str


def development(given: Mapping[str, str], secrets: Mapping[str, str], at: Addresses) -> dict[str, str]:
    """The environment of web, workers and beat: `given` first, then development secrets and our addresses."""
    made = dict(secrets) | {
        "ENVIRONMENT": "development",
        "DEBUG": "true",
        "PORTAL_URL": at.portal,
        "BROKER_URL": "pgmq://",
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    if at.sandbox:
        made |= SANDBOX_CREDENTIALS | {
            "SANDBOX_URL": at.sandbox,
            "BAKKT_CRYPTO_URL": at.sandbox,
            "BAKKT_PARTNER_URL": at.sandbox,
        }
    chosen = {name: value for name, value in given.items() if value}
    for name in made:
        # A secret handed over as a file replaces the made one.
        if f"{name}_FILE" in chosen or f"{name.removesuffix('_FILE')}" in chosen:
            chosen.setdefault(name, "")
    return made | chosen | ({"DATABASE_URL": at.database} if at.database else {})
