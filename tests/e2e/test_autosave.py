"""What is typed into a step is kept while it is typed: the page may die, the network go, a second device write."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from onboarding import services
from onboarding.models import Application, ApplicationStep, StepEntries
from portal.models import User
from tests.e2e.browser import looked_at, page_of
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]
Kept = Callable[[], bool]


@pytest.fixture
def user() -> User:
    return make_customer_user("Ana")


@pytest.fixture
def draft(user: User) -> Application:
    publish_agreements()
    return services.application_start(actor=user, source="page")


def shown(page: Page) -> Locator:
    return page.locator("[data-autosave-shown]")


def kept(page: Page, condition: Kept) -> None:
    """Wait until the server has it; the page that sent it may be gone."""
    for _ in range(300):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it was not kept")


@pytest.mark.parametrize("width", [1280, 390])
def test_typing_then_the_page_dies_and_another_device_goes_on(
    browser: Browser, live_server: LiveServer, draft: Application, user: User, width: int
) -> None:
    page = page_of(browser, live_server, user, width)
    page.goto(f"/applications/{draft.pk}/steps/identity/")
    page.get_by_label("First name").fill("Ana 7")
    page.get_by_label("Last name").fill("Ortiz")
    page.get_by_label("Month").fill("4")
    page.get_by_label("Social Security").check()
    page.get_by_label("Tax number", exact=True).fill("536-22-12")
    page.get_by_label("Tax number", exact=True).blur()
    expect(shown(page)).to_contain_text("Saved ")
    assert page.locator("[data-error-summary]").count() == 0
    assert page.locator(".field--error").count() == 0
    assert page.locator("[role=status][data-autosave-said]").inner_text() == "What you type is saved."
    kept(page, lambda: StepEntries.objects.get().entries.reveal().get("tax_id") == "536-22-12")
    looked_at(page, f"autosave-saved-{width}")
    page.context.close()

    other = page_of(browser, live_server, user, width)
    other.goto(f"/applications/{draft.pk}/resume/")
    expect(other.get_by_label("First name")).to_have_value("Ana 7")
    expect(other.get_by_label("Last name")).to_have_value("Ortiz")
    expect(other.get_by_label("Social Security")).to_be_checked()
    expect(other.get_by_label("Tax number", exact=True)).to_have_value("")
    expect(other.locator("main")).to_contain_text("Leave this empty to keep it")
    expect(shown(other)).to_contain_text("not saved yet")
    looked_at(other, f"autosave-resumed-{width}")
    other.get_by_label("First name").fill("Ana")
    for part, value in (("Month", "4"), ("Day", "17"), ("Year", "1988")):
        other.get_by_label(part).fill(value)
    other.get_by_label("Tax number", exact=True).fill("536-22-1234")
    other.get_by_role("button", name="Save and continue").click()
    other.wait_for_url("**/steps/contact/")
    assert ApplicationStep.objects.get(name="identity").version == 1
    assert not StepEntries.objects.exists()
    other.context.close()


def test_leaving_the_page_at_once_keeps_the_last_letters(
    browser: Browser, live_server: LiveServer, draft: Application, user: User
) -> None:
    page = page_of(browser, live_server, user)
    page.goto(f"/applications/{draft.pk}/steps/contact/")
    page.get_by_label("Phone").press_sequentially("5125")
    page.goto("/applications/")
    kept(page, lambda: StepEntries.objects.filter(name="contact").exists())
    assert StepEntries.objects.get().entries.reveal()["phone"] == "5125"
    page.context.close()


def test_two_devices(browser: Browser, live_server: LiveServer, draft: Application, user: User) -> None:
    desk, phone = page_of(browser, live_server, user), page_of(browser, live_server, user, 390)
    for page in (desk, phone):
        page.goto(f"/applications/{draft.pk}/steps/contact/")
    desk.get_by_label("E-mail").fill("desk@example.test")
    desk.get_by_label("E-mail").blur()
    expect(shown(desk)).to_contain_text("Saved ")
    phone.get_by_label("Phone").fill("512 555 0142")
    phone.get_by_label("Phone").blur()
    expect(shown(phone)).to_contain_text("changed on another device")
    expect(phone.get_by_label("Phone")).to_have_value("512 555 0142")
    looked_at(phone, "autosave-told")
    assert StepEntries.objects.get().entries.reveal()["email"] == "desk@example.test"
    phone.get_by_label("E-mail").fill("phone@example.test")
    phone.get_by_role("button", name="Save and continue").click()
    expect(phone.locator("main")).to_contain_text("changed on another device while you had it open")
    expect(phone.get_by_role("cell", name="desk@example.test")).to_be_visible()
    looked_at(phone, "autosave-both")
    phone.get_by_role("button", name="Save and continue").click()
    phone.wait_for_url("**/steps/address/")
    assert drafts_email(draft) == "phone@example.test"
    for page in (desk, phone):
        page.context.close()


def drafts_email(draft: Application) -> str:
    return str(draft.owners.get().email)


def test_offline_says_so_and_goes_on_by_itself(
    browser: Browser, live_server: LiveServer, draft: Application, user: User
) -> None:
    page = page_of(browser, live_server, user)
    page.goto(f"/applications/{draft.pk}/steps/contact/")
    page.context.set_offline(True)
    page.get_by_label("Phone").fill("512 555 0142")
    page.get_by_label("Phone").blur()
    expect(shown(page)).to_contain_text("You are offline")
    assert not StepEntries.objects.exists()
    page.context.set_offline(False)
    expect(shown(page)).to_contain_text("Saved ")
    assert StepEntries.objects.get().entries.reveal()["phone"] == "512 555 0142"
    page.context.close()


def test_a_server_in_trouble_is_asked_again(
    browser: Browser, live_server: LiveServer, draft: Application, user: User
) -> None:
    page = page_of(browser, live_server, user)
    page.goto(f"/applications/{draft.pk}/steps/contact/")
    page.route("**/typed/", lambda route: route.fulfill(status=503), times=1)
    page.get_by_label("Phone").fill("512 555 0142")
    page.get_by_label("Phone").blur()
    expect(shown(page)).to_contain_text("we try again")
    expect(shown(page)).to_contain_text("Saved ")
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_staff_who_fill_in_lose_nothing_either(browser: Browser, live_server: LiveServer, width: int) -> None:
    publish_agreements()
    agent = make_staff("onboarding_agent")
    draft = services.application_start_for(
        actor=agent,
        name="Kim Lee",
        email="kim@example.test",
        account_type="INDIVIDUAL",
        country="US",
        source="page",
    )
    page = page_of(browser, live_server, agent, width)
    page.goto(f"/staff/applications/{draft.pk}/fill/employment/")
    expect(page.get_by_role("heading", name="Their work")).to_be_visible()
    page.get_by_label("Employed", exact=True).check()
    page.get_by_label("Position").fill("Weaver")
    page.get_by_label("Position").blur()
    expect(shown(page)).to_contain_text("Saved ")
    kept(page, lambda: StepEntries.objects.get().entries.reveal().get("position") == "Weaver")
    looked_at(page, f"fill-{width}")
    page.context.close()
    again = page_of(browser, live_server, agent, width)
    again.goto(f"/staff/applications/{draft.pk}/fill/employment/")
    expect(again.get_by_label("Position")).to_have_value("Weaver")
    again.goto(f"/staff/applications/{draft.pk}/fill/investment/")
    looked_at(again, f"fill-investment-{width}")


def test_every_step_keeps_what_is_typed(browser: Browser, live_server: LiveServer, user: User) -> None:
    publish_agreements()
    application = journeys.entity(user)
    page = page_of(browser, live_server, user)
    for name in (
        "entity",
        "entity_address",
        "entity_business",
        "owners",
        "address",
        "employment",
        "investment",
    ):
        page.goto(f"/applications/{application.pk}/steps/{name}/")
        box = page.locator(
            "form[data-autosave] :is(input[type=text], input[type=checkbox], input[type=radio])"
        )
        first = next(row for row in box.all() if row.is_visible() and not _is_chosen(row))
        if first.get_attribute("type") == "text":
            first.fill("typed")
        else:
            first.check()
        first.blur()
        expect(shown(page)).to_contain_text("Saved ")
    page.context.close()


def _is_chosen(box: Locator) -> bool:
    return box.get_attribute("type") != "text" and box.is_checked()
