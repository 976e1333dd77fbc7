"""Second factors in a real browser: an authenticator app, and passkeys of a virtual authenticator."""

from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from portal.models import AuditEntry, User
from tests.axe import assert_accessible
from tests.e2e.browser import context_of
from tests.people import PASSWORD, make_customer_user, make_staff
from tests.portal.auth_flows import code_of, link_in, mails_to

REFUSE = """() => {
  navigator.credentials.get = () => Promise.reject(new DOMException("no", "NotAllowedError"));
}"""
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A fresh page on the live server; anything the console calls an error fails the test."""
    context = context_of(browser, live_server)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield page
    context.close()
    # A form answered with its errors is status 422 or 409 on purpose.
    assert [problem for problem in problems if "status of 4" not in problem] == []


@pytest.fixture
def authenticator(page: Page) -> str:
    """A virtual authenticator with resident keys and user verification, like a laptop's own."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return str(made["authenticatorId"])


def log_in(page: Page, user: User) -> None:
    page.goto("/account/login/")
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.goto("/account/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()


def test_signing_up_in_the_browser(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Open an account").click()
    assert_accessible(page)
    page.get_by_role("button", name="Continue").click()
    assert_accessible(page)
    page.get_by_label("Your name").fill("Ana Ortiz")
    page.get_by_label("E-mail address").fill("ana@example.test")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Check your e-mail")).to_be_visible()
    page.goto(link_in(mails_to("ana@example.test")[0]["text"]))
    assert_accessible(page)
    page.get_by_role("button", name="Yes, confirm").click()
    page.wait_for_url("**/applications/**")
    assert AuditEntry.objects.filter(action="auth.login").exists()


def test_staff_set_up_an_authenticator_app_and_sign_in_with_it(page: Page) -> None:
    user = make_staff("administrator")
    Authenticator.objects.filter(user=user).delete()
    log_in(page, user)
    expect(page.get_by_role("heading", name="Two-factor sign-in")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="Set up authenticator app").click()
    assert_accessible(page)
    secret = page.locator("#authenticator_secret .copy__text").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator("#recovery_codes li")).to_have_count(10)
    assert_accessible(page)
    page.get_by_role("link", name="continue").click()
    page.wait_for_url("**/staff/**")

    sign_out(page)
    log_in(page, user)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("textbox", name="Code").fill(code_of(secret))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/staff/**")
    page.goto("/staff/users/")
    expect(page.get_by_role("link", name="Invite a colleague")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name=user.name).first.click()
    assert_accessible(page)


def test_a_passkey_signs_in_without_a_password(page: Page, authenticator: str) -> None:
    user = make_staff("auditor")
    Authenticator.objects.filter(user=user).delete()
    log_in(page, user)
    page.get_by_role("link", name="Add passkeys and security keys").click()
    assert_accessible(page)
    page.get_by_label("Name").fill("Work laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#recovery_codes li")).to_have_count(10)
    page.goto("/account/2fa/webauthn/")
    expect(page.get_by_role("cell", name="Work laptop", exact=True)).to_be_visible()
    assert_accessible(page)

    sign_out(page)
    page.goto("/account/login/")
    assert_accessible(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/staff/**")
    assert AuditEntry.objects.filter(action="auth.login", actor=user, after__methods="webauthn").count() == 1


def test_a_passkey_as_second_factor_after_the_password(page: Page, authenticator: str) -> None:
    user = make_customer_user()
    log_in(page, user)
    page.goto("/account/2fa/webauthn/add/")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#recovery_codes li")).to_have_count(10)
    sign_out(page)
    log_in(page, user)
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url("**/applications/**")


def test_a_refused_passkey_says_what_to_do(page: Page, authenticator: str) -> None:
    page.goto("/account/login/")
    page.evaluate(REFUSE)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").filter(has_text="was not confirmed")).to_be_visible()
