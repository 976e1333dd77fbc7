"""Papers that prove a restricted change: asked for with it, uploaded as any paper, shown and given out with it."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import document_checks
from onboarding import services as onboarding_services
from onboarding.models import Application, ChangeRequest, Document, DocumentRequest, Owner, ProviderAccount
from onboarding.services import restricted as services
from portal.errors import Forbidden
from portal.models import AuditEntry, User
from sandbox.testing import SandboxProcess
from tests.onboarding import answers, journeys
from tests.onboarding.papers_support import VALID_UNTIL, file, pdf, upload
from tests.onboarding.test_restricted import ask, decide, now
from tests.onboarding.test_updates import opened

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


@pytest.fixture
def application(box: SandboxProcess, customer_user: User) -> Application:
    """An open account."""
    return opened(box, customer_user)


def passport(user: User, application: Application) -> Document:
    owner = Owner.objects.get(application=application)
    found = upload(
        user,
        application,
        type="PASSPORT",
        owner_id=owner.pk,
        expires_on=VALID_UNTIL,
        file=file(pdf(200_000), "passport.pdf"),
    )
    document_checks.check(found.pk)
    found.refresh_from_db()
    return found


def page(response: Any) -> str:
    return str(response.content.decode())


def test_from_the_ask_to_the_zip(
    customer_user: User, application: Application, staff: Staff, signed_in: SignIn
) -> None:
    request = ask(customer_user, application)
    asked = DocumentRequest.objects.get()
    assert (request.evidence, asked.source, asked.status) == (asked, "change", "open")
    customer = signed_in(customer_user)
    mine = page(customer.get(reverse("requests:restricted", args=[application.pk])))
    assert "Upload what proves it" in mine
    assert "date of birth" in page(customer.get(reverse("customer:documents", args=[application.pk])))
    document = passport(customer_user, application)
    assert DocumentRequest.objects.get().status == "handed_in"
    assert "The paper that proves it is here" in page(
        customer.get(reverse("requests:restricted", args=[application.pk]))
    )
    desk = signed_in(staff("compliance_manager"))
    shown = page(desk.get(reverse("staff_requests:request", args=[request.pk])))
    assert reverse("staff:document", args=[application.pk, document.pk]) in shown
    given = desk.post(
        reverse("staff_requests:export", args=[request.pk]),
        {"format": "zip", "reason": "For the provider", "unmasked": "on"},
    )
    assert given.streaming
    assert given.headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(b"".join(given)))
    assert archive.testzip() is None
    assert archive.namelist() == ["change.txt", "change.pdf", "01-passport-front.pdf"]
    assert b"1971-02-03" in archive.read("change.txt")
    with document.open() as kept:
        assert archive.read("01-passport-front.pdf") == kept.read()
    told = AuditEntry.objects.get(action="account.restricted_evidence")
    assert told.after == {"request": str(request.pk), "documents": [str(document.pk)]}


def test_the_case_names_it_and_its_end_ends_the_asking(
    customer_user: User, application: Application, staff: Staff, signed_in: SignIn
) -> None:
    request = ask(customer_user, application, "tax_number")
    manager = staff("compliance_manager")
    case = page(signed_in(manager).get(reverse("staff_requests:request", args=[request.pk])))
    assert "Asked for, not here yet: Social Security card or Proof of personal tax number" in case
    decide(manager, request, "refuse", "Not without a paper.")
    assert DocumentRequest.objects.get().status == "withdrawn"
    again = ask(customer_user, application, "tax_number")
    services.restricted_withdraw(actor=customer_user, request_id=again.pk, source="page")
    assert set(DocumentRequest.objects.values_list("status", flat=True)) == {"withdrawn"}


def test_who_may_have_the_papers_and_what_is_not_scanned_stays_out(
    customer_user: User, application: Application, staff: Staff, signed_in: SignIn
) -> None:
    request = ask(customer_user, application)
    document = passport(customer_user, application)
    path = reverse("staff_requests:export", args=[request.pk])
    body = {"format": "zip", "reason": "For the provider"}
    for role in ("onboarding_agent", "auditor", "administrator"):
        assert signed_in(staff(role)).post(path, body).status_code == 403
    assert signed_in(customer_user).post(path, body).status_code in {302, 403}
    Document.objects.filter(pk=document.pk).update(scan="pending")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(signed_in(staff("compliance_manager")).post(path, body))))
    assert archive.namelist() == ["change.txt", "change.pdf"]
    assert b"Left out, not free of malware yet: 1" in archive.read("change.txt")


def test_by_rest(customer_user: User, application: Application, signed_in: SignIn) -> None:
    client = signed_in(customer_user)
    base = f"/api/v1/applications/{application.pk}"
    made = client.post(
        f"{base}/change-requests",
        json.dumps(
            {"field": "birth_date", "answers": {"date_of_birth": "1971-02-03", "why": "Mistyped then"}}
        ),
        content_type="application/json",
        headers={"Idempotency-Key": "one"},
    )
    assert made.status_code == 202, made.content
    asked = client.get(f"{base}/document-requests").json()
    assert made.json()["evidence"] in json.dumps(asked)
    sent = client.post(
        f"{base}/documents",
        {
            "type": "PASSPORT",
            "owner": str(Owner.objects.get(application=application).pk),
            "expires_on": VALID_UNTIL.isoformat(),
            "file": file(pdf(), "passport.pdf"),
        },
    )
    assert sent.status_code == 201, sent.content
    assert DocumentRequest.objects.get().status == "handed_in"


# --- What our record does when it is confirmed --------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "kept", "words"),
    [
        ("CUSTODIAL", "INDIVIDUAL", "Our record keeps the old type"),
        ("citizenship", "", "keeps no citizenship"),
    ],
)
def test_what_is_left_to_do_stands_at_the_end_of_the_case(
    customer_user: User, application: Application, staff: Staff, wanted: str, kept: str, words: str
) -> None:
    manager = staff("compliance_manager")
    request = (
        ask(customer_user, application, "citizenship")
        if wanted == "citizenship"
        else services.restricted_request(
            actor=customer_user,
            application_id=application.pk,
            field="account_type",
            answers={"account_type": wanted, "why": "It is for my child"},
            source="page",
        )
    )
    decide(manager, request, "pass_on")
    services.restricted_confirm(actor=manager, request_id=request.pk, reference="T-1", source="page")
    assert now(request).status == ChangeRequest.Status.CONFIRMED
    ends = str(list(AuditEntry.objects.values_list("reason", flat=True)))
    assert words in ends
    application.refresh_from_db()
    assert application.account_type == (kept or "INDIVIDUAL")


def test_an_account_type_that_fits_its_people_is_followed(customer_user: User, staff: Staff) -> None:
    application = onboarding_services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="TRUST", source="page"
    )
    journeys.save(customer_user, application, journeys.entity_steps() | answers.STEPS)
    ProviderAccount.objects.create(
        application=application, client_account_id=application.reference, status="active"
    )
    manager = staff("compliance_manager")
    request = services.restricted_request(
        actor=customer_user,
        application_id=application.pk,
        field="account_type",
        answers={"account_type": "ENTITY_PERSONAL_TRUST", "why": "It is a family's trust"},
        source="page",
    )
    assert request.evidence is None
    decide(manager, request, "pass_on")
    with pytest.raises(Forbidden):
        services.restricted_confirm(
            actor=staff("auditor"), request_id=request.pk, reference="T-1", source="page"
        )
    services.restricted_confirm(actor=manager, request_id=request.pk, reference="T-1", source="page")
    application.refresh_from_db()
    assert (application.account_type, application.entity_type) == ("ENTITY_PERSONAL_TRUST", "TRUST")
    entry = AuditEntry.objects.get(action="account.restricted_confirm")
    assert entry.after is not None
    assert entry.after["kept"] is True
