"""Papers in the real browser: several at once with their progress, a cut connection, a page left and come back to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from onboarding.models import Application, Document, Owner, Upload
from portal.models import User
from tests.e2e.browser import PATIENCE, context_of, enter, looked_at, page_of
from tests.e2e.cutting import wire_to
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import jpeg, pdf, png

pytestmark = pytest.mark.e2e
BIG = 5 * 1024 * 1024
UPLOADS = "**/api/v1/applications/*/uploads/*"


@pytest.fixture(autouse=True)
def folder(transactional_db: None, settings: Any, tmp_path: Path) -> Path:
    """Where papers lie, and the files people choose."""
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path / "kept")}}
    }
    return tmp_path


@pytest.fixture
def trust(customer_user: User) -> Application:
    return journeys.trust(customer_user)


def papers_page(page: Page, application: Application) -> Page:
    page.goto(f"/applications/{application.pk}/papers/")
    return page


def made(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def person(page: Page, application: Application) -> Any:
    """The card's fields of the applicant's own paper."""
    owner = Owner.objects.get(application=application, is_applicant=True)
    return page.locator(f"[data-paper][data-owner='{owner.pk}']")


def say_licence(paper: Any) -> None:
    paper.get_by_label("Which paper").select_option("DRIVERS_LICENSE")
    for part, value in (("Month", "5"), ("Day", "1"), ("Year", "2031")):
        paper.get_by_label(part).fill(value)


class Held:
    """Holds back the requests that carry bytes once so many went through."""

    def __init__(self, page: Page, after: int) -> None:
        self.through, self.after, self.held = 0, after, list[Route]()
        page.route(UPLOADS, self._meet)

    def _meet(self, route: Route) -> None:
        if route.request.method == "PATCH" and self.through >= self.after:
            self.held.append(route)
            return
        self.through += route.request.method == "PATCH"
        route.continue_()

    def let_go(self) -> None:
        self.after = 10**6
        for route in self.held:
            route.continue_()


@pytest.mark.parametrize("width", [1280, 390])
def test_several_at_once_with_their_progress(
    browser: Browser,
    live_server: LiveServer,
    customer_user: User,
    trust: Application,
    folder: Path,
    width: int,
) -> None:
    page = papers_page(page_of(browser, live_server, customer_user, width), trust)
    expect(page.get_by_text("HEIC, 10 MB at most", exact=False).first).to_be_visible()
    looked_at(page, f"uploads-empty-{width}")
    paper = person(page, trust)
    say_licence(paper)
    content = pdf(BIG)
    page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(
        made(folder, "trust.pdf", content)
    )
    paper.get_by_label("Front").set_input_files(made(folder, "front.jpg", jpeg()))
    paper.get_by_label("Back").set_input_files(made(folder, "back.png", png()))
    held = Held(page, after=5)
    page.get_by_role("button", name="Upload", exact=True).click()
    bar = page.get_by_role("progressbar", name="trust.pdf")
    expect(bar).to_be_visible()
    said = page.locator("[data-type=TRUST_CERTIFICATION] [data-said]")
    expect(said).to_have_text(re.compile(r"^[1-4]\.\d MB of 5\.0 MB$"))
    row = page.locator("[data-type=TRUST_CERTIFICATION] .upload")
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_text("Paused")).to_be_visible()
    looked_at(page, f"uploads-paused-{width}")
    held.let_go()
    row.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("3 files are here.")).to_be_visible(timeout=PATIENCE)
    looked_at(page, f"uploads-done-{width}")
    kept = {(row.type, row.side): row for row in Document.objects.all()}
    assert set(kept) == {
        ("TRUST_CERTIFICATION", "FRONT"),
        ("DRIVERS_LICENSE", "FRONT"),
        ("DRIVERS_LICENSE", "BACK"),
    }
    assert kept["TRUST_CERTIFICATION", "FRONT"].open().read() == content


def test_a_cut_connection_goes_on_by_itself(
    browser: Browser, live_server: LiveServer, customer_user: User, trust: Application, folder: Path
) -> None:
    port = int(live_server.url.rpartition(":")[2])
    content = pdf(BIG)
    with wire_to(port) as wire:
        context = context_of(browser, live_server)
        enter(context, customer_user)
        page = context.new_page()
        page.goto(f"http://localhost:{wire.port}/applications/{trust.pk}/papers/")
        page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(
            made(folder, "trust.pdf", content)
        )
        # In the middle of the fourth piece.
        wire.sent, wire.cut_at = 0, 3 * 512 * 1024 + 250_000
        page.get_by_role("button", name="Upload", exact=True).click()
        assert wire.is_cut.wait(PATIENCE / 1000)
        broken = page.wait_for_event("requestfailed", timeout=PATIENCE)
        assert broken.method in {"PATCH", "HEAD"}
        wire.mend()
        expect(page.get_by_text("1 file is here.")).to_be_visible(timeout=PATIENCE)
        # Little went over the wire twice: what was in it when it broke, tries while it was broken, and headers.
        assert wire.sent < len(content) + 2 * 512 * 1024
        context.close()
    assert Document.objects.get().open().read() == content
    assert Upload.objects.count() == 1


def test_a_page_left_and_come_back_to_goes_on_where_it_stopped(
    browser: Browser, live_server: LiveServer, customer_user: User, trust: Application, folder: Path
) -> None:
    page = papers_page(page_of(browser, live_server, customer_user, 390), trust)
    content = pdf(BIG)
    chosen = made(folder, "trust.pdf", content)
    page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(chosen)
    held = Held(page, after=4)
    page.get_by_role("button", name="Upload", exact=True).click()
    said = page.locator("[data-type=TRUST_CERTIFICATION] [data-said]")
    expect(said).to_have_text(re.compile(r"^2\.\d MB of 5\.0 MB$"))
    for route in held.held:
        route.abort()
    page.on("dialog", lambda dialog: dialog.accept())
    page.unroute(UPLOADS)
    papers_page(page, trust)
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if "/uploads" in request.url else None)
    page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(chosen)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("1 file is here.")).to_be_visible(timeout=PATIENCE)
    assert [row.method for row in seen][:2] == ["HEAD", "PATCH"]
    assert int(seen[1].headers["upload-offset"]) >= 4 * 512 * 1024
    assert Upload.objects.count() == 1
    assert Document.objects.get().open().read() == content


def test_what_is_wrong_stands_at_its_field(
    browser: Browser, live_server: LiveServer, customer_user: User, trust: Application, folder: Path
) -> None:
    page = papers_page(page_of(browser, live_server, customer_user, 390), trust)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/uploads" in request.url else None)
    paper = person(page, trust)
    paper.get_by_label("Front").set_input_files(made(folder, "me.jpg", jpeg()))
    page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(
        made(folder, "trust.pdf", b"GIF89a" + bytes(3000))
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(paper.get_by_text("Enter the last day on which it is valid.", exact=False)).to_be_visible()
    expect(page.get_by_text("whatever its name says", exact=False)).to_be_visible()
    expect(page.get_by_text("2 files could not be taken.")).to_be_attached()
    assert sent.count("PATCH") == 1  # of the passport nothing was sent but what it is
    looked_at(page, "uploads-refused-390")
    say_licence(paper)
    page.locator("[data-type=TRUST_CERTIFICATION] input[type=file]").set_input_files(
        made(folder, "trust.pdf", pdf())
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("2 files are here.")).to_be_visible()
    assert Document.objects.count() == 2


def test_a_photo_by_the_phones_camera(
    browser: Browser, live_server: LiveServer, customer_user: User, trust: Application, folder: Path
) -> None:
    context = browser.new_context(
        base_url=live_server.url.replace("127.0.0.1", "localhost"),
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
    )
    enter(context, customer_user)
    page = papers_page(context.new_page(), trust)
    paper = person(page, trust)
    front = paper.locator(".field", has=page.get_by_label("Front"))
    with page.expect_file_chooser() as chooser:
        front.get_by_role("button", name="Take a photo").click()
    assert chooser.value.element.get_attribute("capture") == "environment"
    chooser.value.set_files(made(folder, "photo.jpg", jpeg()))
    looked_at(page, "uploads-camera-390")
    # The gallery and files are a choice of their own.
    assert paper.get_by_label("Front").get_attribute("capture") is None
    say_licence(paper)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("1 file is here.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_staff_upload_for_a_customer(
    browser: Browser,
    live_server: LiveServer,
    trust: Application,
    staff: Callable[[str], User],
    folder: Path,
    width: int,
) -> None:
    page = page_of(browser, live_server, staff("compliance_analyst"), width)
    page.goto(f"/staff/applications/{trust.pk}/papers/")
    page.get_by_role("link", name="Upload for the customer").click()
    owner = Owner.objects.get(application=trust, is_applicant=True)
    page.get_by_label("Type of paper").select_option("W_8BEN_FORM")
    page.get_by_label("Whose paper").select_option(str(owner.pk))
    page.get_by_role("textbox", name="Description").fill("Seen in the office.")
    page.get_by_label("KYC was approved by hand").check()
    page.get_by_label("File", exact=True).set_input_files(made(folder, "w8.pdf", pdf(BIG)))
    looked_at(page, f"uploads-staff-{width}")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("The file is here.")).to_be_visible()
    looked_at(page, f"uploads-staff-done-{width}")
    kept = Document.objects.get()
    assert (kept.type, kept.owner, kept.uploaded_by.role) == ("W_8BEN_FORM", owner, "compliance_analyst")
    assert kept.description == "KYC was approved by hand on the strength of this paper. Seen in the office."
