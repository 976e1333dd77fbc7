"""The main job, done in a real browser against a running portal: the customer's way, the staff's way, the app's way.

Usage: python tests/e2e/main_job.py http://localhost:8000 [--screenshots DIR]
Needs Debian's chromium (or CHROMIUM) and a portal started by `make run`, whose demo logins and sandbox it uses.
"""

import argparse
import os
import re
import sys
import time
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.axe import assert_accessible

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long and quiet password 26"
DEMO_PASSWORD = "demo-portal-2026"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
ADDRESS = {"line1": "100 Sample Street", "city": "Austin", "postal_code": "78701"}


class Journey:
    """One run against one portal. Every page it sees is checked by axe, and browser errors fail the run."""

    def __init__(self, browser: Browser, url: str, shots: Path | None) -> None:
        self.browser, self.url, self.shots = browser, url, shots
        self.problems: list[str] = []

    def device(self, size: dict[str, int] = WIDE) -> Page:
        """A new browser profile: another device as far as the portal can tell."""
        context: BrowserContext = self.browser.new_context(viewport=size, base_url=self.url)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._console)
        return page

    def _console(self, message: Any) -> None:
        # The browser reports every 4xx; those here are answers to wrong input made on purpose.
        if message.type == "error" and "status of 4" not in message.text:
            self.problems.append(message.text)

    def follow(self, page: Page, selector: str) -> None:
        """Click what leads to another page and wait until that page is there."""
        with page.expect_navigation(wait_until="load"):
            page.click(selector)

    def seen(self, page: Page, name: str) -> None:
        """Check the page with axe; keep pictures of it, wide and phone-narrow, when asked to."""
        page.wait_for_load_state("load")
        page.wait_for_selector("main h1")
        assert_accessible(page)
        if self.shots is None:
            return
        self.shots.mkdir(parents=True, exist_ok=True)
        for size, suffix in ((WIDE, ""), (NARROW, "-phone")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.screenshot(path=str(self.shots / f"{name}{suffix}.png"), full_page=True)
        page.set_viewport_size(WIDE)  # type: ignore[arg-type]

    # --- The customer -------------------------------------------------------------------------------------

    def sign_up(self, page: Page, name: str) -> str:
        """Sign up, follow the letter's link on the mail page, arrive signed in. Returns the e-mail address."""
        email = f"{uuid.uuid4().hex[:12]}@example.test"
        page.goto("/account/signup/")
        page.fill("[name=name]", name)
        page.fill("[name=email]", email)
        page.fill("[name=password1]", PASSWORD)
        self.seen(page, "sign-up")
        page.click("main button[type=submit]")
        page.goto(f"/dev/mail/?to={email}")
        page.click("td a")
        page.click("a[href*='confirm-email']")
        page.click("text=Yes, confirm")
        page.wait_for_url("**/applications/")
        return email

    def sign_in(self, page: Page, email: str, password: str = PASSWORD) -> None:
        """Sign in with a password; staff are then asked for their second factor."""
        page.goto("/account/login/")
        page.fill("[name=login]", email)
        page.fill("[name=password]", password)
        page.click("main button[type=submit]")

    def start(self, page: Page) -> None:
        """Open an application from the customer's front page."""
        self.seen(page, "customer-home")
        page.click("text=Open an account")
        page.wait_for_url("**/applications/start/")
        self.seen(page, "customer-start")
        page.click("text=Continue")
        page.wait_for_url("**/steps/identity/")

    def identity(self, page: Page, given: str, family: str) -> None:
        """The first step: once wrong on purpose, then right."""
        page.fill("[name=given_name]", given)
        page.fill("[name=tax_id]", "000-12-3456")
        self.follow(page, "text=Save and continue")
        expect(page.locator("[data-error-summary]")).to_contain_text("Enter your last name")
        self.seen(page, "step-identity-errors")
        page.fill("[name=family_name]", family)
        # Nobody's namesake of the same birthday: that would be looked at by a person first.
        born = date(1950, 1, 1) + timedelta(days=uuid.uuid4().int % 18_000)
        for part, value in (("month", born.month), ("day", born.day), ("year", born.year)):
            page.fill(f"[name=date_of_birth_{part}]", str(value))
        page.check("[name=tax_id_type][value=SSN]")
        page.fill("[name=tax_id]", f"536-22-{1000 + uuid.uuid4().int % 9000}")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/contact/")

    def rest_of_steps(self, page: Page) -> None:
        """Contact to agreements."""
        page.fill("[name=phone]", "512 555 0142")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/address/")
        self._address(page, "home")
        self.seen(page, "step-address")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/employment/")
        page.check("[name=situation][value=EMPLOYED]")
        page.fill("[name=employer_name]", "Sample Works LLC")
        page.fill("[name=position]", "Analyst")
        self._address(page, "employer")
        self.seen(page, "step-employment")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/investment/")
        page.check("[name=investment_objective][value=GROWTH]")
        page.select_option("[name=annual_income_range]", "FROM_50K_TO_100K")
        self.seen(page, "step-investment")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/trusted_contact/")
        page.click("text=Save and continue")
        page.wait_for_url("**/steps/agreements/")
        for box in page.locator("input[type=checkbox]").all():
            box.check()
        self.seen(page, "step-agreements")
        page.click("text=Save and continue")
        page.wait_for_url("**/review/")

    def _address(self, page: Page, prefix: str) -> None:
        for part, value in ADDRESS.items():
            page.fill(f"[name={prefix}_{part}]", value)
        if prefix == "home":
            page.select_option(f"[name={prefix}_state]", "TX")
        else:
            page.fill(f"[name={prefix}_state]", "Texas")

    def hand_in(self, page: Page) -> str:
        """Review and hand in; returns the reference shown."""
        self.seen(page, "review")
        page.click("text=Hand in the application")
        page.wait_for_selector("#status")
        found = re.search(r"PA-\w{4}-\w{4}", page.inner_text("#status"))
        assert found, "the status page shows no reference"
        return found[0]

    def apply(self, given: str, family: str) -> tuple[Page, str]:
        """A new customer applies in one go; returns the page and the reference."""
        page = self.device()
        self.sign_up(page, f"{given} {family}")
        self.start(page)
        self.identity(page, given, family)
        self.rest_of_steps(page)
        return page, self.hand_in(page)

    def customers_way(self) -> str:
        """Start on one device, leave in the middle, go on at the same step on another, hand in, watch it open."""
        first = self.device()
        email = self.sign_up(first, "Ana Ortiz")
        self.start(first)
        self.identity(first, "Ana", "Ortiz")
        first.context.close()
        phone = self.device(NARROW)
        self.sign_in(phone, email)
        phone.click("text=Continue the application")
        phone.wait_for_url("**/steps/contact/")
        phone.set_viewport_size(WIDE)  # type: ignore[arg-type]
        self.rest_of_steps(phone)
        reference = self.hand_in(phone)
        began = time.monotonic()
        expect(phone.locator("#status h1")).to_contain_text("We have your application")
        expect(phone.locator("#status h1")).to_contain_text("Your account is active", timeout=60_000)
        print(f"    the page turned to active by itself after {time.monotonic() - began:.0f} s")
        self.seen(phone, "status-active")
        return reference

    def other_outcomes(self) -> None:
        """A rejection and an action-required outcome, in plain words."""
        page, _ = self.apply("Maggic", "Dawn")
        expect(page.locator("#status h1")).to_contain_text("We could not open your account", timeout=60_000)
        expect(page.locator("#status")).to_contain_text("could not be matched to official records")
        self.seen(page, "status-rejected")
        page, _ = self.apply("Verify", "Document")
        expect(page.locator("#status h1")).to_contain_text("Please prove your identity", timeout=60_000)
        self.seen(page, "status-action-required")

    # --- The staff ----------------------------------------------------------------------------------------

    def staffs_way(self, reference: str) -> None:
        """Sign in with the second factor, find the application, read its timeline; data is masked."""
        page = self.device()
        self.sign_in(page, "compliance.analyst@demo.example", DEMO_PASSWORD)
        codes = self.device()
        if time.time() % 30 > 24:
            # A code of the last seconds may have ended by the time it is sent.
            page.wait_for_timeout(7_000)
        codes.goto("/dev/totp/compliance_analyst/")
        code = re.search(r"\b\d{6}\b", codes.inner_text("main"))
        assert code
        page.fill("[name=code]", code[0])
        page.click("main button[type=submit]")
        page.wait_for_url("**/staff/applications/")
        self.seen(page, "staff-applications")
        page.fill("[name=q]", reference)
        self.follow(page, "text=Apply filters")
        self.follow(page, "td a")
        main = page.locator("main")
        for text in (
            "Ana Ortiz",
            reference,
            "•••-••-",
            "Webhook: PARTY_EVENT",
            "POST /apex-crypto/api/v2/accounts",
            "Step saved: Who they are",
            "The account is open and active",
        ):
            expect(main).to_contain_text(text)
        assert not re.search(r"\d{3}-?22-?\d{4}", main.inner_text()), "a tax number is shown in clear"
        self.seen(page, "staff-application")
        page.goto("/staff/webhooks/")
        self.seen(page, "staff-webhooks")
        self.follow(page, "td a")
        self.seen(page, "staff-webhook")
        page.goto("/staff/operations/")
        self.seen(page, "staff-operations")

    # --- The app ------------------------------------------------------------------------------------------

    def apps_way(self) -> None:
        """The same application over REST: sign in for a token, create, fill, submit, follow."""
        page = self.device()
        email = self.sign_up(page, "Mobile Person")
        api = self.browser.new_context(base_url=self.url).request

        def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
            answer = api.fetch(path, method=method, data=body, headers=headers)
            assert answer.ok, f"{method} {path}: {answer.status} {answer.text()[:500]}"
            return answer.json()

        token = call("POST", "/api/auth/app/v1/auth/login", {"email": email, "password": PASSWORD})["meta"][
            "access_token"
        ]
        auth = {"Authorization": f"Bearer {token}"}
        draft = call(
            "POST",
            "/api/v1/applications",
            {"account_type": "INDIVIDUAL"},
            **auth,
            **{"Idempotency-Key": "one"},
        )
        path = f"/api/v1/applications/{draft['id']}"
        for step, answers in _answers().items():
            draft = call(
                "PUT", f"{path}/steps/{step}", answers, **auth, **{"If-Match": f'"{draft["version"]}"'}
            )
        accepted = [
            {"agreement": row["id"], "text_sha256": row["text_sha256"]}
            for row in call("GET", "/api/v1/agreements", **auth)
        ]
        draft = call(
            "POST",
            f"{path}/agreements",
            {"accepted": accepted},
            **auth,
            **{"If-Match": f'"{draft["version"]}"'},
        )
        sent = call("POST", f"{path}/submit", **auth)
        assert sent["status"] in {"submitted", "received", "approved"}, sent["status"]
        deadline = time.monotonic() + 60
        while sent["status"] != "approved" and time.monotonic() < deadline:
            time.sleep(sent["next_action"]["poll_after"] or 1)
            sent = call("GET", path, **auth)
        assert sent["account"]["status"] == "active", sent
        assert call("GET", "/api/schema?format=json")["openapi"].startswith("3.1")
        page.goto("/api/docs")
        expect(page.locator("#swagger-ui")).to_contain_text("applications/{application_id}/submit")


def _answers() -> dict[str, dict[str, Any]]:
    from tests.onboarding import answers

    number = uuid.uuid4().int
    born = date(1950, 1, 1) + timedelta(days=number % 18_000)
    identity = answers.IDENTITY | {
        "date_of_birth": born.isoformat(),
        "tax_id": f"536-23-{1000 + number % 9000}",
    }
    return answers.STEPS | {"identity": identity}


def run(url: str, shots: Path | None = None) -> None:
    """Do the whole job; raises AssertionError or Playwright's errors when something is not as promised."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGS, chromium_sandbox=False
        )
        journey = Journey(browser, url.rstrip("/"), shots)
        for name, part in (
            ("customer", lambda: journey.staffs_way(journey.customers_way())),
            ("other outcomes", journey.other_outcomes),
            ("REST", journey.apps_way),
        ):
            began = time.monotonic()
            part()
            print(f"    {name}: done in {time.monotonic() - began:.0f} s", flush=True)
        browser.close()
        assert not journey.problems, journey.problems


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--screenshots", type=Path)
    given = parser.parse_args()
    run(given.url, given.screenshots)
    print("The main job is done: 3 passed, 0 failed")
