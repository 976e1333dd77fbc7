"""The pages and endpoints of document requests, for every role, and the provider's copies."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding import services
from onboarding.models import Application, Document, DocumentRequest
from onboarding.words_documents import Verdict
from portal import clock
from portal.models import AuditEntry, Role, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver
from tests.flow import drain, publish_agreements, submitted
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, jpeg, upload, upload_all
from tests.onboarding.requests_support import applicant_of, ask, passport, proof
from tests.people import make_customer_user

SignedIn = Callable[[User], Client]
Staff = Callable[[str], User]


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    stored = kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"documents": stored}


@pytest.fixture
def opened(box: SandboxProcess, customer_user: User) -> Application:
    application = submitted(customer_user)
    drain()
    deliver(box)
    return account_of(application).application


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def url(name: str, application: Application, *more: Any) -> str:
    return reverse(f"staff_documents:{name}", args=[application.pk, *more])


def asked(application: Application, **more: str) -> dict[str, Any]:
    """What the form of a request sends."""
    return {
        "whose": str(applicant_of(application).pk),
        "types_person": ["PROOF_OF_RESIDENTIAL_ADDRESS"],
        "reason": "Your address changed.",
        "due_on": (clock.now().date() + timedelta(days=10)).isoformat(),
        "note": "",
    } | more


def test_from_asking_to_accepting(opened: Application, analyst: User, signed_in: SignedIn) -> None:
    desk, phone = signed_in(analyst), signed_in(opened.customer.user)
    answer = desk.post(url("ask", opened), asked(opened), follow=True)
    text = answer.content.decode()
    assert "Asked. The customer gets a letter" in text and "Your address changed." in text
    status = phone.get(reverse("customer:application", args=[opened.pk])).content.decode()
    assert "Proof of home address" in status and "Your address changed." in status
    page = phone.get(reverse("customer:documents", args=[opened.pk])).content.decode()
    assert "Proof of home address" in page
    document = proof(opened.customer.user, opened)
    drain()
    text = desk.get(url("papers", opened)).content.decode()
    assert "Look at it: accept or reject" in text
    desk.post(url("reject", opened, document.pk), {"seen": 0, "reason": "unreadable", "text": "Too dark."})
    status = phone.get(reverse("customer:application", args=[opened.pk])).content.decode()
    assert "We cannot read it." in status and "Too dark." in status
    document = proof(opened.customer.user, opened, file=file(jpeg(), "again.jpg"))
    drain()
    answer = desk.post(url("accept", opened, document.pk), {"seen": 0}, follow=True)
    text = answer.content.decode()
    assert "Accepted by us" in text and "Earlier versions" in text and "Too dark." in text
    assert DocumentRequest.objects.get().status == "accepted"
    history = desk.get(reverse("staff:application", args=[opened.pk])).content.decode()
    for words in (
        "Paper asked for",
        "Paper rejected by staff",
        "Paper accepted by staff",
        "closed: accepted",
    ):
        assert words in history


@pytest.mark.parametrize("role", sorted(set(Role.values) - {"customer"}))
def test_each_role_sees_what_it_may_do(
    opened: Application, staff: Staff, analyst: User, signed_in: SignedIn, role: str
) -> None:
    request = ask(analyst, opened, note="Ring first.")
    document = proof(opened.customer.user, opened)
    drain()
    client = signed_in(staff(role))
    may_ask = role in {"onboarding_agent", "compliance_analyst", "compliance_manager"}
    may_decide = role in {"compliance_analyst", "compliance_manager"}
    page = client.get(url("papers", opened))
    text = page.content.decode()
    assert page.status_code == 200 and "Ring first." in text
    assert (url("ask", opened) in text) == may_ask
    assert (url("withdraw", opened, request.pk) in text) == may_ask
    assert (url("accept", opened, document.pk) in text) == may_decide
    assert ("/staff/reveal/onboarding.owner.date_of_birth/" in text) == may_decide
    assert client.get(url("ask", opened)).status_code == (200 if may_ask else 403)
    sent = client.post(url("ask", opened), asked(opened, types_person="VISA")).status_code
    assert sent == (302 if may_ask else 403)
    answer = client.post(url("reject", opened, document.pk), {"seen": 0, "reason": "unreadable"})
    assert answer.status_code == (302 if may_decide else 403)
    given = client.post(url("withdraw", opened, request.pk), {"reason": "Not needed."})
    assert given.status_code == (302 if may_ask else 403)
    may_get = 302 if role == "compliance_manager" else 403  # to say why first
    assert client.get(url("provider_file", opened, document.pk)).status_code == may_get
    assert client.get(reverse("staff_documents:expiring")).status_code == 200
    document.refresh_from_db()
    assert (document.verdict == Verdict.REJECTED) == may_decide
    assert DocumentRequest.objects.filter(types=["VISA"]).exists() == may_ask
    request.refresh_from_db()
    assert (request.status == "withdrawn") == may_ask


def test_customers_and_strangers_reach_none_of_it(
    opened: Application, analyst: User, signed_in: SignedIn
) -> None:
    request = ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    for client, expected in ((signed_in(opened.customer.user), 403), (Client(), 302)):
        for name in ("papers", "ask", "provider"):
            assert client.get(url(name, opened)).status_code == expected
        assert client.post(url("accept", opened, document.pk), {"seen": 0}).status_code == expected
    document.refresh_from_db()
    assert document.verdict == ""
    other = journeys.trust(make_customer_user())
    desk = signed_in(analyst)
    assert desk.post(url("withdraw", other, request.pk), {"reason": "no"}).status_code == 404
    assert desk.post(url("accept", other, document.pk), {"seen": 0}).status_code == 404


def test_what_is_wrong_with_a_request_stands_at_its_field(
    opened: Application, analyst: User, signed_in: SignedIn
) -> None:
    desk = signed_in(analyst)
    answer = desk.post(url("ask", opened), asked(opened, due_on="2020-01-01", reason="", types_person=""))
    assert answer.status_code == 422
    assert "Tell the customer what we ask, and why." in answer.content.decode()
    answer = desk.post(url("ask", opened), asked(opened, due_on="2020-01-01") | {"types_person": []})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose at least one paper." in text and "Choose a day after today" in text
    desk.post(url("ask", opened), asked(opened))
    answer = desk.post(url("ask", opened), asked(opened))
    assert answer.status_code == 422 and "This was asked for already" in answer.content.decode()
    assert DocumentRequest.objects.count() == 1


def test_an_old_page_cannot_decide(opened: Application, analyst: User, signed_in: SignedIn) -> None:
    ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    proof(opened.customer.user, opened, file=file(jpeg(), "again.jpg"))
    desk = signed_in(analyst)
    answer = desk.post(url("accept", opened, document.pk), {"seen": 0}, follow=True)
    assert "newer file" in answer.content.decode()
    for sent in ({}, {"seen": "x"}, {"seen": -5}):
        answer = desk.post(url("accept", opened, document.pk), sent, follow=True)
        assert answer.status_code == 200
    assert not Document.objects.exclude(verdict="").exists()


def test_the_page_of_a_file_shows_what_to_compare_and_decides(
    opened: Application, analyst: User, signed_in: SignedIn
) -> None:
    ask(analyst, opened)
    document = proof(opened.customer.user, opened)
    drain()
    desk = signed_in(analyst)
    text = desk.get(reverse("staff:document", args=[opened.pk, document.pk])).content.decode()
    assert applicant_of(opened).full_name in text and url("accept", opened, document.pk) in text
    assert "••••" in text and url("papers", opened) in text


def test_a_trust_chooses_which_of_several_papers_it_sends(
    customer_user: User, analyst: User, signed_in: SignedIn
) -> None:
    application = journeys.trust(customer_user)
    request = ask(analyst, application, owner_id=None, types=["SOURCE_OF_FUNDS", "PROOF_OF_ENTITY_ADDRESS"])
    sent = {
        f"request-{request.pk}-type": "PROOF_OF_ENTITY_ADDRESS",
        f"request-{request.pk}-country": "US",
        f"request-{request.pk}-front": file(),
    }
    phone = signed_in(customer_user)
    phone.post(reverse("customer:documents", args=[application.pk]), sent)
    assert Document.objects.get().type == "PROOF_OF_ENTITY_ADDRESS"
    request.refresh_from_db()
    assert request.status == "handed_in"


def test_dates_of_birth_are_revealed_with_a_reason(
    opened: Application, analyst: User, signed_in: SignedIn
) -> None:
    desk = signed_in(analyst)
    born = applicant_of(opened).date_of_birth
    assert born is not None
    shown = f"{born.reveal():%B} {born.reveal().day}, {born.reveal().year}"
    assert shown not in desk.get(url("papers", opened)).content.decode()
    born_at = reverse("reveals:reveal", args=["onboarding.owner.date_of_birth", applicant_of(opened).pk])
    assert desk.post(born_at, {"reason": "x"}).status_code == 422
    desk.post(born_at, {"reason": "Compared with the passport"})
    answer = desk.get(url("papers", opened))
    assert shown in answer.content.decode() and answer["Cache-Control"] == "no-store"
    assert AuditEntry.objects.filter(action="pii.reveal", reason="Compared with the passport").count() == 1


def test_the_page_costs_the_same_with_many_papers(
    customer_user: User, analyst: User, signed_in: SignedIn
) -> None:
    application = journeys.entity(customer_user)
    desk = signed_in(analyst)
    ask(analyst, application)
    proof(customer_user, application)

    def cost(address: str) -> int:
        desk.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(address).status_code == 200
        return len(queries)

    before = cost(url("papers", application))
    listed = cost(reverse("staff:applications"))
    upload_all(customer_user, application)
    upload_all(customer_user, application)
    for kind in ("VISA", "W_8BEN_FORM", "SOURCE_OF_FUNDS"):
        ask(analyst, application, types=[kind])
        upload(customer_user, application, type=kind, owner_id=applicant_of(application).pk)
    assert cost(url("papers", application)) == before
    assert cost(reverse("staff:applications")) == listed


def test_the_api_says_what_to_upload(opened: Application, analyst: User, signed_in: SignedIn) -> None:
    ask(analyst, opened, note="For colleagues.")
    address = reverse("api:document_requests", args=[opened.pk])
    app = signed_in(opened.customer.user)
    (row,) = app.get(address).json()["requests"]
    assert (row["status"], row["because"], row["overdue"]) == ("open", "staff", False)
    assert row["types"] == ["PROOF_OF_RESIDENTIAL_ADDRESS"] and "note" not in row
    sent = {"type": row["types"][0], "owner": row["owner"], "country": "US", "file": file()}
    assert app.post(reverse("api:documents", args=[opened.pk]), sent).status_code == 201
    (row,) = app.get(address).json()["requests"]
    assert row["status"] == "handed_in"
    (document,) = row["documents"]
    assert (document["verdict"], document["rejected_because"]) == ("", "")
    (paper,) = app.get(reverse("api:documents", args=[opened.pk])).json()["papers"]
    assert paper["request"] == row["id"]
    application = app.get(f"/api/v1/applications/{opened.pk}").json()
    assert application["ball"]["holder"] == "us"
    assert signed_in(make_customer_user()).get(address).status_code == 404
    assert Client().get(address).status_code == 401


# --- What the provider has ----------------------------------------------------------------------------------


def test_the_provider_s_list_beside_ours(
    box: SandboxProcess, customer_user: User, staff: Staff, signed_in: SignedIn
) -> None:
    application = journeys.foreigner(customer_user)
    desk = signed_in(staff("compliance_manager"))
    assert "not handed in" in desk.get(url("provider", application)).content.decode()
    passport(customer_user, application)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    document = Document.objects.get()
    text = desk.post(url("provider", application)).content.decode()
    assert "The two agree" in text and url("provider_file", application, document.pk) in text
    Document.objects.filter(pk=document.pk).update(country="FR", expires_on="2033-01-01")
    text = desk.post(url("provider", application)).content.decode()
    assert "The two differ" in text and "Country: ours FRA" in text and "Valid until: ours 2033-01-01" in text
    assert AuditEntry.objects.filter(action="document.compare").count() == 2
    box.api("DELETE", f"accounts/{application.reference}")
    text = desk.post(url("provider", application)).content.decode()
    assert "could not be read" in text or "does not have it" in text


def test_the_provider_s_copy_is_downloaded_and_recorded(
    box: SandboxProcess, customer_user: User, staff: Staff, signed_in: SignedIn
) -> None:
    application = journeys.foreigner(customer_user)
    content = jpeg()
    passport(customer_user, application, file=file(content))
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    document = Document.objects.get()
    desk = signed_in(staff("compliance_manager"))
    why = desk.get(url("provider_file", application, document.pk)).url
    assert why.startswith("/staff/reveal/onboarding.provideraccount.papers/")
    given = desk.post(why, {"reason": "Ours was changed"})
    assert given.url == url("provider_file", application, document.pk)
    answer = desk.get(given.url)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == content  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment;")
    assert (answer["Cache-Control"], answer["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert AuditEntry.objects.get(action="document.read_provider").subject_id == application.pk
    # Another account's paper is not there, whoever asks under this one.
    other = submitted(make_customer_user())
    drain()
    assert account_of(other).provider_id
    desk.post(why.replace(str(account_of(application).pk), str(account_of(other).pk)), {"reason": "Looking"})
    assert desk.get(url("provider_file", other, document.pk)).status_code == 404
    box.fault("502_html", "read_document", count=9)
    answer = desk.get(url("provider_file", application, document.pk), follow=True)
    assert "could not be read" in answer.content.decode()
    assert AuditEntry.objects.filter(action="document.read_provider").count() == 1
