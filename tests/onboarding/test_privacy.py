"""Customers ask for a copy of their data or for its erasure; a person decides; the law keeps some."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse

from compliance import services as compliance
from compliance.models import Case
from onboarding import document_checks, drafts, services, shut_away
from onboarding.models import (
    Address,
    Application,
    Customer,
    DataRequest,
    Document,
    LegalHold,
    Owner,
    ProviderAccount,
)
from onboarding.privacy import exporting, holds, requests
from portal import clock, revealing
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from tests.flow import complete_draft, submitted
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, pdf, upload
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
Status = DataRequest.Status
PAGE = reverse("privacy:home")


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


def closed(user: User, **identity: Any) -> Application:
    """An application whose account was open and is closed, with nothing under way."""
    application = submitted(user, **identity)
    OutboundCall.objects.update(status="succeeded")
    account = ProviderAccount.objects.get(application=application)
    account.move_to(ProviderAccount.Status.CLOSED, actor=None, source="test")
    return Application.objects.get(pk=application.pk)


def ask(user: User, kind: str, **how: Any) -> DataRequest:
    return requests.data_request_ask(actor=user, kind=kind, source="page", **how)


def decide(manager: User, request: DataRequest, decision: str, **how: str) -> Case:
    case = Case.objects.get(subject_id=request.pk)
    if case.assignee_id is None:
        compliance.case_assign(actor=manager, case_id=case.pk, to=manager)
    case = compliance.case_check(actor=manager, case_id=case.pk, done={"identity", "money"})
    compliance.case_decide(actor=manager, case_id=case.pk, decision=decision, version=case.version, **how)
    request.refresh_from_db()
    return Case.objects.get(pk=case.pk)


def text_of(response: Any) -> str:
    return response.content.decode()


# --- A copy -------------------------------------------------------------------------------------------------


def test_a_copy_is_asked_for_decided_made_and_fetched(
    customer_user: User, manager: User, signed_in: SignIn
) -> None:
    application = journeys.trust(customer_user)
    document = upload(customer_user, application, file=file(pdf(), "t.pdf"), type="TRUST_CERTIFICATION")
    document_checks.check(document.pk)
    client = signed_in(customer_user)
    assert client.post(reverse("privacy:ask", args=["export"])).url == PAGE
    request = DataRequest.objects.get()
    assert ask(customer_user, "export").pk == request.pk  # twice is once
    assert (request.due_on - clock.today()).days == 45
    assert "You hear from us by" in text_of(client.get(PAGE))
    case = decide(manager, request, "give")
    assert (case.status, request.status) == (Case.Status.CLOSED, Status.PREPARING)

    exporting.make(request.pk)
    request.refresh_from_db()
    first = request.size
    exporting.make(request.pk)  # a task that comes twice
    request.refresh_from_db()
    assert (request.status, request.size) == (Status.READY, first)
    assert MailMessage.objects.filter(subject="Your data is ready").count() == 1
    shown = text_of(client.get(PAGE))
    start = shown.index("/privacy/copy/")
    link = shown[start : shown.index('"', start)]
    answer = client.get(link)
    assert answer["Content-Disposition"] == 'attachment; filename="your-data.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:  # type: ignore[attr-defined]
        assert archive.testzip() is None
        names = archive.namelist()
        data = json.loads(archive.read("data.json"))
        with document.open() as kept:
            assert archive.read(names[2]) == kept.read()
    assert names[:2] == ["README.txt", "data.json"] and names[2].endswith(".pdf")
    told = {row["question"]: row["answer"] for row in data["applications"][0]["answers"]}
    mine = drafts.applicant_of(application)
    assert mine.tax_id is not None and mine.tax_id.reveal() in told.values()
    assert data["person"]["email"] == customer_user.email
    assert AuditEntry.objects.filter(action="privacy.export_read", actor=customer_user).count() == 1
    # It lies sealed, is nobody else's, and runs out: first the link, then the file.
    raw = Path(storages["documents"].path(request.path)).read_bytes()
    assert b"data.json" not in raw
    stranger = signed_in(make_customer_user())
    assert stranger.get(link).status_code == 404
    assert client.get(link + "x").status_code == 404
    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        assert signed_in(customer_user).get(link).status_code == 410
    with time_machine.travel(clock.now() + timedelta(days=8)):
        late = exporting.token(customer_user, request)
        assert signed_in(customer_user).get(reverse("privacy:file", args=[late])).status_code == 410
        assert exporting.look_after() == []
        request.refresh_from_db()
        assert request.status == Status.EXPIRED and request.file_key is None


def test_a_copy_holds_nothing_of_the_others(customer_user: User) -> None:
    application = journeys.entity(customer_user)
    other = Owner.objects.filter(application=application, is_applicant=False).first()
    if other is None:
        other = Owner.objects.create(application=application, role="BENEFICIAL_OWNER", given_name="Bo")
    other.family_name, other.tax_id, other.phone = "Zweifelsohne", "536-99-7654", "+15125550777"
    other.save()
    content, _ = exporting.contents(customer_user)
    text = json.dumps(content, default=exporting._plain)
    for theirs in ("Zweifelsohne", "536-99-7654", "5125550777"):
        assert theirs not in text
    assert "office@example.test" in text
    # And who has a part of their own gets that part, and not the applicant's.
    user = make_customer_user("Bo")
    other.user = user
    other.save()
    content, _ = exporting.contents(user)
    text = json.dumps(content, default=exporting._plain)
    assert customer_user.email not in text and "office@example.test" not in text
    assert content["applications"][0]["your_role"] == str(other.get_role_display())


def test_a_worker_that_was_lost_is_followed_by_another(customer_user: User, manager: User) -> None:
    complete_draft(customer_user)
    request = ask(customer_user, "export")
    decide(manager, request, "give")
    storages["documents"].save(request.path, io.BytesIO(b"half a file"))  # type: ignore[arg-type]
    assert exporting.look_after() == []
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert exporting.look_after() == [request.pk]
        exporting.make(request.pk)
    request.refresh_from_db()
    with request.open() as made, zipfile.ZipFile(made) as archive:  # type: ignore[call-overload]
        assert "data.json" in archive.namelist()


# --- Erasure ------------------------------------------------------------------------------------------------


def test_what_need_not_be_kept_is_erased_and_the_rest_shut_away(
    customer_user: User, manager: User, staff: Staff, signed_in: SignIn
) -> None:
    kept = closed(customer_user, given_name="Marisol", tax_id="536-22-1234")
    draft = journeys.trust(customer_user)
    paper = upload(customer_user, draft, file=file(pdf(), "t.pdf"), type="TRUST_CERTIFICATION")
    place = Path(storages["documents"].path(paper.path))
    assert place.exists()
    case = compliance.case_open(
        kind="onboarding.duplicate",
        subject=compliance.Subject.of(kept, "Marisol Ortiz"),
        title="Seen",
        facts={},
        source="test",
        dedupe="x",
    )
    compliance.case_settle(
        kind=case.kind, subject=compliance.Subject.of(kept, ""), reason="done", source="test"
    )
    customer = Customer.objects.get(user=customer_user)
    client = signed_in(customer_user)
    request = ask(customer_user, "erasure")
    trail = AuditEntry.objects.count()
    decided = decide(manager, request, "erase")
    assert (decided.status, request.status) == (Case.Status.CLOSED, Status.DONE)
    assert AuditEntry.objects.count() > trail

    # The draft is empty, its file gone.
    draft.refresh_from_db()
    owner = Owner.objects.get(application=draft, is_applicant=True)
    assert draft.erased_at and (owner.given_name, owner.tax_id, owner.tax_id_index, owner.phone) == (
        "",
        None,
        "",
        "",
    )
    assert owner.person_index == "" and not Address.objects.filter(owner=owner).exists()
    assert not Document.objects.filter(application=draft).exists()
    # Letters and sessions are gone, but for the one that tells of it.
    assert [row.subject for row in MailMessage.objects.all()] == ["Your data was erased"]
    assert client.get(PAGE).status_code == 302
    # The customer reads what, why and until when, and sees nothing of the account.
    client = signed_in(customer_user)
    shown = text_of(client.get(PAGE))
    customer.refresh_from_db()
    assert customer.restricted_until == (clock.now() + timedelta(days=1827)).date()
    for words in (draft.reference, kept.reference, "31 CFR 1020.220", str(customer.restricted_until)):
        assert words in shown
    assert client.get(reverse("customer:application", args=[kept.pk])).status_code == 404
    assert kept.reference not in text_of(client.get(reverse("customer:home")))
    # So does every member of the staff, until one who may says why.
    page = reverse("staff:application", args=[kept.pk])
    for role in ("compliance_analyst", "compliance_manager", "auditor", "administrator"):
        desk = signed_in(staff(role))
        assert desk.get(page).status_code == 403
        assert kept.reference not in text_of(desk.get(reverse("staff:applications"), {"q": "Marisol"}))
    hidden = signed_in(staff("compliance_analyst")).get(reverse("cases:detail", args=[case.pk]))
    assert hidden.status_code == 403 and "shut away" in text_of(hidden)
    with pytest.raises(Forbidden):
        compliance.export_ask(actor=manager, case_ids=[case.pk], reason="Sampling", with_papers=True)
    auditor = staff("auditor")
    desk = signed_in(auditor)
    where = reverse("privacy_staff:customer", args=[customer.pk])
    assert "Marisol" not in text_of(desk.get(where))
    with pytest.raises(Forbidden):
        revealing.reveal_grant(
            actor=staff("compliance_analyst"), name=shut_away.FIELD, row_id=customer.pk, reason="Curious"
        )
    desk.post(reverse("reveals:reveal", args=[shut_away.FIELD, customer.pk]), {"reason": "Subpoena 12"})
    assert desk.get(page).status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert signed_in(auditor).get(page).status_code == 403


def test_of_whom_nothing_must_be_kept_not_even_the_login_stays(customer_user: User, manager: User) -> None:
    draft = complete_draft(customer_user)
    address = customer_user.email
    request = ask(customer_user, "erasure")
    decide(manager, request, "erase")
    customer_user.refresh_from_db()
    draft.refresh_from_db()
    assert (customer_user.name, customer_user.is_active, draft.status) == ("", False, "withdrawn")
    assert address not in customer_user.email and not customer_user.has_usable_password()
    letter = MailMessage.objects.get().content.reveal()
    assert letter["to"] == [address] and "Your login" in letter["text"]
    assert Case.objects.get(subject_id=request.pk).subject_label.startswith("Customer ")


def test_every_reason_against_erasing_at_once(customer_user: User, manager: User) -> None:
    application = submitted(customer_user)
    customer = Customer.objects.get(user=customer_user)
    holds.hold_place(actor=manager, customer_id=customer.pk, reason="Subpoena 12-345")
    before = list(requests._obstacles)
    requests.register_obstacle(lambda found: ["A transfer is under way."] if found == customer else [])
    try:
        ask(customer_user, "export")
        request = ask(customer_user, "erasure")
        with pytest.raises(Conflict) as refused:
            decide(manager, request, "erase")
        for words in (application.reference, "legal hold", "call to the provider", "A copy", "A transfer"):
            assert words in refused.value.message
        assert request.status == Status.ASKED and Owner.objects.get(application=application).given_name
        # The customer reads what they can do something about, and nothing of holds.
        assert requests.reasons_for_customer(customer) == [
            f"{application.reference} is not closed. Close the account or withdraw it first."
        ]
    finally:
        requests._obstacles[:] = before
    decide(manager, request, "refuse", reason_code="not_yet", text="Your account is open.")
    assert (request.status, request.refused_because) == (Status.REFUSED, "Your account is open.")


def test_who_asks_and_who_decides(
    customer_user: User, staff: Staff, signed_in: SignIn, manager: User
) -> None:
    complete_draft(customer_user)
    customer = Customer.objects.get(user=customer_user)
    agent = staff("onboarding_agent")
    with pytest.raises(Invalid):
        ask(agent, "export", customer_id=customer.pk, verified_how="")
    with pytest.raises(Invalid):
        ask(customer_user, "everything")
    with pytest.raises(NotFound):
        ask(agent, "export", customer_id=new_id(), verified_how="Called back")
    for role in ("auditor", "funding_operator", "administrator"):
        with pytest.raises(Forbidden):
            ask(staff(role), "export", customer_id=customer.pk, verified_how="Called back")
    where = reverse("privacy_staff:customer", args=[customer.pk])
    desk = signed_in(agent)
    assert desk.post(f"{where}ask/", {"ask-kind": "export", "ask-verified_how": "no"}).status_code == 422
    desk.post(f"{where}ask/", {"ask-kind": "export", "ask-verified_how": "Called back"})
    request = DataRequest.objects.get()
    assert (request.asked_by, request.verified_how) == (agent, "Called back")
    with pytest.raises(Forbidden):
        decide(staff("compliance_analyst"), request, "give")
    with pytest.raises(NotFound):
        requests.data_request_withdraw(actor=make_customer_user(), request_id=request.pk, source="page")
    client = signed_in(customer_user)
    client.post(reverse("privacy:withdraw", args=[request.pk]))
    request.refresh_from_db()
    assert request.status == Status.WITHDRAWN
    assert Case.objects.get(subject_id=request.pk).status == Case.Status.CLOSED
    # Erasure is not asked for by accident, and pages are for whom they are made.
    assert client.post(reverse("privacy:ask", args=["erasure"])).status_code == 422
    assert client.get(where).status_code == 403 and desk.get(PAGE).status_code == 403
    for role, expected in (("funding_operator", 403), ("auditor", 200), ("administrator", 403)):
        assert signed_in(staff(role)).get(where).status_code == expected
        assert signed_in(staff(role)).post(f"{where}hold/", {"hold-reason": "A court"}).status_code == 403
    assert not LegalHold.objects.exists()
    client = signed_in(manager)
    client.post(f"{where}hold/", {"hold-reason": "Subpoena 7", "act": "place"})
    assert "Subpoena 7" in text_of(client.get(where))
    client.post(f"{where}hold/", {"hold-reason": "Court closed it", "act": "lift"})
    hold = LegalHold.objects.get()
    assert (hold.lifted_by, hold.lifted_because) == (manager, "Court closed it")


def test_the_last_day_is_sooner_outside_the_united_states(customer_user: User) -> None:
    journeys.foreigner(customer_user)
    assert (ask(customer_user, "export").due_on - clock.today()).days == 30


def test_an_erased_application_s_page_still_opens(
    customer_user: User, manager: User, signed_in: SignIn
) -> None:
    draft = journeys.entity(customer_user)
    services.application_start(actor=make_customer_user(), source="page")
    decide(manager, ask(customer_user, "erasure"), "erase")
    answer = signed_in(manager).get(reverse("staff:application", args=[draft.pk]))
    assert answer.status_code == 200 and "Sample Works" not in text_of(answer)
