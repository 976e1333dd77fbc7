"""The gallery in a real browser: policy kept, no overflow, no barrier, and the script does what it says."""

import threading
from collections.abc import Iterator
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.axe import assert_accessible, violations

pytestmark = pytest.mark.e2e
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHOWS = [
    "",
    "?show=list",
    "?show=detail",
    "?show=confirm",
    "?show=print",
    "?show=step&as=customer",
    "?show=step&errors=1&as=nobody",
]


class Server(ThreadingMixIn, WSGIServer):
    """One thread a request; ends with the test process."""

    daemon_threads = True


class Quiet(WSGIRequestHandler):
    """Says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def gallery() -> Iterator[str]:
    """Where the gallery is served, with nothing but the content policy before it: it needs no database."""
    with override_settings(
        ROOT_URLCONF="tests.portal.ui_urls",
        SANDBOX_URL="http://sandbox.example",
        MIDDLEWARE=["csp.middleware.CSPMiddleware"],
    ):
        server = make_server("127.0.0.1", 0, StaticFilesHandler(get_wsgi_application()), Server, Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/dev/components/"
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        yield browser
        browser.close()


def opened(browser: Browser, gallery: str, show: str, *, width: int = 1280, scheme: str = "light") -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    said: list[str] = []
    page.on(
        "console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(gallery + show)
    assert answer and answer.status == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page.wait_for_load_state("load")
    assert said == []
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_have_no_barrier_and_do_not_overflow(
    browser: Browser, gallery: str, width: int, scheme: str
) -> None:
    for show in SHOWS:
        page = opened(browser, gallery, show, width=width, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), show
        assert_accessible(page)
        page.close()


def test_the_check_finds_a_barrier_when_there_is_one(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=list")
    page.evaluate("document.querySelectorAll('main label').forEach(label => label.remove())")
    assert any("label" in line for line in violations(page))
    page.close()


def test_the_chosen_theme_stays(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=step&as=customer")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("button", name="Switch between light and dark").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.evaluate("localStorage.clear()")
    page.close()


def test_errors_take_the_focus_and_lead_to_the_field(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=step&errors=1&as=customer")
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
    page.get_by_role("link", name="Enter a ZIP code").click()
    assert page.evaluate("document.activeElement.name") == "postal"
    page.close()


def test_a_conditional_field_follows_the_answer(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=step&as=customer")
    other = page.get_by_label("Mailing address")
    assert not other.is_visible()
    page.get_by_label("To another address").check()
    assert other.is_visible()
    page.get_by_label("To this address").check()
    assert not other.is_visible()
    page.close()


def test_without_scripts_everything_is_there(browser: Browser, gallery: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    page.goto(gallery + "?show=step&as=customer")
    assert page.get_by_label("Mailing address").is_visible()
    page.goto(gallery + "?show=list")
    page.get_by_text("Menu", exact=True).click()
    assert page.get_by_role("link", name="Webhooks").is_visible()
    context.close()


def test_a_form_is_sent_once(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=step&as=customer")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.route(
        "**/*",
        lambda route: route.fulfill(status=204) if route.request.method == "POST" else route.continue_(),
    )
    page.evaluate(
        "() => { const b = document.querySelector('form[data-once] button'); b.click(); b.click(); }"
    )
    page.wait_for_timeout(300)
    assert len(sent) == 1
    assert page.locator("form[data-once] button[aria-busy=true]").count() == 1
    page.close()


def test_a_partial_answer_may_send_a_toast(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=list")
    headers = {"HX-Trigger": '{"toast": {"text": "<b>Assigned</b> to you.", "tone": "success"}}'}
    page.route("**/assign/", lambda route: route.fulfill(status=204, headers=headers))
    page.evaluate("htmx.ajax('GET', '/assign/', {target: '#main', swap: 'none'})")
    toast = page.locator("#toasts .tone-success")
    toast.wait_for()
    assert toast.inner_text() == "<b>Assigned</b> to you."
    assert_accessible(page)
    toast.get_by_role("button", name="Close this message").click()
    assert toast.count() == 0
    page.close()


def test_a_list_that_is_fetched_anew_says_so(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=list")
    page.route("**/*status=review*", lambda route: route.fulfill(status=204))
    page.get_by_label("Status").select_option("review")
    page.get_by_role("button", name="Apply filters").click()
    page.locator(".table-wrap[aria-busy=true]").wait_for()
    page.close()


def test_paper_has_the_record_and_nothing_of_the_shell(browser: Browser, gallery: str) -> None:
    page = opened(browser, gallery, "?show=detail", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".side").is_visible() and not page.get_by_role("link", name="Print").is_visible()
    assert page.get_by_text("118 Greene Street").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
