"""How the portal's clients, and processes of the portal beside this one, find the sandbox of the tests."""

import os
from typing import Any

from django.db import connection

from providers import clients
from providers.http import Timeouts
from sandbox import testing

#: Short, so that an answer that never comes costs a test under a second.
QUICK = Timeouts(connect=2.0, read=0.8, total=2.0)
LOGON = {"BAKKT_CRYPTO_LOGON_ID": "portal", "BAKKT_CRYPTO_PASSWORD": "invented"}


def point_at(settings: Any, url: str) -> None:
    """Let the portal's clients call the sandbox at `url`, with short time-outs and nothing remembered."""
    settings.SANDBOX_URL = settings.BAKKT_CRYPTO_URL = settings.BAKKT_PARTNER_URL = url
    for name, value in LOGON.items():
        setattr(settings, name, value)
    settings.BAKKT_PARTNER_CLIENT_ID = "portal"
    settings.BAKKT_PARTNER_CLIENT_SECRET = "invented"
    settings.BAKKT_PARTNER_ID = "7c0e4a52-6f0b-4d3c-9a52-0d8c2f1b7a11"
    settings.BAKKT_TRANSACTION_READS = settings.BAKKT_LINK_READS = True
    settings.PLAID_URL = f"{url}/plaid"
    for cached in (clients._crypto, clients._partner, clients._fiat, clients._plaid, clients._transport):
        cached.cache_clear()
    for waiting in (False, True):
        clients._transport(waiting)._timeouts = QUICK


def test_database_url() -> str:
    """The address of the database this test runs on, for processes started beside it."""
    address, _, query = os.environ["DATABASE_URL"].partition("?")
    server = address.rpartition("/")[0]
    return f"{server}/{connection.settings_dict['NAME']}" + (f"?{query}" if query else "")


test_database_url.__test__ = False  # type: ignore[attr-defined]


def environment(box: testing.SandboxProcess, **more: str) -> dict[str, str]:
    """What a process of the portal beside this one is started with: same database, same keys, this sandbox."""
    return {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "SANDBOX_URL": box.url,
        "BAKKT_CRYPTO_URL": box.url,
        "BAKKT_PARTNER_URL": box.url,
        "BAKKT_PARTNER_ID": "7c0e4a52-6f0b-4d3c-9a52-0d8c2f1b7a11",
        "BAKKT_PARTNER_CLIENT_ID": "portal",
        "BAKKT_PARTNER_CLIENT_SECRET": "invented",
        "LOG_FORMAT": "console",
        **LOGON,
        **more,
    }
