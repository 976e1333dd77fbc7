"""The sandbox, with Plaid's webhooks led to the portal's live server."""

from typing import Any

import pytest

from sandbox.testing import SandboxProcess
from tests.faults.conftest import _box, box  # noqa: F401  (fixtures)


@pytest.fixture
def bank_box(box: SandboxProcess, live_server: Any, settings: Any) -> SandboxProcess:  # noqa: F811
    """The sandbox for linking banks."""
    settings.PORTAL_URL = live_server.url
    return box
