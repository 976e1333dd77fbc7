"""What the provider's operations alone change: asked for, passed on, confirmed or refused, over the socket."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client

from compliance.models import Case
from onboarding.models import Application, ChangeRequest, Owner
from onboarding.services import restricted as services
from portal.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import at_once
from tests.flow import submitted
from tests.onboarding.test_updates import opened
from tests.people import make_customer_user

Status = ChangeRequest.Status
NEW_NUMBER = "536-88-4321"
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def ask(actor: User, application: Application, field: str = "birth_date", **more: Any) -> ChangeRequest:
    given = {
        "birth_date": {"date_of_birth": "1971-02-03"},
        "tax_number": {"tax_id_type": "SSN", "tax_id": NEW_NUMBER},
        "citizenship": {"citizenship": "MX"},
    }[field]
    return services.restricted_request(
        actor=actor,
        application_id=application.pk,
        field=field,
        answers=given | {"why": f"Mistyped, it is {NEW_NUMBER}"} | more,
        source="page",
    )


def decide(user: User, request: ChangeRequest, decision: str, text: str = "") -> Case:
    case = Case.objects.get(subject_id=request.pk)
    decide_case(user, case, decision, text=text)
    return Case.objects.get(pk=case.pk)


def now(request: ChangeRequest) -> ChangeRequest:
    return ChangeRequest.objects.get(pk=request.pk)


def test_asked_passed_on_confirmed_and_kept(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    request = ask(customer_user, application, "tax_number")
    manager = staff("compliance_manager")
    with pytest.raises(IllegalMove):
        services.restricted_confirm(actor=manager, request_id=request.pk, reference="T-1", source="page")
    assert decide(manager, request, "pass_on").status == Case.Status.DECIDED
    owner = Owner.objects.get(application=application)
    assert owner.tax_id is not None and owner.tax_id.reveal() != "536884321"
    services.restricted_confirm(actor=manager, request_id=request.pk, reference="T-1", source="page")
    owner = Owner.objects.get(application=application)
    assert owner.tax_id is not None and owner.tax_id.reveal() == "536884321"
    assert Owner.objects.filter(
        tax_id_index=Owner._meta.get_field("tax_id_index").index_of("536884321")
    ).exists()
    done = now(request)
    assert (done.status, done.confirmed_by, done.provider_reference) == (Status.CONFIRMED, manager, "T-1")
    assert Case.objects.get(subject_id=request.pk).status == Case.Status.CLOSED
    assert MailMessage.objects.filter(subject="Your details were changed").count() == 1
    with pytest.raises(IllegalMove):
        services.restricted_confirm(actor=manager, request_id=request.pk, reference="T-2", source="page")
    everything = str(list(AuditEntry.objects.values_list("before", "after", "reason")))
    assert "536884321" not in everything and NEW_NUMBER not in everything


def test_a_birth_date_is_written_and_citizenship_only_recorded(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    manager = staff("compliance_manager")
    for field in ("birth_date", "citizenship"):
        request = ask(customer_user, application, field)
        decide(manager, request, "pass_on")
        services.restricted_confirm(actor=manager, request_id=request.pk, reference="T", source="page")
    assert Owner.objects.get(application=application).date_of_birth.reveal() == date(1971, 2, 3)
    kept = AuditEntry.objects.filter(action="account.restricted_confirm").order_by("pk")
    assert [entry.after["kept"] for entry in kept if entry.after] == [True, False]


def test_refused_before_and_after_it_was_passed_on(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    manager = staff("compliance_manager")
    first = ask(customer_user, application)
    assert decide(manager, first, "refuse", "Send us a passport.").status == Case.Status.CLOSED
    assert now(first).refused_because == "Send us a passport."
    second = ask(customer_user, application)
    decide(manager, second, "pass_on")
    services.restricted_refuse(
        actor=manager, request_id=second.pk, reason="The provider needs a paper.", source="page"
    )
    assert now(second).status == Status.REFUSED
    assert set(Case.objects.values_list("status", flat=True)) == {Case.Status.CLOSED}
    assert MailMessage.objects.filter(subject="Your details were not changed").count() == 2


def test_our_rules_once_only_and_whose(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    early = submitted(customer_user)
    with pytest.raises(Conflict):
        ask(customer_user, early)
    application = opened(box, make_customer_user("Open"))
    owner = application.customer.user
    for wrong, field in (
        ({"date_of_birth": "2999-01-01"}, "date_of_birth"),
        ({"why": ""}, "why"),
        ({"given_name": "Eve"}, "given_name"),
    ):
        with pytest.raises(Invalid) as caught:
            ask(owner, application, **wrong)
        assert list(caught.value.fields) == [field]
    with pytest.raises(NotFound):
        ask(make_customer_user("Stranger"), application)
    with pytest.raises(Forbidden):
        ask(staff("auditor"), application)
    with pytest.raises(NotFound):
        services.restricted_request(
            actor=owner, application_id=application.pk, field="shoe_size", answers={}, source="api"
        )
    ask(owner, application, "citizenship")
    ask(owner, application)
    with pytest.raises(Conflict):
        ask(owner, application)
    assert ChangeRequest.objects.count() == 2


def test_withdrawn_until_it_is_passed_on(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    request = ask(customer_user, application)
    with pytest.raises(NotFound):
        services.restricted_withdraw(
            actor=make_customer_user("Stranger"), request_id=request.pk, source="api"
        )
    services.restricted_withdraw(actor=customer_user, request_id=request.pk, source="page")
    assert Case.objects.get().status == Case.Status.CLOSED
    again = ask(staff("onboarding_agent"), application)
    decide(staff("compliance_manager"), again, "pass_on")
    with pytest.raises(IllegalMove):
        services.restricted_withdraw(actor=customer_user, request_id=again.pk, source="page")


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_make_one(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)

    def one() -> str:
        try:
            ask(customer_user, application)
        except Conflict:
            return "refused"
        return "made"

    assert sorted(at_once(one, one)) == ["made", "refused"]
    assert Case.objects.filter(kind=services.KIND).count() == 1


def test_the_pages_and_the_export(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    client = signed_in(customer_user)
    base = f"/applications/{application.pk}/restricted/"
    assert "Date of birth" in client.get(base).content.decode()
    wrong = client.post(f"{base}tax_number/", {"tax_id_type": "SSN", "tax_id": "12", "why": "x"})
    assert wrong.status_code == 422
    typed = {"tax_id_type": "SSN", "tax_id": NEW_NUMBER, "why": "Mistyped"}
    page = client.post(f"{base}tax_number/", typed, follow=True).content.decode()
    assert "Looked at by us" in page and not re.search("88-?4321", page)
    assert "Looked at by us" in client.get(f"/applications/{application.pk}/details/").content.decode()
    request = ChangeRequest.objects.get()
    stranger = signed_in(make_customer_user("Stranger"))
    for address in (base, f"{base}tax_number/"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{base}{request.pk}/withdraw/").status_code == 404
    mine = f"/staff/changes/{request.pk}/"
    analyst = signed_in(staff("compliance_analyst"))
    case = Case.objects.get()
    for address in (mine, f"/staff/cases/{case.pk}/"):
        shown = analyst.get(address).content.decode()
        assert "•••21" in shown and "536884321" not in shown
    reason = {"reason": "For the provider"}
    masked = analyst.post(f"{mine}export/", reason | {"format": "text"})
    assert b"536884321" not in masked.content and application.reference.encode() in masked.content
    full = analyst.post(f"{mine}export/", reason | {"format": "text", "unmasked": "1"})
    assert b"536884321" in full.content and full["Cache-Control"] == "no-store"
    assert analyst.post(f"{mine}export/", reason | {"format": "pdf"}).content.startswith(b"%PDF")
    entries = AuditEntry.objects.filter(action="account.restricted_export")
    assert [entry.after["unmasked"] for entry in entries.order_by("pk") if entry.after] == [
        False,
        True,
        False,
    ]
    auditor = signed_in(staff("auditor"))
    assert auditor.get(mine).status_code == 200
    assert auditor.post(f"{mine}export/", reason | {"format": "text"}).status_code == 403
    assert auditor.post(f"{mine}answer/", {"answer": "confirmed", "reference": "x"}, follow=True)
    assert now(request).status == Status.REQUESTED
    assert client.get(mine).status_code == 403
    asked = analyst.post(
        f"/staff/applications/{application.pk}/restricted/birth_date/",
        {
            "date_of_birth_month": "2",
            "date_of_birth_day": "3",
            "date_of_birth_year": "1971",
            "why": "Passport seen",
        },
        follow=True,
    )
    assert "It was taken" in asked.content.decode()


def test_the_same_over_rest(
    box: SandboxProcess,
    customer_user: User,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    client = signed_in(customer_user)
    address = f"/api/v1/applications/{application.pk}/change-requests"
    assert {"field": "citizenship", "owner": None, "answers": ["citizenship", "why"]} in client.get(
        address
    ).json()["askable"]
    body = {"field": "birth_date", "answers": {"date_of_birth": "1971-02-03", "why": "Mistyped"}}
    for _ in range(2):
        taken = client.post(
            address, body, content_type="application/json", headers={"Idempotency-Key": "one"}
        )
        assert (taken.status_code, taken.json()["status"]) == (202, "requested")
    assert client.post(address, body, content_type="application/json").status_code == 409
    bad = {"field": "birth_date", "answers": {"date_of_birth": "nonsense", "why": "x"}}
    assert client.post(address, bad, content_type="application/json").status_code == 422
    found = client.get(address).json()["requests"]
    assert [row["field"] for row in found] == ["birth_date"]
    assert "1971-02" not in str(found)
    assert signed_in(make_customer_user("Stranger")).get(address).status_code == 404
