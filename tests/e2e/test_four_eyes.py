"""Four eyes with browsers at once: the maker proposes and cannot approve, one checker does, the next one is told."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from compliance import kinds
from compliance.models import CaseDecision
from portal.models import User
from tests.compliance.conftest import ready, subject_of
from tests.compliance.kinds import KIND, PARROT, seen
from tests.e2e.browser import looked_at, page_of
from tests.people import make_customer_user, make_staff

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def _parrots() -> Iterator[None]:
    kinds.register(PARROT)
    yield
    kinds._kinds.pop(KIND)


def named(name: str, role: str = "compliance_analyst") -> User:
    user = make_staff(role)
    User.objects.filter(pk=user.pk).update(name=name)
    user.refresh_from_db()
    return user


@pytest.mark.parametrize("width", [1280, 390])
def test_two_people_decide(browser: Browser, live_server: LiveServer, width: int) -> None:
    maria, amir, dana, kofi = (
        named("Maria Lindqvist", "compliance_manager"),
        named("Amir Haddad"),
        named("Dana Reyes"),
        named("Kofi Boateng"),
    )
    seen.effects.clear()
    case = ready(amir, subject_of(make_customer_user(), "Nora Bergström, PA-7K3M-9QX2"))
    address = f"/staff/cases/{case.pk}/"

    boss = page_of(browser, live_server, maria, width)
    boss.goto("/staff/cases/queues/")
    boss.get_by_role("link", name="Second person").click()
    boss.get_by_role("link", name="Add a rule").click()
    boss.get_by_label("Which decisions").select_option("It rests: stun it")
    boss.get_by_role("button", name="Try it").click()
    expect(boss.get_by_role("heading", name="1 undecided case holds")).to_be_visible()
    looked_at(boss, f"approval-rule-{width}")
    boss.get_by_role("button", name="Save the rule").click()
    looked_at(boss, f"approval-rules-{width}")

    maker = page_of(browser, live_server, amir, width)
    maker.goto(address)
    maker.get_by_role("radio", name="It rests: stun it").check()
    expect(maker.get_by_text("A second person approves it.")).to_be_visible()
    maker.get_by_label("Reason for “It rests: stun it”").select_option("It naps")
    maker.get_by_label("In your own words").fill("Ten hours on its perch, eyes closed.")
    maker.get_by_role("button", name="Decide", exact=True).click()
    expect(maker.get_by_role("heading", name="Waiting for a second person")).to_be_visible()
    expect(maker.get_by_text("You proposed it. Someone else approves it.")).to_be_visible()
    expect(maker.get_by_role("button", name="Approve")).to_have_count(0)
    looked_at(maker, f"approval-maker-{width}")

    checkers = [page_of(browser, live_server, person, width) for person in (dana, kofi)]
    checkers[0].goto("/staff/cases/approvals/")
    looked_at(checkers[0], f"approvals-{width}")
    auditor = page_of(browser, live_server, make_staff("auditor"), width)
    auditor.goto("/staff/cases/approvals/")
    expect(auditor.get_by_text("Waiting for a second person: ")).to_be_visible()
    expect(auditor.get_by_role("button", name="Approve the chosen")).to_have_count(0)
    looked_at(auditor, f"approvals-all-{width}")
    checkers[0].get_by_role("link", name=case.reference).click()
    checkers[1].goto(address)
    expect(checkers[0].get_by_text("Ten hours on its perch, eyes closed.").first).to_be_visible()
    looked_at(checkers[0], f"approval-{width}")
    checkers[0].get_by_role("button", name="Approve", exact=True).click()
    expect(checkers[0].get_by_text("Approved by Dana Reyes").first).to_be_visible()
    looked_at(checkers[0], f"approval-done-{width}")
    checkers[1].get_by_role("button", name="Approve", exact=True).click()
    expect(
        checkers[1].get_by_text("Dana Reyes has approved it already. Nothing is left to do.")
    ).to_be_visible()
    expect(checkers[1].get_by_role("heading", name="Decided")).to_be_visible()
    assert len(seen.effects) == 1
    made = CaseDecision.objects.select_related("proposal").get(case=case)
    assert (made.actor, made.proposal and made.proposal.checker) == (amir, dana)
