"""A day in the queue: ten cases by keyboard alone, and colleagues who see each other at work."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from compliance import kinds
from compliance.models import Case, CaseDecision, CaseMention
from tests.compliance.conftest import a_subject, opened
from tests.compliance.kinds import KIND, PARROT
from tests.e2e.browser import context_of, enter, looked_at, page_of
from tests.people import make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


def focus_is(page: Page, on: str) -> None:
    """The focus is on the element of this id, or of this text."""
    if on in {"main", "decision"}:
        expect(page.locator(":focus")).to_have_attribute("id", on)
    else:
        expect(page.locator(":focus")).to_have_text(on)


def test_ten_cases_by_keyboard_alone(browser: Browser, live_server: LiveServer) -> None:
    analyst = make_staff()
    cases = [opened(a_subject(f"Parrot {number}")) for number in range(10)]
    page = page_of(browser, live_server, analyst)
    page.goto("/staff/cases/")
    keys = page.keyboard
    # Rows by j and k; a takes the row and stays there; while one types nothing happens.
    keys.press("j")
    keys.press("j")
    keys.press("k")
    focus_is(page, cases[0].reference)
    keys.press("a")
    expect(page.get_by_text(f"{cases[0].reference} is yours.")).to_be_visible()
    focus_is(page, cases[0].reference)
    keys.press("/")
    keys.type("jt?")
    assert page.get_by_label("Search").input_value() == "jt?"
    keys.press("Escape")
    page.get_by_role("link", name=cases[0].reference).focus()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    looked_at(page, "cases-keys-1280")
    keys.press("Escape")
    keys.press("o")
    for number in range(10):
        heading = page.get_by_role("heading", name="Silent parrot")
        expect(heading).to_be_visible()
        expect(page.get_by_text(cases[number].reference, exact=True).first).to_be_visible()
        if number:
            focus_is(page, "main")
        keys.press("c")
        keys.press("Space")
        keys.press("Tab")
        keys.press("Space")
        keys.press("Tab")
        keys.press("Enter")
        expect(page.get_by_role("radio", name="It rests: stun it")).to_be_visible()
        focus_is(page, "decision")
        keys.press("d")
        keys.press("Space")
        keys.press("Tab")
        keys.type("It n")
        keys.press("Tab")
        keys.press("Tab")
        keys.press("Tab")
        with page.expect_navigation():
            keys.press("Enter")
    expect(page.get_by_text("No open case is left that nobody works on.")).to_be_visible()
    decided = CaseDecision.objects.filter(actor=analyst, code="stun", reason_code="nap")
    assert set(decided.values_list("case", flat=True)) == {case.pk for case in cases}


def test_the_keys_can_be_switched_off(browser: Browser, live_server: LiveServer) -> None:
    analyst, case = make_staff(), opened()
    page = page_of(browser, live_server, analyst)
    page.goto(f"/staff/cases/{case.pk}/")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    looked_at(page, "case-keys-1280")
    page.get_by_label("Single keys are on, in this browser").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    page.reload()
    page.keyboard.press("a")
    page.keyboard.press("n")
    assert page.evaluate("document.activeElement === document.body")
    assert Case.objects.get().assignee is None


def test_two_see_each_other_at_work(browser: Browser, live_server: LiveServer) -> None:
    ana, bert = make_staff(), make_staff("compliance_manager")
    for person, name in ((ana, "Ana"), (bert, "Bert")):
        person.name = name
        person.save(update_fields=["name"])
    case = opened(a_subject("Polly"))
    opened(a_subject("Lora"))
    context = context_of(browser, live_server)
    enter(context, ana)
    anas_list, anas_case = context.new_page(), context.new_page()
    for page, address in ((anas_list, "/staff/cases/"), (anas_case, f"/staff/cases/{case.pk}/")):
        page.clock.install()
        page.goto(address)
    berts = page_of(browser, live_server, bert)
    berts.goto(f"/staff/cases/{case.pk}/")
    expect(berts.get_by_text("Ana is looking at it")).to_be_visible()
    row = anas_list.locator("tr", has_text=case.reference)
    anas_list.get_by_label(f"Choose {case.reference}").focus()
    anas_list.clock.run_for(11_000)
    expect(row.get_by_text("Bert is looking at it")).to_be_visible()
    looked_at(anas_list, "cases-looking-1280")

    berts.get_by_role("button", name="Assign to me").click()
    expect(berts.get_by_text("The case is yours.")).to_be_visible()
    anas_list.clock.run_for(11_000)
    expect(row.get_by_text("In progress", exact=True)).to_be_visible()
    expect(row.get_by_role("cell", name="Bert", exact=True)).to_be_visible()
    # Said politely, and the focus is where it was.
    expect(anas_list.locator("[data-live-words]")).to_contain_text(
        f"{case.reference}: In progress, with Bert"
    )
    assert anas_list.evaluate("document.activeElement.value") == str(case.pk)
    anas_case.clock.run_for(11_000)
    expect(anas_case.get_by_text("Bert took it.", exact=True)).to_be_visible()
    looked_at(anas_case, "case-taken-1280")
    anas_case.get_by_role("link", name="Show it as it is now").click()
    expect(anas_case.get_by_text("Bert works on it. Ask them to put it back")).to_be_visible()

    # A page that nobody sees asks nothing; whoever leaves is gone at once.
    berts.goto("/staff/cases/")
    anas_case.clock.run_for(11_000)
    expect(anas_case.get_by_text("Bert is looking at it")).to_have_count(0)


def test_a_colleague_is_named_in_a_note_by_touch(browser: Browser, live_server: LiveServer) -> None:
    analyst, ben = make_staff(), make_staff()
    ben.name = "Ben Okafor"
    ben.save()
    case = opened(a_subject("Polly"))
    context = context_of(browser, live_server, 390, has_touch=True)
    enter(context, analyst)
    page = context.new_page()
    page.goto(f"/staff/cases/{case.pk}/")
    note = page.get_by_label("New note")
    note.fill("Please look, ")
    page.get_by_text("Tell a colleague").tap()
    page.get_by_role("button", name="@Ben Okafor").tap()
    expect(note).to_have_value("Please look, @Ben Okafor ")
    expect(note).to_be_focused()
    page.get_by_role("button", name="Add the note").tap()
    expect(page.get_by_text("Note added.")).to_be_visible()
    assert CaseMention.objects.get().person == ben
