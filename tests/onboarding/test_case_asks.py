"""A case asks its customer for a paper, waits, and comes back with the answer."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance import services as compliance
from compliance.models import Case
from onboarding.cases import duplicates
from onboarding.models import Application, DocumentRequest
from onboarding.services.document_requests import document_request_withdraw
from portal import clock
from portal.errors import Conflict
from portal.models import User
from tests.flow import publish_agreements, submitted
from tests.onboarding.requests_support import applicant_of, ask, proof

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}


@pytest.fixture
def application(customer_user: User) -> Application:
    return submitted(customer_user)


def about(application: Application, actor: User | None = None) -> Case:
    """A case about the application, in the actor's hands."""
    case = compliance.case_open(
        kind=duplicates.KIND,
        subject=compliance.Subject.of(application, "Ana Ortiz"),
        title="Same name as another",
        facts={},
        source="page",
        dedupe="one",
    )
    return compliance.case_assign(actor=actor, case_id=case.pk, to=actor) if actor else case


def now(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def test_the_customers_answer_brings_the_case_back(
    application: Application, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    analyst = staff("compliance_analyst")
    case, browser = about(application, analyst), signed_in(analyst)
    page = reverse("cases:detail", args=[case.pk])
    address = f"{reverse('staff_documents:ask', args=[application.pk])}?case={case.pk}"
    assert address in browser.get(page).content.decode()
    assert f"The case {case.reference} then waits" in browser.get(address).content.decode()
    due = clock.now().date() + timedelta(days=10)
    answers = {
        "whose": str(applicant_of(application).pk),
        "types_person": ["PROOF_OF_RESIDENTIAL_ADDRESS"],
        "reason": "Your address changed lately.",
        "due_on": due.isoformat(),
    }
    assert browser.post(address, answers).headers["Location"] == page
    waiting = now(case)
    assert (waiting.status, waiting.due_at, DocumentRequest.objects.get().case_id) == (
        "waiting_customer",
        None,
        case.pk,
    )
    assert waiting.waiting_until and waiting.waiting_until.date() == due + timedelta(days=1)
    proof(customer_user, application)
    back = now(case)
    assert (back.status, back.assignee, back.due_at is None) == ("in_progress", analyst, False)
    assert case.facts.latest("pk").title == "The customer sent what was asked for: Proof of home address"
    # What becomes of the request later is no news for the case, and a late answer opens none.
    assert case.facts.count() == 2


def test_an_answer_after_the_decision_opens_nothing_and_a_withdrawal_is_told(
    application: Application, customer_user: User, staff: Staff
) -> None:
    analyst = staff("compliance_analyst")
    case = about(application, analyst)
    request = ask(analyst, application, case_id=case.pk)
    document_request_withdraw(actor=analyst, request_id=request.pk, reason="Found it", source="page")
    assert now(case).status == "in_progress"
    ask(analyst, application, case_id=case.pk)
    compliance.case_settle(
        kind=case.kind, subject=compliance.Subject.of(application, ""), reason="Settled", source="page"
    )
    proof(customer_user, application)
    assert (now(case).status, Case.objects.filter(kind=case.kind).count()) == ("closed", 1)


def test_only_whose_case_it_is_asks_for_it(
    application: Application, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    analyst, other = staff("compliance_analyst"), staff("compliance_analyst")
    case = about(application, analyst)
    with pytest.raises(Conflict, match="works on it"):
        ask(other, application, case_id=case.pk)
    assert not DocumentRequest.objects.exists()
    assert now(case).status == "in_progress"
    browser = signed_in(other)
    address = reverse("staff_documents:ask", args=[application.pk])
    assert "works on it" in browser.get(f"{address}?case={case.pk}").content.decode()
    assert "Ask the customer" not in browser.get(reverse("cases:detail", args=[case.pk])).content.decode()
    for wrong in ("x", str(application.pk)):
        assert browser.get(f"{address}?case={wrong}").status_code == 404
