"""A pytest plugin, loaded before the settings: prepares the environment for tests.

With DATABASE_URL set the tests run on that server; pytest-django makes its own test database there. Without it a
throw-away PostgreSQL is started. pytest-xdist's workers inherit the environment, so the first process alone
does it.
"""

import os
import shutil
import signal

import pytest

from portal.run.testenv import prepare

# Playwright's sync API keeps an event loop in the test's thread; Django would refuse the ORM there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# A terminated run cleans up as an interrupted one does: servers that fixtures started must not outlive it.
signal.signal(signal.SIGTERM, signal.default_int_handler)
prepare()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser, tests marked e2e are skipped with the reason; with REQUIRE_BROWSER that is an error."""
    browser = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    found = [item for item in items if item.get_closest_marker("e2e")]
    if not found or shutil.which(browser):
        return
    reason = f"no browser at {browser}: apt-get install chromium, or set CHROMIUM"
    if os.environ.get("REQUIRE_BROWSER"):
        raise pytest.UsageError(reason)
    for item in found:
        item.add_marker(pytest.mark.skip(reason=reason))
