"""Requests for papers: asking, what meets them, accepting and rejecting, and what becomes of the application."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from onboarding import document_reminders, papers, selectors, services, standing
from onboarding.document_requests import OF_ENTITY, OF_PERSON
from onboarding.models import Application, Document, DocumentRequest
from onboarding.operations import KYB_TRIGGER, UPLOAD
from onboarding.services.document_requests import document_request_withdraw
from onboarding.words_documents import DocumentType, RejectReason, Verdict
from portal import clock
from portal.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, at_once, deliver
from tests.flow import drain, publish_agreements, submitted
from tests.onboarding import journeys
from tests.onboarding.corpus import EICAR
from tests.onboarding.papers_support import file, jpeg, pdf, upload, upload_all
from tests.onboarding.requests_support import (
    accept,
    applicant_of,
    ask,
    passport,
    proof,
    reject,
    subjects,
)
from tests.onboarding.scanner import scanning
from tests.people import make_customer_user

Status = DocumentRequest.Status
Staff = Callable[[str], User]


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture
def opened(box: SandboxProcess, customer_user: User) -> Application:
    """An account that is open at the provider."""
    application = submitted(customer_user)
    drain()
    deliver(box)
    return fresh(application)


def fresh(application: Application) -> Application:
    return account_of(application).application


def now(request: DocumentRequest) -> str:
    return DocumentRequest.objects.get(pk=request.pk).status


# --- Asking -------------------------------------------------------------------------------------------------


def test_what_may_be_asked_of_whom() -> None:
    raw = {DocumentType.RAW_CIP_DATA, DocumentType.RAW_CDD_DATA}
    assert {*OF_ENTITY, *OF_PERSON} | raw == set(DocumentType)


def test_asking_counts_writes_and_takes_the_paper(opened: Application, analyst: User) -> None:
    user = opened.customer.user
    with pytest.raises(Invalid):
        proof(user, opened)
    request = ask(analyst, opened, note="Moved on 536-88-4321.")
    assert subjects() == ["We need a paper from you"]
    letter = MailMessage.objects.get(subject="We need a paper from you").content.reveal()["text"]
    assert f"/applications/{opened.pk}/papers/" in letter
    assert "address" not in letter and not re.search("536-?88", letter)
    application = fresh(opened)
    ball = standing.ball(application)
    assert (ball.holder, ball.line) == ("customer", "Waiting for a paper we asked for")
    assert ball.due is not None and ball.due.date() == request.due_on
    told = standing.standing(application)
    assert (told.next_kind, told.blocking) == ("upload_documents", False)
    assert "We need papers from you by" in told.body[0]
    (paper,) = papers.papers_of(application)
    assert (paper.rule.title, paper.rule.hint) == ("Proof of home address", "Your address changed lately.")
    assert paper.lacks.startswith("Not uploaded yet. Due on ")
    audit = AuditEntry.objects.get(action="document.request")
    assert audit.subject_id == opened.pk and not re.search("536-?88", str(audit.after))
    assert proof(user, opened).type == "PROOF_OF_RESIDENTIAL_ADDRESS"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"types": []}, "types"),
        ({"types": ["TRUST_CERTIFICATION"]}, "types"),
        ({"types": ["RAW_CIP_DATA"]}, "types"),
        ({"types": ["NO_SUCH"]}, "types"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"note": "x" * 1001}, "note"),
        ({"owner_id": None, "types": ["SOURCE_OF_FUNDS"]}, "owner"),
    ],
)
def test_what_is_asked_must_hold(opened: Application, analyst: User, given: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(analyst, opened, **given)
    assert set(caught.value.fields) == {field}
    assert not DocumentRequest.objects.exists() and subjects() == []


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_the_day_lies_ahead_and_near(opened: Application, analyst: User, days: int) -> None:
    with pytest.raises(Invalid) as caught:
        ask(analyst, opened, due_on=clock.now().date() + timedelta(days=days))
    assert set(caught.value.fields) == {"due_on"}


def test_the_same_is_asked_once(opened: Application, analyst: User) -> None:
    ask(analyst, opened)
    with pytest.raises(Conflict, match="Proof of home address"):
        ask(analyst, opened, types=["PROOF_OF_RESIDENTIAL_ADDRESS", "VISA"])
    ask(analyst, opened, types=["VISA"])
    assert fresh(opened).papers_asked == 2


def test_a_person_of_another_application_is_not_there(opened: Application, analyst: User) -> None:
    other = journeys.foreigner(make_customer_user())
    with pytest.raises(NotFound):
        ask(analyst, opened, owner_id=applicant_of(other).pk)


@pytest.mark.parametrize(
    ("role", "may_ask", "may_decide"),
    [
        ("onboarding_agent", True, False),
        ("compliance_analyst", True, True),
        ("compliance_manager", True, True),
        ("auditor", False, False),
        ("funding_operator", False, False),
        ("administrator", False, False),
    ],
)
def test_who_may(
    opened: Application, analyst: User, staff: Staff, role: str, may_ask: bool, may_decide: bool
) -> None:
    actor = staff(role)
    request = ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    for does, allowed in (
        (lambda: ask(actor, opened, types=["VISA"]), may_ask),
        (lambda: withdraw(actor, request), may_ask),
        (lambda: accept(actor, document), may_decide),
        (lambda: reject(actor, Document.objects.get(pk=document.pk)), may_decide),
    ):
        if allowed:
            does()
        else:
            with pytest.raises(Forbidden):
                does()
    document.refresh_from_db()
    assert document.verdict == (Verdict.REJECTED if may_decide else "")
    with pytest.raises(Forbidden):
        ask(opened.customer.user, opened, types=["W_8BEN_FORM"])


def withdraw(actor: User, request: DocumentRequest) -> DocumentRequest:
    return document_request_withdraw(actor=actor, request_id=request.pk, reason="Not needed.", source="page")


def test_withdrawn_is_asked_no_more(opened: Application, analyst: User) -> None:
    request = ask(analyst, opened)
    withdraw(analyst, request)
    assert (now(request), fresh(opened).papers_asked) == (Status.WITHDRAWN, 0)
    assert papers.papers_of(opened) == []
    assert standing.ball(fresh(opened)).holder == "nobody"
    with pytest.raises(IllegalMove):
        withdraw(analyst, request)


def test_on_a_draft_and_of_a_trust_itself(customer_user: User, analyst: User) -> None:
    application = journeys.trust(customer_user)
    request = ask(analyst, application, owner_id=None, types=["SOURCE_OF_FUNDS", "PROOF_OF_ENTITY_ADDRESS"])
    upload(customer_user, application, type="SOURCE_OF_FUNDS")
    assert now(request) == Status.HANDED_IN
    application.refresh_from_db()
    assert (application.papers_asked, application.papers_to_check) == (0, 1)
    assert standing.ball(application).holder == "customer"  # it is a draft


def test_an_ended_application_is_asked_nothing(customer_user: User, analyst: User) -> None:
    application = journeys.trust(customer_user)
    request = ask(analyst, application)
    services.application_withdraw(actor=customer_user, application_id=application.pk, source="page")
    with pytest.raises(Conflict, match="ended"):
        ask(analyst, application, types=["VISA"])
    assert document_reminders.close_over() == 1
    assert now(request) == Status.WITHDRAWN
    assert document_reminders.close_over() == 0


# --- What meets it ------------------------------------------------------------------------------------------


def test_it_closes_itself_when_the_paper_is_accepted_which_then_goes_on(
    box: SandboxProcess, opened: Application, analyst: User
) -> None:
    request = ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    document.refresh_from_db()
    # Only we asked for it: the provider gets it once we found it good.
    assert (now(request), document.status) == (Status.HANDED_IN, Document.Status.RECEIVED)
    assert not OutboundCall.objects.filter(operation=UPLOAD).exists()
    application = fresh(opened)
    assert standing.ball(application).holder == "us"
    assert (application.papers_asked, application.papers_to_check) == (0, 1)
    accept(analyst, document)
    drain()
    document.refresh_from_db()
    assert (now(request), document.status) == (Status.ACCEPTED, Document.Status.AT_PROVIDER)
    assert [row["sha256"] for row in box.account(opened.reference)["documents"]] == [document.sha256]
    application = fresh(opened)
    assert (application.papers_asked, application.papers_to_check) == (0, 0)
    assert standing.ball(application).holder == "nobody"
    assert subjects() == ["We need a paper from you"]
    with pytest.raises(Invalid):
        proof(opened.customer.user, opened)


def test_what_was_there_before_does_not_meet_it(
    box: SandboxProcess, customer_user: User, analyst: User
) -> None:
    application = journeys.foreigner(customer_user)
    passport(customer_user, application)
    request = ask(analyst, application, types=["PASSPORT"])
    assert now(request) == Status.OPEN
    table, asked = papers.papers_of(application)
    assert (table.handed_in, asked.handed_in) == (True, False)
    passport(customer_user, application)
    assert now(request) == Status.HANDED_IN


def test_both_sides_and_only_the_bad_one_again(opened: Application, analyst: User) -> None:
    user = opened.customer.user
    request = ask(analyst, opened, types=["DRIVERS_LICENSE", "PASSPORT"])
    card: dict[str, Any] = {"type": "DRIVERS_LICENSE"}
    front = passport(user, opened, side="FRONT", **card)
    assert now(request) == Status.OPEN
    back = passport(user, opened, side="BACK", **card)
    assert now(request) == Status.HANDED_IN
    drain()
    accept(analyst, front)
    assert now(request) == Status.HANDED_IN
    reject(analyst, back, reason=RejectReason.CUT_OFF, text="The lower edge.")
    request.refresh_from_db()
    assert (request.status, subjects()[-1]) == (Status.OPEN, "Please send one paper again")
    (paper,) = papers.papers_of(opened)
    assert paper.lacks.startswith(
        "A part of it is cut off. All four corners must be in the picture. The lower"
    )
    again = passport(user, opened, side="BACK", **card)
    drain()
    accept(analyst, again)
    assert now(request) == Status.ACCEPTED
    assert Document.objects.filter(status=Document.Status.REPLACED).get() == back
    assert Document.objects.get(pk=back.pk).reject_text == "The lower edge."


def test_a_rejected_side_while_the_other_is_missing_is_told_too(opened: Application, analyst: User) -> None:
    request = ask(analyst, opened, types=["DRIVERS_LICENSE"])
    front = passport(opened.customer.user, opened, type="DRIVERS_LICENSE", side="FRONT")
    drain()
    reject(analyst, front)
    assert (now(request), DocumentRequest.objects.count()) == (Status.OPEN, 1)
    assert subjects() == ["We need a paper from you", "Please send one paper again"]


def test_a_rejected_paper_of_the_table_is_asked_for_by_a_request(
    box: SandboxProcess, customer_user: User, analyst: User
) -> None:
    application = journeys.trust(customer_user)
    upload_all(customer_user, application)
    bad = Document.objects.get(type="TRUST_CERTIFICATION")
    drain()
    bad.refresh_from_db()
    reject(analyst, bad, reason=RejectReason.OTHER, text="Page 2 is missing.")
    request = DocumentRequest.objects.get()
    assert (request.source, request.types, request.owner) == ("rejection", ["TRUST_CERTIFICATION"], None)
    found = papers.papers_of(application)
    assert [bool(paper.request) for paper in found] == [paper.owner is None for paper in found]
    assert [paper.handed_in for paper in found].count(False) == 1
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    # What we rejected does not go, and the checks wait for what takes its place.
    assert not OutboundCall.objects.filter(operation=KYB_TRIGGER).exists()
    bad.refresh_from_db()
    assert bad.status == Document.Status.RECEIVED
    assert standing.ball(fresh(application)).holder == "customer"
    upload(customer_user, application, type="TRUST_CERTIFICATION")
    drain()
    assert now(request) == Status.HANDED_IN
    assert OutboundCall.objects.filter(operation=KYB_TRIGGER).count() == 1
    assert len(box.account(application.reference)["documents"]) == 3


def test_a_verdict_may_be_changed(opened: Application, analyst: User) -> None:
    request = ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    reject(analyst, document)
    document.refresh_from_db()
    assert now(request) == Status.OPEN
    accept(analyst, document)
    assert now(request) == Status.ACCEPTED
    assert AuditEntry.objects.filter(action__in=["document.accept", "document.reject"]).count() == 2


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reason": "because"}, "reason"),
        ({"reason": "other"}, "text"),
        ({"reason": "other", "text": "x" * 301}, "text"),
    ],
)
def test_a_rejection_says_why(opened: Application, analyst: User, given: Any, field: str) -> None:
    ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    with pytest.raises(Invalid) as caught:
        reject(analyst, document, **given)
    assert set(caught.value.fields) == {field}
    document.refresh_from_db()
    assert document.verdict == ""


def test_an_expired_paper_is_not_accepted(opened: Application, analyst: User) -> None:
    ask(analyst, opened, types=["PASSPORT"])
    document = passport(opened.customer.user, opened)
    drain()
    Document.objects.filter(pk=document.pk).update(expires_on=clock.now().date())
    with pytest.raises(Conflict, match="expired"):
        accept(analyst, document)


def test_a_decision_about_another_version_is_refused(
    opened: Application, analyst: User, staff: Staff
) -> None:
    ask(analyst, opened)
    user = opened.customer.user
    first = proof(user, opened)
    drain()
    second = proof(user, opened, file=file(jpeg(), "again.jpg"))
    drain()
    with pytest.raises(Conflict, match="newer file"):
        accept(analyst, first)
    first.refresh_from_db()
    assert first.verdict == ""
    reject(staff("compliance_manager"), second)
    with pytest.raises(Conflict, match="colleague"):
        accept(analyst, second, seen=0)
    second.refresh_from_db()
    assert second.verdict == Verdict.REJECTED


def test_a_file_of_another_application_is_not_there(opened: Application, analyst: User) -> None:
    other = journeys.trust(make_customer_user())
    upload_all(other.customer.user, other)
    stranger = Document.objects.filter(application=other).first()
    assert stranger is not None
    stranger.application_id = opened.pk
    with pytest.raises(NotFound):
        accept(analyst, stranger)


@pytest.mark.django_db(transaction=True)
def test_accepting_while_the_customer_replaces(customer_user: User, analyst: User) -> None:
    application = submitted(customer_user)
    request = ask(analyst, application)
    document = proof(customer_user, application)
    drain(0)
    Document.objects.filter(pk=document.pk).update(status=Document.Status.RECEIVED)

    def accepts() -> str:
        try:
            accept(analyst, document)
        except Conflict as error:
            return error.message
        return "accepted"

    def replaces() -> str:
        try:
            proof(customer_user, application, file=file(jpeg(), "again.jpg"))
        except Invalid:
            return "settled"
        return "replaced"

    said, did = at_once(accepts, replaces)
    document.refresh_from_db()
    # Whoever came first: either it is accepted and nothing is asked any more, or it was replaced and nobody decided.
    if said == "accepted":
        assert did == "settled" and now(request) == Status.ACCEPTED
    else:
        assert did == "replaced" and "newer file" in said
        assert (document.verdict, now(request)) == ("", Status.HANDED_IN)


# --- The staff list -----------------------------------------------------------------------------------------


def test_the_list_filters_by_papers_and_by_who_has_the_ball(opened: Application, analyst: User) -> None:
    def listed(**chosen: Any) -> bool:
        page = selectors.applications_for_staff(analyst, selectors.ApplicationFilter(**chosen))
        return bool(page.rows)

    def state() -> tuple[list[str], list[str]]:
        by_papers = [name for name in ("asked", "overdue", "to_check") if listed(papers=name)]
        return by_papers, [who for who in ("customer", "us", "provider", "nobody") if listed(waiting_on=who)]

    assert state() == ([], ["nobody"])
    request = ask(analyst, opened)
    assert state() == (["asked"], ["customer"])
    DocumentRequest.objects.filter(pk=request.pk).update(due_on=clock.now().date() - timedelta(days=1))
    Application.objects.filter(pk=opened.pk).update(papers_due_on=clock.now().date() - timedelta(days=1))
    assert state() == (["asked", "overdue"], ["customer"])
    document = proof(opened.customer.user, opened)
    assert state() == (["to_check"], ["us"])
    assert selectors.papers_counts(analyst) == {"asked": 0, "overdue": 0, "to_check": 1}
    drain()
    accept(analyst, document)
    assert state() == ([], ["nobody"])


# --- Malware ------------------------------------------------------------------------------------------------


def test_a_file_that_is_held_back_opens_the_request_again(
    opened: Application, analyst: User, settings: Any
) -> None:
    request = ask(analyst, opened)
    with scanning(settings):
        infected = pdf().replace(b"%%EOF", b"%" + EICAR + b"\n%%EOF")
        document = proof(opened.customer.user, opened, file=file(infected, "proof.pdf"))
        assert now(request) == Status.HANDED_IN
        with pytest.raises(Conflict, match="malware"):
            accept(analyst, document)
        drain()
    document.refresh_from_db()
    assert (document.status, now(request)) == (Document.Status.QUARANTINED, Status.OPEN)
    # One letter tells of it, not two.
    assert subjects() == ["We need a paper from you"]
    assert MailMessage.objects.filter(subject="We could not take your file").count() == 1
    assert fresh(opened).papers_asked == 1
