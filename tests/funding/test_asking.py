"""A person of the staff asks the customer about a transfer; the answer brings the case back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance import services as compliance
from compliance.models import ApprovalRule, Case, Proposal
from funding import bank_flow, returns
from funding.models import Notice
from onboarding.models import DocumentRequest, Owner, ProviderAccount
from portal.errors import Invalid
from portal.models import MailMessage, User
from tests.deciding import decide
from tests.funding.people import link_bank, open_account
from tests.funding.test_returns import bring_back, deposit
from tests.onboarding.papers_support import upload

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
ASKED = "The letter of your bank that shows who the account belongs to."


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


@pytest.fixture
def account(customer_user: User) -> ProviderAccount:
    found = open_account(customer_user)
    bring_back(deposit(found, bank=link_bank(found, institution="Platypus")), "R10")
    MailMessage.objects.all().delete()
    return found


def the_case() -> Case:
    return Case.objects.get(kind=returns.KIND)


def letters() -> list[dict[str, Any]]:
    return [
        row.content.reveal() | {"subject": row.subject} for row in MailMessage.objects.order_by("created_at")
    ]


def test_a_paper_is_asked_for_and_brings_the_case_back(
    account: ProviderAccount, customer_user: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    analyst = staff("compliance_analyst")
    with pytest.raises(Invalid):
        decide(analyst, the_case(), "contact", reason="funds", text="")
    assert not MailMessage.objects.exists()
    decide(analyst, the_case(), "contact", reason="funds", text=ASKED)
    case, request = the_case(), DocumentRequest.objects.get()
    assert (case.status, request.case_id, request.reason) == ("waiting_customer", case.pk, ASKED)
    assert case.waiting_until is not None and case.waiting_until.date() > request.due_on
    # The letter says that something is asked and what happens then; what and why stands on the page alone.
    [letter] = letters()
    assert letter["to"] == [customer_user.email] and "you hear from us" in letter["text"]
    for secret in (ASKED, "Platypus", "200.00", "0000"):
        assert secret not in letter["text"] + letter["subject"]
    assert Notice.objects.filter(user=customer_user, kind="paper", listed=True).exists()
    browser = signed_in(customer_user)
    assert "We ask you for a paper" in browser.get("/money/notices/").content.decode()
    told = browser.get("/api/v1/notices").json()["results"][0]
    assert (told["kind"], told["transfer"]) == ("paper", None) and "by when" in told["body"]
    page = browser.get(f"/applications/{account.application_id}/papers/").content.decode()
    assert ASKED in page

    owner = Owner.objects.get(application=account.application)
    upload(customer_user, account.application, type="SOURCE_OF_FUNDS", owner_id=owner.pk)
    case = the_case()
    assert case.status == "in_progress" and case.assignee == analyst
    assert case.facts.latest("at").title == "The customer sent what was asked for: Source of funds"
    # Somebody who waits for nobody is woken by nothing; asked anew, the list has a line more.
    decide(analyst, case, "contact", reason="identity", text="A passport that is valid.")
    assert Notice.objects.filter(kind="paper").count() == 2 and the_case().status == "waiting_customer"


def test_a_question_is_asked_and_the_answer_in_words_brings_the_case_back(
    account: ProviderAccount, customer_user: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    analyst = staff("compliance_analyst")
    decide(analyst, the_case(), "contact", reason="words", text="Why did your bank send the money back?")
    request = DocumentRequest.objects.get()
    assert (the_case().status, request.in_words, request.types) == ("waiting_customer", True, [])
    assert letters()[0]["subject"] == "We have a question for you"
    browser = signed_in(customer_user)
    assert "We have a question for you" in browser.get("/money/notices/").content.decode()
    page = f"/applications/{account.application_id}/questions/{request.pk}/"
    browser.post(page, {"text": "I had stopped the order by mistake."})
    assert (the_case().status, the_case().assignee) == ("in_progress", analyst)
    shown = signed_in(analyst).get(f"/staff/cases/{the_case().pk}/").content.decode()
    assert "I had stopped the order by mistake." in shown


def test_another_bank_is_asked_for_and_linking_it_brings_the_case_back(
    account: ProviderAccount, customer_user: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    analyst = staff("compliance_analyst")
    bank = account.banks.get()
    for status in ("unlinking", "unlinked"):
        bank.move_to(status, actor=None)
    other = open_account(User.objects.create_user(email="other@example.test", password=None))
    bring_back(deposit(other, bank=link_bank(other)), "R10")
    mine, theirs = Case.objects.filter(kind=returns.KIND).order_by("pk")
    MailMessage.objects.all().delete()
    for case in (mine, theirs):
        decide(analyst, case, "contact", reason="bank", text="Asked by phone too.")
    letter = letters()[0]
    assert letter["subject"] == "Please link another bank account" and "/money/bank/" in letter["text"]
    assert "Asked by phone" not in letter["text"] and "Platypus" not in letter["text"]
    page = signed_in(customer_user).get("/money/notices/").content.decode()
    assert "We ask you to link another bank account" in page and 'href="/money/bank/"' in page
    assert not DocumentRequest.objects.exists()

    bank_flow.linked(link_bank(account, status="pending", linked_at=None), source="webhook")
    statuses = dict(Case.objects.values_list("pk", "status"))
    assert (statuses[mine.pk], statuses[theirs.pk]) == ("in_progress", "waiting_customer")
    assert Case.objects.get(pk=mine.pk).facts.latest("at").title == "The customer linked a bank"


def test_any_other_paper_is_asked_for_from_the_case_s_page(
    account: ProviderAccount, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    analyst, case = staff("compliance_analyst"), the_case()
    case.move_to("in_progress", actor=analyst)
    Case.objects.filter(pk=case.pk).update(assignee=analyst)
    page = signed_in(analyst).get(f"/staff/cases/{case.pk}/").content.decode()
    assert f"{reverse('staff_documents:ask', args=[account.application_id])}?case={case.pk}" in page


def test_it_is_asked_when_a_second_person_approved_it(account: ProviderAccount, staff: Staff) -> None:
    ApprovalRule.objects.create(kind=returns.KIND)
    proposal = decide(staff("compliance_analyst"), the_case(), "contact", reason="funds", text=ASKED)
    assert isinstance(proposal, Proposal) and not letters() and not DocumentRequest.objects.exists()
    case = the_case()
    compliance.case_approve(
        actor=staff("compliance_manager"), case_id=case.pk, proposal_id=proposal.pk, version=case.version
    )
    request = DocumentRequest.objects.get()
    assert (the_case().status, request.case_id) == ("waiting_customer", case.pk)
    assert [letter["subject"] for letter in letters()][-1] == "We need a paper from you"
