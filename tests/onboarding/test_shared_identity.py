"""An identity check shared by a token: with handing in, and imported again by staff and apps."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import services, standing
from onboarding.models import Application
from onboarding.operations import SAVE_ACCOUNT, SHARED_IDENTITY
from onboarding.services import shared_identity
from onboarding.services.shared_identity import shared_identity_import, why_not_import
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, OutboundCall, User
from providers.models import ExpectedEvent, InboundEvent
from sandbox.testing import SandboxProcess
from tests.faults.way import deliver, exchanges
from tests.flow import complete_draft, drain, submitted
from tests.onboarding import journeys
from tests.people import make_customer_user, sign_in

pytestmark = pytest.mark.django_db
Call = OutboundCall.Status
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
TOKEN = "_act-sbx-jwt-eyJhbGciOiJub25lIn0.share"


def given(operation: str) -> dict[str, Any]:
    body: dict[str, Any] = OutboundCall.objects.get(operation=operation).body.reveal()
    return body


def refused(box: SandboxProcess, user: User) -> Application:
    """An application whose identity check failed at the provider."""
    application = submitted(user, given_name="Maggic", family_name="Dawn")
    drain()
    deliver(box)
    application = Application.objects.get(pk=application.pk)
    assert application.account.party_reason == "RISK_KYC"
    return application


def ask(
    actor: User, application: Application, token: str = TOKEN, reason: str = "A fresh token"
) -> OutboundCall:
    return shared_identity_import(
        actor=actor, application_id=application.pk, share_token=token, reason=reason, source="page"
    )


def test_it_goes_with_the_application_once(box: SandboxProcess, customer_user: User) -> None:
    draft = complete_draft(customer_user)
    services.application_submit(
        actor=customer_user, application_id=draft.pk, source="api", share_token=f" {TOKEN}\n"
    )
    assert given(SAVE_ACCOUNT)["shareToken"] == TOKEN
    drain()
    deliver(box)
    assert Application.objects.get().status == Application.Status.APPROVED
    (call,) = exchanges(box, "save_account")
    assert "shareToken" in call["body"]
    assert TOKEN not in str(AuditEntry.objects.values_list("before", "after", "reason"))


def test_without_one_nothing_is_sent(customer_user: User) -> None:
    submitted(customer_user)
    assert "shareToken" not in given(SAVE_ACCOUNT)


@pytest.mark.parametrize("token", ["two words", "x" * 2001, "\x00", "clé"])
def test_what_cannot_be_a_token_is_refused_and_nothing_handed_in(customer_user: User, token: str) -> None:
    draft = complete_draft(customer_user)
    with pytest.raises(Invalid) as caught:
        services.application_submit(
            actor=customer_user, application_id=draft.pk, source="api", share_token=token
        )
    assert list(caught.value.fields) == ["share_token"]
    assert Application.objects.get().status == Application.Status.DRAFT


def test_a_held_application_goes_without_it(customer_user: User) -> None:
    submitted(make_customer_user("First"), tax_id="536-22-1234")
    draft = complete_draft(customer_user, tax_id="536-22-1234")
    held = services.application_submit(
        actor=customer_user, application_id=draft.pk, source="api", share_token=TOKEN
    )
    assert held.status == Application.Status.HELD
    assert "does not know the account yet" in why_not_import(held)[0]


def test_a_company_has_none(customer_user: User, staff: Staff) -> None:
    application = journeys.entity(customer_user)
    with pytest.raises(Invalid, match="cannot be used"):
        services.application_submit(
            actor=customer_user, application_id=application.pk, source="api", share_token=TOKEN
        )
    with pytest.raises(Conflict, match="company or trust"):
        ask(staff("compliance_analyst"), application)


def test_staff_have_it_imported_again_and_the_provider_looks_anew(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = refused(box, customer_user)
    analyst = staff("compliance_analyst")
    page = signed_in(analyst)
    path = reverse("staff:shared_identity", args=[application.pk])
    assert path in page.get(reverse("staff:application", args=[application.pk])).content.decode()
    assert "None yet" in page.get(path).content.decode()
    answer = page.post(path, {"share_token": TOKEN, "reason": "The first was too old"}, follow=True)
    text = answer.content.decode()
    assert "On its way" in text
    assert "An import is on its way" in text
    assert TOKEN not in text
    with pytest.raises(Conflict, match="on its way"):
        ask(analyst, application)
    mine = signed_in(customer_user).get(reverse("customer:home"), follow=True).content.decode()
    assert "Your identity check is being looked at again" in mine
    assert standing.ball(Application.objects.get()).holder == "provider"
    drain()
    assert "Imported" in page.get(path).content.decode()
    assert ExpectedEvent.objects.filter(state=ExpectedEvent.State.WAITING).count() == 1
    deliver(box)
    assert not ExpectedEvent.objects.filter(state=ExpectedEvent.State.WAITING).exists()
    assert standing.ball(Application.objects.get()).line == "Decided: the account was not opened"
    assert len(exchanges(box, "recover_kyc_transfer")) == 1
    assert InboundEvent.objects.filter(party_ref=application.reference).count() == 2
    actions = AuditEntry.objects.filter(subject_id=application.pk).values_list("action", flat=True)
    assert {"account.shared_identity", "account.shared_identity_done"} <= set(actions)
    assert TOKEN not in str(AuditEntry.objects.values_list("before", "after", "reason"))


def test_a_verdict_before_the_answer_leaves_nothing_to_wait_for(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    call = ask(staff("compliance_analyst"), refused(box, customer_user))
    box.fault("webhook_early", "PARTY_EVENT")
    drain()
    assert OutboundCall.objects.get(pk=call.pk).status == Call.SUCCEEDED
    assert InboundEvent.objects.count() == 2
    assert not ExpectedEvent.objects.filter(state=ExpectedEvent.State.WAITING).exists()
    assert standing.ball(Application.objects.get()).holder == "nobody"


def test_what_the_provider_does_not_take_stands_on_the_page(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = refused(box, customer_user)
    analyst = staff("compliance_analyst")
    call = ask(analyst, application, "wrong")
    drain()
    assert OutboundCall.objects.get(pk=call.pk).status == Call.REJECTED
    text = signed_in(analyst).get(reverse("staff:shared_identity", args=[application.pk])).content.decode()
    assert "Not accepted" in text
    assert standing.ball(Application.objects.get()).holder == "nobody"
    assert not why_not_import(application)


def test_only_who_decides_may_ask_and_must_say_why(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = refused(box, customer_user)
    with pytest.raises(Forbidden):
        ask(staff("auditor"), application)
    analyst = staff("compliance_analyst")
    with pytest.raises(Invalid) as caught:
        ask(analyst, application, reason=" ok ")
    assert list(caught.value.fields) == ["reason"]
    with pytest.raises(Invalid) as caught:
        ask(analyst, application, "no token")
    assert list(caught.value.fields) == ["share_token"]
    with pytest.raises(NotFound):
        shared_identity_import(
            actor=analyst, application_id=new_id(), share_token=TOKEN, reason="A reason", source="page"
        )
    assert not OutboundCall.objects.filter(operation=SHARED_IDENTITY).exists()


def test_an_open_account_needs_none(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = submitted(customer_user)
    drain()
    deliver(box)
    with pytest.raises(Conflict, match="opened already"):
        ask(staff("compliance_analyst"), application)


def test_apps_share_with_handing_in_and_again(box: SandboxProcess, customer_user: User) -> None:
    draft = complete_draft(customer_user, given_name="Maggic", family_name="Dawn")
    mine, strangers = sign_in(Client(), customer_user), sign_in(Client(), make_customer_user("Other"))

    def post(what: str, body: dict[str, Any], client: Client = mine) -> Any:
        path = f"/api/v1/applications/{draft.pk}/{what}"
        return client.post(path, body, content_type="application/json")

    wrong = post("submit", {"share_token": "two words"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/share_token")
    assert post("submit", {"share_token": TOKEN}).status_code == 200
    assert given(SAVE_ACCOUNT)["shareToken"] == TOKEN
    assert post("shared-identity", {"share_token": TOKEN}).status_code == 409
    drain()
    assert post("shared-identity", {}).status_code == 422
    assert post("shared-identity", {"share_token": TOKEN}).status_code == 200
    assert post("shared-identity", {"share_token": TOKEN}).status_code == 409
    assert post("shared-identity", {"share_token": TOKEN}, strangers).status_code == 404
    assert shared_identity.imports_of(Application.objects.get(pk=draft.pk).account)[0].actor == customer_user


@pytest.mark.parametrize("body", ["", "null", "{}"])
def test_apps_that_share_nothing_need_no_body(customer_user: User, body: str) -> None:
    draft = complete_draft(customer_user)
    path = f"/api/v1/applications/{draft.pk}/submit"
    answer = sign_in(Client(), customer_user).generic("POST", path, body, content_type="application/json")
    assert answer.status_code == 200
    assert "shareToken" not in given(SAVE_ACCOUNT)
