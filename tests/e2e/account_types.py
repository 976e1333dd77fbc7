"""Every type of account opened in a real browser, and an open account's details changed, wide and phone-narrow.

Usage: python tests/e2e/account_types.py http://localhost:8000 [--screenshots DIR] [--only NAME]
Needs what main_job.py needs: Debian's chromium (or CHROMIUM) and a portal started by `make run`.
"""

import argparse
import re
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.axe import assert_accessible
from tests.e2e.account_answers import Answers, account, born, company, fill, lives_at, pdf, person
from tests.e2e.main_job import ARGS, CHROMIUM, DEMO_PASSWORD, NARROW, WIDE, Journey

#: What makes two pages the same to look at: a title, the questions and the headings.
SHARED = """() => [document.title, ...Array.from(
  document.querySelectorAll("main :is(h1, h2, h3, legend, label, .badge)"), (it) => it.textContent.trim())].join("|")"""
WAIT = 60_000
#: Seconds. The stand-in reviews a change for half a minute, and the portal asks a minute or two later.
REVIEWED_WITHIN = 300.0
STEP = re.compile(r"/steps/(\w+)/$")


class AccountTypes(Journey):
    """One run; every page is looked at on a desk's screen and on a phone, once where journeys share it."""

    def __init__(self, browser: Browser, url: str, shots: Path | None) -> None:
        super().__init__(browser, url, shots)
        self.looked_at: set[str] = set()

    def seen(self, page: Page, name: str) -> None:
        """Check the page with axe at both widths, that it scrolls down only, and keep pictures when asked to."""
        page.wait_for_load_state("load")
        page.wait_for_selector("main h1")
        shared = page.evaluate(SHARED)
        if shared in self.looked_at:
            return
        self.looked_at.add(shared)
        for size, suffix in ((NARROW, "-phone"), (WIDE, "")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            assert_accessible(page)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{page.url} is {wide} pixels wider than a screen of {size['width']}"
            if self.shots is not None:
                self.shots.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=str(self.shots / f"{name}{suffix}.png"), full_page=True)

    def begin(self, page: Page, name: str, **choices: Any) -> None:
        """Choose the account on the start page and arrive at its first step."""
        page.goto("/applications/start/")
        fill(page, choices)
        self.seen(page, f"{name}-start")
        self.follow(page, "text=Continue")

    def steps(self, page: Page, name: str, given: dict[str, Answers], until: str = "owners") -> None:
        """Answer step after step, wherever the portal leads, until that step or the review."""
        while (step := STEP.search(page.url)) and step[1] != until:
            if step[1] == "agreements":
                for box in page.locator("main input[type=checkbox]").all():
                    box.check()
            else:
                fill(page, given[step[1]])
            self.seen(page, f"{name}-{step[1].replace('_', '-')}")
            self.follow(page, "text=Save and continue")
            problems = page.locator("[data-error-summary]")
            assert not problems.count(), problems.inner_text()

    def add(self, page: Page, name: str, given: dict[str, Answers], **choices: Any) -> None:
        """Add somebody to the account and answer their steps; ends at the list of people."""
        self.follow(page, "text=Add a person")
        names = {key: given["identity"][key] for key in ("given_name", "family_name")}
        fill(page, names | choices)
        self.seen(page, f"{name}-add")
        self.follow(page, "text=Save and continue")
        self.steps(page, name, given)

    def hand_in_seen(self, page: Page, name: str) -> str:
        """Review, hand in, look at the status page; returns the reference."""
        assert page.url.endswith("/review/"), page.url
        self.seen(page, f"{name}-review")
        page.click("text=Hand in the application")
        page.wait_for_selector("#status")
        found = re.search(r"PA-\w{4}-\w{4}", page.inner_text("#status"))
        assert found, "the status page shows no reference"
        self.seen(page, f"{name}-status")
        return found[0]

    def customer(self, name: str) -> Page:
        """A new customer who has signed in, on a new device."""
        page = self.device()
        email = f"{uuid.uuid4().hex[:12]}@example.test"
        page.goto("/account/signup/")
        for field, value in (("name", name), ("email", email), ("password1", DEMO_PASSWORD)):
            page.fill(f"[name={field}]", value)
        page.click("main button[type=submit]")
        page.wait_for_url("**/confirm-email/")
        page.goto(f"/dev/mail/?to={email}")
        page.click("td a")
        page.click("a[href*='confirm-email']")
        page.click("text=Yes, confirm")
        page.wait_for_url("**/applications/")
        return page

    # --- The types of account ---------------------------------------------------------------------------------

    def child(self) -> None:
        """A child's account: the custodian applies, the minor is added."""
        page = self.customer("Carla Reyes")
        self.begin(page, "child", account_type="CUSTODIAL")
        self.steps(page, "child", person("Carla", "Reyes") | account())
        expect(page.locator("main")).to_contain_text("Still missing")
        self.seen(page, "child-people-missing")
        minor = person(
            "Leo", "Reyes", birth=born(datetime.now(tz=UTC).date() - timedelta(days=15 * 365), 3_000)
        )
        self.add(page, "child-minor", minor, role="MINOR_OWNER")
        expect(page.locator("main")).to_contain_text("Leo Reyes")
        self.follow(page, "text=Save and continue")
        self.steps(page, "child", account())
        self.hand_in_seen(page, "child")

    def trust(self) -> None:
        """A personal trust with its trustee and one beneficiary, who is a child."""
        page = self.customer("Tara Stone")
        self.begin(page, "trust", account_type="ENTITY_PERSONAL_TRUST")
        given = company("The Stone Family Trust") | person("Tara", "Stone") | account()
        self.steps(page, "trust", given, until="address")
        self.mailing_address_unfolds(page)
        self.steps(page, "trust", given)
        young = person("Nia", "Stone", birth=born(date(2010, 1, 1), 3_000))
        self.add(page, "trust-beneficiary", young, role="BENEFICIARY")
        self.follow(page, "text=Save and continue")
        self.steps(page, "trust", account())
        self.passes_papers_on(page, "trust", self.hand_in_seen(page, "trust"))

    def llc(self) -> None:
        """A company whose applicant controls it and holds 60 %; who holds the other 40 % lives in Germany."""
        page = self.customer("Lena Moss")
        self.begin(page, "llc", account_type="ENTITY", entity_type="LLC")
        self.steps(page, "llc", company("Moss Software LLC") | person("Lena", "Moss") | account())
        self.follow(page, "text=Country, control and share")
        fill(page, {"is_control_person": True, "ownership_percent": 60})
        self.seen(page, "llc-control")
        self.follow(page, "text=Save and continue")
        holder = person("Jonas", "Weber", "DE")
        choices = {"role": "BENEFICIAL_OWNER", "country": "DE", "ownership_percent": 40}
        self.add(page, "llc-owner", holder, **choices)
        for text in ("Jonas Weber", "Holds 40 %", "Controls the company"):
            expect(page.locator("main")).to_contain_text(text)
        self.seen(page, "llc-people")
        self.follow(page, "text=Save and continue")
        self.steps(page, "llc", account())
        reference = self.hand_in_seen(page, "llc")
        self.find(self.staff, reference)
        expect(self.staff.locator("main")).to_contain_text("Jonas Weber, Germany, 40 %")
        self.seen(self.staff, "llc-staff-application")
        self.passes_papers_on(page, "llc", reference)

    # --- The papers of companies and trusts -------------------------------------------------------------------

    def passes_papers_on(self, page: Page, name: str, reference: str) -> None:
        """Upload what the status page asks for; the checks begin once, and the page says by itself that it is open."""
        asks = page.locator("#status").get_by_role("link", name="Upload the papers")
        # Until the provider has taken the application, nothing is asked for.
        expect(asks).to_be_visible(timeout=WAIT)
        self.seen(page, f"{name}-status-papers")
        status = page.url
        asks.click()
        page.wait_for_load_state("load")
        self.upload(page, name)
        page.goto(status)
        self.becomes_active(page)
        self.seen(page, f"{name}-active")
        self.find(self.staff, reference)
        main = self.staff.locator("main")
        begun = main.locator(".timeline__title", has_text="written down: bakkt.account.kyb_trigger")
        expect(begun).to_have_count(1)
        expect(main.locator(".badge", has_text="Active").first).to_be_visible()
        self.seen(self.staff, f"{name}-staff-active")

    def upload(self, page: Page, name: str) -> None:
        """Choose a file for every paper on the page, with what is printed on those of people."""
        self.seen(page, f"{name}-papers")
        for card in page.locator("main .card").filter(has=page.locator("input[type=file]")).all():
            if card.get_by_label("Which paper").count():
                card.get_by_label("Which paper").select_option("PASSPORT")
                for part, value in (("Month", "5"), ("Day", "1"), ("Year", "2035")):
                    card.get_by_label(part).fill(value)
            card.locator("input[type=file]").first.set_input_files(
                {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": pdf()}
            )
        page.get_by_role("button", name="Upload", exact=True).click()
        missing = page.locator("main .card").filter(has=page.locator("input[type=file]:visible"))
        expect(missing).to_have_count(0, timeout=WAIT)
        problems = page.locator("[data-error-summary]")
        assert not problems.count(), problems.inner_text()
        self.seen(page, f"{name}-papers-here")

    def germany(self) -> None:
        """Somebody who lives in Germany, with a national number and a trusted contact with an address."""
        page = self.customer("Greta Lang")
        self.begin(page, "germany", country="DE")
        expect(page.locator("main")).to_contain_text("Country: Germany")
        trusted: Answers = {"has_contact": True, "contact_given_name": "Uwe", "contact_family_name": "Lang"}
        trusted |= {"contact_phone": "030 901821", "contact_has_address": True} | lives_at("contact", "DE")
        given = person("Greta", "Lang", "DE") | account(trusted)
        self.steps(page, "germany", given, until="trusted_contact")
        self.trusted_contact_unfolds(page)
        self.steps(page, "germany", given)
        self.hand_in_seen(page, "germany")
        self.becomes_active(page)

    def no_number(self) -> None:
        """Somebody whose country issues no tax number."""
        page = self.customer("Amal Haddad")
        self.begin(page, "no-number", country="DE")
        given = person("Amal", "Haddad", "DE") | account()
        for name in ("tax_id", "tax_id_country"):
            del given["identity"][name]
        page.check("[name=tax_id_type][value=NONE]")
        expect(page.locator("[name=tax_id]")).to_be_hidden()
        given["identity"] |= {"tax_id_type": "NONE", "no_tax_id_reason": "NONE_ISSUED"}
        self.steps(page, "no-number", given)
        expect(page.locator("main")).to_contain_text("My country issues no such number")
        self.hand_in_seen(page, "no-number")
        self.becomes_active(page)

    def mailing_address_unfolds(self, page: Page) -> None:
        """Another address for letters is asked for only where letters do not go home."""
        street = page.locator("[name=mailing_line1]")
        expect(street).to_be_hidden()
        page.uncheck("[name=mailing_same]")
        expect(street).to_be_visible()
        page.check("[name=mailing_same]")
        expect(street).to_be_hidden()

    def trusted_contact_unfolds(self, page: Page) -> None:
        """The questions about a trusted contact show when asked for, those about the address only with them."""
        named, placed = page.locator("[name=contact_given_name]"), page.locator("[name=contact_line1]")
        expect(named).to_be_hidden()
        page.check("[name=has_contact]")
        expect(named).to_be_visible()
        expect(placed).to_be_hidden()
        page.check("[name=contact_has_address]")
        expect(placed).to_be_visible()
        page.uncheck("[name=has_contact]")
        expect(named).to_be_hidden()
        expect(placed).to_be_hidden()

    def becomes_active(self, page: Page) -> None:
        """Wait until the status page says so by itself."""
        expect(page.locator("#status h1")).to_contain_text("Your account is active", timeout=WAIT)

    # --- Afterwards -------------------------------------------------------------------------------------------

    def change(self) -> None:
        """The customer of an open account changes the phone number."""
        page = self.changed_on = self.customer("Paula Berg")
        self.begin(page, "change", account_type="INDIVIDUAL")
        self.steps(page, "change", person("Paula", "Berg") | account())
        self.changed_at = self.hand_in_seen(page, "change")
        self.becomes_active(page)
        self.follow(page, "text=See and change them")
        self.seen(page, "details")
        self.follow(page, "a[href$='/details/contact/']")
        page.fill("[name=phone]", "512 555 0177")
        self.seen(page, "details-contact")
        self.follow(page, "text=See what changes")
        expect(page.locator("main table")).to_contain_text("+15125550177")
        self.seen(page, "details-confirm")
        self.follow(page, "text=Send the change")
        state = page.locator(".card", has=page.get_by_role("heading", name="Changes")).locator(".badge")
        expect(state).to_have_text(re.compile("Being compared|On its way|Being checked by the provider|Done"))
        self.seen(page, "details-under-way")

    def changed(self) -> None:
        """When the provider has checked the change it is done, and its copy is the same as ours."""
        page = self.changed_on
        page.reload()
        state = page.locator(".card", has=page.get_by_role("heading", name="Changes")).locator(".badge")
        self.look_again_until(page, state, "Done")
        expect(page.locator("main")).to_contain_text("+15125550177")
        self.seen(page, "details-done")
        self.find(self.staff, self.changed_at)
        self.seen(self.staff, "staff-application-changed")
        self.follow(self.staff, "text=Compare with the provider's copy")
        self.seen(self.staff, "compare-before")
        self.follow(self.staff, "text=Read the provider's copy")
        expect(self.staff.locator("main")).to_contain_text("The copies agree")
        self.seen(self.staff, "compare")

    def look_again_until(self, page: Page, place: Locator, text: str) -> None:
        """Load the page anew until it says so; it does not by itself."""
        deadline = time.monotonic() + REVIEWED_WITHIN
        while place.inner_text().strip() != text:
            assert time.monotonic() < deadline, f"{page.url} still says {place.inner_text()}"
            page.wait_for_timeout(1_000)
            page.reload()

    @cached_property
    def staff(self) -> Page:
        """A compliance analyst, signed in with the second factor; once, for a code is taken once."""
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
        return page

    def find(self, page: Page, reference: str) -> None:
        """Open an application from the staff's list."""
        page.goto(f"/staff/applications/?q={reference}")
        self.follow(page, "td a")


def run(url: str, shots: Path | None = None, only: str = "") -> int:
    """Open every type of account; raises when something is not as promised. Returns how many journeys were made."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=ARGS, chromium_sandbox=False
        )
        journey = AccountTypes(browser, url.rstrip("/"), shots)
        journeys: dict[str, Callable[[], None]] = {
            # The change is in review while the others are done.
            "change": journey.change,
            "child": journey.child,
            "trust": journey.trust,
            "llc": journey.llc,
            "germany": journey.germany,
            "no-number": journey.no_number,
            "changed": journey.changed,
        }
        chosen = [name for name in journeys if name.startswith(only)]
        for name in chosen:
            began = time.monotonic()
            journeys[name]()
            print(f"    {name}: done in {time.monotonic() - began:.0f} s", flush=True)
        browser.close()
        assert not journey.problems, journey.problems
    return len(chosen)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--only", default="", help="the journeys whose names begin so")
    given = parser.parse_args()
    made = run(given.url, given.screenshots, given.only)
    print(f"The account types are done: {made} passed, 0 failed")
