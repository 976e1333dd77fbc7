"""That the accessibility check judges a page at rest."""

import pytest
from playwright.sync_api import Browser

from tests.axe import violations

pytestmark = pytest.mark.e2e
FADING = """<!doctype html><html lang="en"><title>Fading in</title>
<style>@keyframes in { from { opacity: .3 } } @keyframes on { to { opacity: .9 } }
p { animation: in 60s } i { animation: on 60s infinite }</style>
<main><h1>Title</h1><p>Saved.</p><i></i></main></html>"""


def found(browser: Browser, html: str) -> list[str]:
    page = browser.new_page()
    page.set_content(html)
    return [line.split(" ")[0] for line in violations(page)]


def test_a_text_still_fading_in_is_judged_as_it_will_be(browser: Browser) -> None:
    assert found(browser, FADING) == []


def test_a_text_too_pale_at_rest_is_found(browser: Browser) -> None:
    assert found(browser, FADING.replace("<p>", '<p style="color: #bbb">')) == ["color-contrast"]
