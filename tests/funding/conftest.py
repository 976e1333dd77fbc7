"""The sandbox, with Plaid's webhooks led to the portal's live server."""

from typing import Any

import pytest

from sandbox.testing import SandboxProcess


@pytest.fixture
def bank_box(box: SandboxProcess, live_server: Any, settings: Any) -> SandboxProcess:
    """The sandbox for linking banks."""
    settings.PORTAL_URL = live_server.url
    return box
