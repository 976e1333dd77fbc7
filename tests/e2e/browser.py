"""What every browser test does: a signed-in page of one width, and a look at it."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from portal.models import User
from tests.axe import assert_accessible
from tests.people import sign_in

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
#: Where pictures of the pages go, for whoever wants to look at them.
SHOTS = os.environ.get("SHOTS", "")
#: What a page may take on a machine that does something else beside.
PATIENCE = 30_000


def context_of(browser: Browser, server: LiveServer, width: int = 1280, **options: Any) -> BrowserContext:
    """A browser of its own on the live server, by the name that cookies and passkeys know."""
    context = browser.new_context(
        base_url=server.url.replace("127.0.0.1", "localhost"),
        viewport={"width": width, "height": 900},
        **options,
    )
    context.set_default_timeout(PATIENCE)
    return context


def enter(context: BrowserContext, user: User) -> None:
    """Take over a session that is signed in already."""
    cookie = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME]
    context.clear_cookies()
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}])


def page_of(browser: Browser, server: LiveServer, user: User, width: int = 1280) -> Page:
    """A browser of its own, signed in as the user."""
    context = context_of(browser, server, width)
    enter(context, user)
    return context.new_page()


def looked_at(page: Page, name: str) -> None:
    """No barrier and no overflow, and a picture when one is wanted."""
    assert_accessible(page)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{name} is {wide} px too wide"
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)
