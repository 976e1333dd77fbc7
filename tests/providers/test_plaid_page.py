"""What the linking page's answer allows, and what every other answer does not."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from providers.plaid.page import SCRIPT, allow_bank_link, bank_link


def linking(request: HttpRequest) -> HttpResponse:
    page = bank_link("link-1")
    # As the template does where Plaid's own script is used.
    nonce = "" if page.stand_in else str(request.csp_nonce)  # type: ignore[attr-defined]
    return allow_bank_link(HttpResponse(f"{page.stand_in} {nonce}"))


urlpatterns = [path("linking/", linking), path("other/", lambda _: HttpResponse("other"))]


def policy(at: str) -> tuple[dict[str, str], Any]:
    answer = Client().get(at)
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return {part.partition(" ")[0]: part.partition(" ")[2] for part in parts}, answer


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__


def test_plaid_s_own_script_is_let_in_on_the_linking_page_alone(settings: Any) -> None:
    settings.PLAID_URL = settings.PLAID_HOST
    allowed, answer = policy("/linking/")
    nonce = answer.content.decode().strip()
    assert allowed["script-src"] == f"'self' {SCRIPT} 'nonce-{nonce}'" and nonce
    assert (allowed["frame-src"], allowed["connect-src"]) == (
        "https://cdn.plaid.com/",
        "'self' https://sandbox.plaid.com/",
    )
    assert "'unsafe-inline'" not in allowed["script-src"] + allowed["style-src"]
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert policy("/linking/")[1].content != answer.content
    other, answer = policy("/other/")
    assert "plaid" not in str(other) and answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_stand_in_is_a_frame_and_no_foreign_script(settings: Any) -> None:
    settings.PLAID_URL = "http://127.0.0.1:8009/plaid"
    allowed, answer = policy("/linking/")
    assert answer.content.decode().strip() == settings.PLAID_URL
    assert (allowed["script-src"], allowed["frame-src"]) == ("'self'", "http://127.0.0.1:8009")
