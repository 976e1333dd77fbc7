"""Linking a bank in a browser: in place, through a bank's own page, without JavaScript, and given up."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect
from pytest_django.live_server_helper import LiveServer

from providers import clients
from providers.models import InboundEvent
from sandbox.testing import SandboxProcess
from tests.e2e import bank_link_urls
from tests.e2e.browser import PATIENCE, context_of, looked_at

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def brought(box: SandboxProcess, settings: Any) -> Iterator[list[dict[str, Any]]]:
    settings.ROOT_URLCONF = "tests.e2e.bank_link_urls"
    bank_link_urls.BROUGHT.clear()
    yield bank_link_urls.BROUGHT


def opened(browser: Browser, server: LiveServer, width: int = 1280, **options: Any) -> tuple[Page, list[str]]:
    context = context_of(browser, server, width, **options)
    page = context.new_page()
    told: list[str] = []
    # What the policy forbids is told on the console; the bare pages of the test have no icon, which is told too.
    page.on("console", lambda said: told.append(said.text) if "Policy" in said.text else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto("/try-bank-link/")
    return page, told


def choose(frame: FrameLocator | Page, bank: str) -> None:
    """Press the bank's button, again where nothing came of it: Chromium may lose a click into a frame just laid."""
    button = frame.get_by_role("button", name=bank)
    for patience in (3_000, 10_000, PATIENCE):
        button.click()
        with suppress(AssertionError):
            expect(button).to_be_hidden(timeout=patience)
            return
    raise AssertionError(f"{bank} is still offered after three clicks")


def agree(frame: FrameLocator | Page) -> None:
    frame.get_by_label("Plaid Checking").check()
    frame.get_by_role("button", name="Continue").click()
    frame.get_by_role("button", name="Agree").click()


def sign_in(frame: FrameLocator | Page) -> None:
    frame.get_by_label("Username").fill("user_good")
    frame.get_by_label("Password").fill("pass_good")
    frame.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("width", [1280, 390])
def test_in_place_after_giving_up_once(
    browser: Browser, live_server: LiveServer, brought: list[dict[str, Any]], width: int
) -> None:
    page, told = opened(browser, live_server, width)
    page.get_by_role("button", name="Link a bank").click()
    frame = page.frame_locator("iframe")
    choose(frame, "First Platypus Bank")
    looked_at(page, f"bank-link-frame-{width}")
    frame.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("alert").filter(has_text="Nothing was linked")).to_be_visible()
    looked_at(page, f"bank-link-left-{width}")
    page.get_by_role("button", name="Link a bank").click()
    choose(frame, "First Platypus Bank")
    sign_in(frame)
    agree(frame)
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    (sent,) = brought
    assert sent["done"] == "1" and clients.plaid().exchange(sent["public_token"]).item_id
    assert not told, told


def test_through_the_bank_s_own_page(
    browser: Browser, live_server: LiveServer, brought: list[dict[str, Any]]
) -> None:
    page, told = opened(browser, live_server)
    page.get_by_role("button", name="Link a bank").click()
    frame = page.frame_locator("iframe")
    choose(frame, "Platypus OAuth Bank")
    frame.get_by_role("link", name="Continue to Platypus OAuth Bank").click()
    page.get_by_role("button", name="Allow").click()
    # Back on our page Link goes on by itself.
    agree(page.frame_locator("iframe"))
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    assert brought[0]["public_token"].startswith("public-") and not told, told


def test_without_javascript_on_the_hosted_page(
    browser: Browser,
    live_server: LiveServer,
    box: SandboxProcess,
    brought: list[dict[str, Any]],
) -> None:
    page, _ = opened(browser, live_server, java_script_enabled=False)
    page.get_by_role("button", name="Link a bank").click()
    choose(page, "Houndstooth Bank")
    sign_in(page)
    agree(page)
    expect(page.get_by_role("heading", name="Back")).to_be_visible()
    assert [sent["done"] for sent in brought] == [""]
    # The portal asked the stand-in for its key while that was waiting for the answer.
    assert box.flush() == 0
    assert InboundEvent.objects.filter(provider="plaid").count() == 2
