"""Asking for a paper, uploading it, rejecting and accepting it, in a real browser on a desk and on a phone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from onboarding import jobs, services
from onboarding.models import Document, DocumentRequest
from portal import clock
from tests.e2e.browser import PATIENCE, looked_at, page_of
from tests.flow import publish_agreements, submitted
from tests.onboarding import journeys
from tests.onboarding.papers_support import jpeg, upload_all
from tests.onboarding.requests_support import applicant_of, passport, proof, reject
from tests.onboarding.test_case_asks import about
from tests.people import make_customer_user, make_staff

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_paper_from_asking_to_accepting(
    browser: Browser, live_server: LiveServer, width: int, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}
    publish_agreements()
    user = make_customer_user("Ana")
    application = journeys.trust(user)
    services.application_submit(actor=user, application_id=application.pk, source="page")
    with transaction.atomic():
        account = jobs.lock_account(application.account.pk)
        jobs.party_status_apply(account, party_status="ACTIVE", reason="ENROLLMENT", source="webhook")
    upload_all(user, application)
    passport(user, application, clock.now().date() + timedelta(days=20))
    analyst = make_staff("compliance_analyst")
    desk = page_of(browser, live_server, analyst, width)
    desk.goto(f"/staff/applications/{application.pk}/papers/")
    desk.get_by_role("link", name="Ask for a paper").click()
    looked_at(desk, f"paper-ask-{width}")
    desk.get_by_role("button", name="Ask for it").click()
    looked_at(desk, f"paper-ask-errors-{width}")
    desk.get_by_label("Whose paper").select_option(str(applicant_of(application).pk))
    desk.get_by_label("Proof of home address").check()
    desk.get_by_label("What we ask, and why").fill("Your address changed lately.")
    # By the keyboard alone, as somebody without a mouse does.
    desk.get_by_role("button", name="Ask for it").press("Enter")
    expect(desk.get_by_text("The customer reads: “Your address changed lately.”")).to_be_visible()
    looked_at(desk, f"papers-asked-{width}")

    phone = page_of(browser, live_server, user, width)
    phone.goto(f"/applications/{application.pk}/")
    expect(phone.get_by_text("Your address changed lately.")).to_be_visible()
    looked_at(phone, f"papers-status-{width}")
    phone.goto(f"/applications/{application.pk}/papers/")
    expect(phone.get_by_role("heading", name="Proof of home address")).to_be_visible()
    looked_at(phone, f"papers-customer-{width}")

    proof(user, application)
    Document.objects.filter(status="checking").update(status="received", scan="off")
    desk.reload()
    looked_at(desk, f"papers-handed-in-{width}")
    desk.get_by_role("link", name="Look at it Proof of home address, front").click()
    expect(desk.get_by_role("heading", name="Compare with")).to_be_visible()
    desk.get_by_text("Reject", exact=True).click()
    looked_at(desk, f"paper-file-{width}")
    desk.get_by_role("link", name=f"All papers of {application.reference}").click()
    section = desk.locator("section", has=desk.get_by_role("heading", name="Proof of home address")).last
    section.get_by_text("Reject", exact=True).click()
    section.get_by_label("A part of it is cut off").check()
    section.get_by_role("button", name="Reject and ask again").click()
    expect(desk.get_by_text("Rejected. The customer is asked for this one again.")).to_be_visible()
    looked_at(desk, f"papers-rejected-{width}")
    phone.goto(f"/applications/{application.pk}/")
    expect(phone.get_by_text("All four corners must be in the picture.")).to_be_visible()
    looked_at(phone, f"papers-status-rejected-{width}")

    proof(user, application)
    Document.objects.filter(status="checking").update(status="received", scan="off")
    desk.reload()
    desk.get_by_role("button", name="Accept Proof of home address, front").click()
    expect(desk.get_by_text("Accepted.", exact=True)).to_be_visible()
    desk.get_by_text("Earlier versions").first.click()
    desk.get_by_text("Requests that are settled").click()
    looked_at(desk, f"papers-accepted-{width}")
    assert DocumentRequest.objects.get().status == "accepted"

    desk.goto("/staff/papers/expiring/")
    expect(desk.get_by_text("In 20 days")).to_be_visible()
    looked_at(desk, f"papers-expiring-{width}")
    reject(analyst, Document.objects.get(type="TRUST_CERTIFICATION"))
    desk.goto("/staff/applications/?papers=asked")
    expect(desk.get_by_role("link", name="Waits for papers")).to_have_attribute("aria-current", "page")
    looked_at(desk, f"papers-list-{width}")
    desk.goto(f"/staff/applications/{application.pk}/papers/provider/")
    looked_at(desk, f"papers-provider-{width}")


def test_the_customers_answer_reopens_the_case(
    browser: Browser, live_server: LiveServer, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path / "papers")}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}
    publish_agreements()
    user, analyst = make_customer_user("Ana"), make_staff("compliance_analyst")
    application = submitted(user)
    case = about(application, analyst)
    desk = page_of(browser, live_server, analyst)
    desk.goto(f"/staff/cases/{case.pk}/")
    desk.get_by_role("link", name="Ask the customer").click()
    looked_at(desk, "case-ask-1280")
    desk.get_by_label("Whose paper").select_option(str(applicant_of(application).pk))
    desk.get_by_label("Proof of home address").check()
    desk.get_by_label("What we ask, and why").fill("Your address changed lately.")
    desk.get_by_role("button", name="Ask for it").click()
    expect(desk.get_by_text("Asked. The case waits for the customer")).to_be_visible()
    expect(desk.get_by_text("Clock stopped", exact=True)).to_be_visible()
    looked_at(desk, "case-waits-1280")

    phone = page_of(browser, live_server, user, 390)
    phone.goto(f"/applications/{application.pk}/papers/")
    expect(phone.get_by_text("Your address changed lately.")).to_be_visible()
    photo = tmp_path / "letter.jpg"
    photo.write_bytes(jpeg())
    card = phone.locator("[data-paper]", has_text="Not uploaded yet.")
    card.locator("input[type=file]").first.set_input_files(str(photo))
    phone.get_by_role("button", name="Upload", exact=True).click()
    expect(phone.get_by_text("1 file is here.")).to_be_visible(timeout=PATIENCE)
    looked_at(phone, "case-paper-sent-390")
    # It is there again by itself, in the hands of whoever asked.
    desk.goto("/staff/cases/?assignee=me&status=in_progress")
    desk.get_by_role("link", name=case.reference).click()
    expect(
        desk.get_by_role("heading", name="The customer sent what was asked for: Proof of home address")
    ).to_be_visible()
    looked_at(desk, "case-answered-1280")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_question_is_answered_in_words_and_stands_in_the_case(
    browser: Browser, live_server: LiveServer, width: int
) -> None:
    publish_agreements()
    user, analyst = make_customer_user("Ana"), make_staff("compliance_analyst")
    application = submitted(user)
    case = about(application, analyst)
    desk = page_of(browser, live_server, analyst, width)
    desk.goto(f"/staff/cases/{case.pk}/")
    desk.get_by_role("link", name="Ask the customer").click()
    desk.get_by_label("Whose paper").select_option(str(applicant_of(application).pk))
    desk.get_by_label("An answer in words").check()
    desk.get_by_label("What we ask, and why").fill("Where does the money of your first deposit come from?")
    looked_at(desk, f"question-ask-{width}")
    desk.get_by_role("button", name="Ask for it").click()
    expect(desk.get_by_text("Asked. The case waits for the customer")).to_be_visible()

    phone = page_of(browser, live_server, user, width)
    phone.goto(f"/applications/{application.pk}/")
    expect(phone.get_by_role("heading", name="A question for you")).to_be_visible()
    looked_at(phone, f"question-status-{width}")
    phone.get_by_role("link", name="Answer it").click()
    phone.get_by_role("button", name="Send the answer").click()
    expect(phone.get_by_text("Write your answer.").first).to_be_visible()
    looked_at(phone, f"question-empty-{width}")
    phone.get_by_label("Your answer").fill("I sold my boat.\nMy social security number is 123-45-6789.")
    phone.get_by_role("button", name="Send the answer").click()
    expect(phone.get_by_text("Your answer is with us.")).to_be_visible()
    expect(phone.get_by_role("heading", name="A question for you")).to_have_count(0)
    phone.goto(f"/applications/{application.pk}/questions/{DocumentRequest.objects.get().pk}/")
    looked_at(phone, f"question-answered-{width}")

    desk.goto("/staff/cases/?assignee=me&status=in_progress")
    desk.get_by_role("link", name=case.reference).click()
    expect(desk.get_by_role("heading", name="The customer answered in words")).to_be_visible()
    expect(desk.get_by_text("I sold my boat.").first).to_be_visible()
    expect(desk.get_by_text("123-45-6789")).to_have_count(0)
    looked_at(desk, f"question-in-case-{width}")
