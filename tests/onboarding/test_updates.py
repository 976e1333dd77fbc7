"""Changing an account that is open, over the socket: the whole data set again, with only the changes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from compliance.models import Case
from onboarding import services
from onboarding.agreements import agreement_publish
from onboarding.agreements.acceptance import agreements_accept_pending
from onboarding.agreements.scope import pending_for
from onboarding.models import AccountUpdate, Application, InvestmentProfile, Owner
from portal import outbox
from portal.errors import Conflict, Invalid, NotFound
from portal.models import MailMessage, OutboundCall, User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import account_of, at_sandbox, deliver, exchanges, later, read_back
from tests.flow import drain, submitted
from tests.onboarding import answers
from tests.people import make_customer_user

Status = AccountUpdate.Status
NEW_PHONE = "+15125550177"


def opened(box: SandboxProcess, user: User, **identity: Any) -> Application:
    """An open account."""
    application = submitted(user, **identity)
    drain()
    deliver(box)
    return Application.objects.get(pk=application.pk)


def ask(application: Application, step: str = "contact", **changed: Any) -> AccountUpdate:
    """The customer asks for a change."""
    given = {"contact": answers.CONTACT | {"phone": NEW_PHONE}, "address": answers.HOME}.get(step, {})
    return services.update_request(
        actor=application.customer.user,
        application_id=application.pk,
        step=step,
        answers=given | changed,
        source="page",
    )


def now(update: AccountUpdate) -> AccountUpdate:
    return AccountUpdate.objects.get(pk=update.pk)


def phone(application: Application) -> str:
    return Owner.objects.get(application=application, is_applicant=True).phone


def there(application: Application) -> dict[str, Any]:
    """The provider's copy."""
    request = bakkt_crypto().read_account(application.reference).request
    assert request is not None
    return request.to_wire()


def end_review(box: SandboxProcess, application: Application, outcome: str) -> None:
    box.api("POST", f"accounts/{application.reference}/end-update", {"outcome": outcome})


def test_a_new_phone_number_all_the_way(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user, family_name="Waits", given_name="Update")
    before = there(application)
    update = ask(application)
    assert (update.status, update.labels) == (Status.CHECKING, ["Mobile phone number"])
    assert phone(application) == "+15125550142"
    drain()
    assert now(update).status == Status.IN_REVIEW
    assert phone(application) == "+15125550142"
    end_review(box, application, "accepted")
    with later(minutes=5):
        read_back(application)
    assert now(update).status == Status.APPLIED
    assert phone(application) == NEW_PHONE
    after = there(application)
    assert after["owners"][0]["phoneNumber"] == NEW_PHONE
    # Nothing else changed there.
    before["owners"][0]["phoneNumber"] = NEW_PHONE
    assert after == before
    assert MailMessage.objects.filter(subject="Your details were changed").count() == 1


def test_what_is_for_us_alone_is_kept_at_once_and_never_sent(
    box: SandboxProcess,
    customer_user: User,
    signed_in: Callable[[User], Client],
) -> None:
    application = opened(box, customer_user, family_name="Waits", given_name="Update")
    calls, before = OutboundCall.objects.count(), there(application)
    wanted = answers.INVESTMENT | {"expected_monthly_deposits": "FROM_5K_TO_10K"}
    # The page asks for it, and the API takes it.
    page = signed_in(customer_user).get(f"/applications/{application.pk}/details/investment/")
    assert 'name="expected_monthly_deposits"' in page.content.decode()
    answer = signed_in(customer_user).post(
        f"/api/v1/applications/{application.pk}/details/investment", wanted, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "applied")
    assert InvestmentProfile.objects.get().expected_monthly_deposits == "FROM_5K_TO_10K"
    assert OutboundCall.objects.count() == calls
    # With something else it goes along, and the provider hears of that alone.
    update = services.update_request(
        actor=customer_user, application_id=application.pk, step="investment", source="page",
        answers=wanted | {"expected_monthly_deposits": "UNDER_1K", "risk_tolerance": "LOW"},
    )  # fmt: skip
    drain()
    end_review(box, application, "accepted")
    with later(minutes=5):
        read_back(application)
    assert now(update).status == Status.APPLIED
    before["investmentProfile"]["accountGoals"]["riskTolerance"] = "LOW"
    assert there(application) == before
    assert InvestmentProfile.objects.get().expected_monthly_deposits == "UNDER_1K"


def test_a_change_the_review_refuses_leaves_everything(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user, given_name="Update", family_name="Waits")
    update = ask(application)
    drain()
    end_review(box, application, "rejected")
    with later(minutes=5):
        read_back(application)
    assert now(update).status == Status.REFUSED
    assert phone(application) == "+15125550142"
    assert MailMessage.objects.filter(subject="Your details were not changed").count() == 1


def test_what_nobody_asked_for_stops_it_and_a_person_decides(
    box: SandboxProcess,
    customer_user: User,
    staff: Callable[[str], User],
) -> None:
    application = opened(box, customer_user)
    box.api(
        "POST",
        f"accounts/{application.reference}/drift",
        {
            "changes": {
                "owners[0].identity.middleNames": "Maria",
                "owners[0].emailAddress": "other@example.test",
            }
        },
    )
    update = ask(application)
    drain()
    held = now(update)
    assert held.status == Status.HELD
    # What would be blanked comes first.
    assert [path.rsplit(".", 1)[-1] for path in held.stopped_by] == ["middleNames", "emailAddress"]
    assert exchanges(box, "save_account")[1:] == []
    case = Case.objects.get(kind="onboarding.update_differs")
    assert "other@example.test" not in str(list(case.facts.values()))
    manager = staff("compliance_manager")
    decide_case(manager, case, "send")
    drain()
    owner = there(application)["owners"][0]
    assert (owner["phoneNumber"], owner["emailAddress"]) == (NEW_PHONE, "ana@example.test")
    assert "middleNames" not in owner["identity"]


def test_it_waits_for_agreements_and_then_goes_by_itself(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    agreement_publish(name="e-sign", version="2", title="Electronic consent", text="You consent anew.")
    update = ask(application)
    drain()
    assert update.status == Status.WAITING
    assert len(exchanges(box, "save_account")) == 1
    waiting = pending_for(customer_user)
    agreements_accept_pending(
        actor=customer_user,
        accepted={item.agreement.pk: item.agreement.text_sha256 for item in waiting},
        source="page",
    )
    drain()
    assert now(update).status in {Status.IN_REVIEW, Status.APPLIED}
    sent = there(application)["owners"][0]["agreements"]
    assert {"e-sign 1", "e-sign 2"} <= {f"{row['name']} {row['version']}" for row in sent}


def test_a_second_change_joins_one_that_waits_and_not_one_on_its_way(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = opened(box, customer_user)
    agreement_publish(name="e-sign", version="2", title="Electronic consent", text="You consent anew.")
    first = ask(application)
    second = ask(application, "address", home_line1="200 Sample Street")
    assert second.pk == first.pk
    assert now(first).labels == ["Mobile phone number", "Home address: street address"]
    services.update_withdraw(actor=customer_user, application_id=application.pk, source="page")
    assert now(first).status == Status.WITHDRAWN
    waiting = pending_for(customer_user)
    agreements_accept_pending(
        actor=customer_user,
        accepted={item.agreement.pk: item.agreement.text_sha256 for item in waiting},
        source="page",
    )
    ask(application)
    with pytest.raises(Conflict) as caught:
        ask(application, "address", home_line1="200 Sample Street")
    assert "on its way" in caught.value.message


def test_a_refusal_names_the_fields_and_keeps_ours(
    box: SandboxProcess,
    customer_user: User,
    signed_in: Callable[[User], Client],
) -> None:
    application = opened(box, customer_user)
    update = ask(application)
    # The provider's copy gets another birth date between the comparison and the call.
    outbox.perform(OutboundCall.objects.get(operation=services.COMPARE).pk)
    box.api(
        "POST",
        f"accounts/{application.reference}/drift",
        {"changes": {"owners[0].identity.dateOfBirth": "1950-01-01"}},
    )
    drain()
    refused = now(update)
    assert refused.status == Status.REFUSED
    assert refused.corrections
    assert "1950-01" not in str(refused.corrections)
    page = signed_in(customer_user).get(f"/applications/{application.pk}/details/").content.decode()
    assert "Not accepted: Date of birth" in page
    assert phone(application) == "+15125550142"


def test_answers_that_do_not_hold_nothing_changed_and_restricted_ones(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = opened(box, customer_user)
    with pytest.raises(Invalid) as caught:
        ask(application, phone="12")
    assert list(caught.value.fields) == ["phone"]
    with pytest.raises(Invalid) as caught:
        ask(application, phone="512 555 0142")
    assert caught.value.message == "Nothing was changed."
    with pytest.raises(Invalid) as caught:
        ask(application, "identity", given_name="Anna", family_name="Ortiz", date_of_birth="1990-01-01")
    assert caught.value.fields["date_of_birth"] == ["There is no such field in this step."]
    assert AccountUpdate.objects.count() == 0


def test_whose_and_when(box: SandboxProcess, customer_user: User) -> None:
    draft = submitted(customer_user)
    with pytest.raises(Conflict) as caught:
        ask(draft)
    assert "once the account is open" in caught.value.message
    drain()
    deliver(box)
    with pytest.raises(NotFound):
        services.update_request(
            actor=make_customer_user("Stranger"),
            application_id=draft.pk,
            step="contact",
            answers=answers.CONTACT,
            source="api",
        )


@pytest.mark.parametrize("fault", ["500_after", "drop_after", "nonsense", "502_html", "403", "429"])
def test_a_call_that_goes_wrong_once_is_one_change(
    box: SandboxProcess,
    customer_user: User,
    fault: str,
) -> None:
    application = opened(box, customer_user, given_name="Update", family_name="Waits")
    update = ask(application)
    box.fault(fault, "save_account")
    for minutes in (0, 20, 40, 60):
        with later(minutes=minutes):
            drain()
    assert now(update).status == Status.IN_REVIEW
    assert len(at_sandbox(box, application)) == 1
    end_review(box, application, "accepted")
    with later(minutes=80):
        read_back(application)
    assert now(update).status == Status.APPLIED
    assert account_of(application).status == "active"


@pytest.mark.parametrize(("after_effect", "ends"), [(True, Status.APPLIED), (False, Status.REFUSED)])
def test_a_conflict_is_settled_by_what_the_provider_holds(
    box: SandboxProcess,
    customer_user: User,
    after_effect: bool,
    ends: str,
) -> None:
    application = opened(box, customer_user, given_name="Update", family_name="Waits")
    update = ask(application)
    box.fault("409", "save_account", after_effect=after_effect)
    drain()
    assert now(update).status == Status.IN_REVIEW
    if after_effect:
        end_review(box, application, "accepted")
    with later(minutes=5):
        read_back(application)
    assert now(update).status == ends
    assert phone(application) == (NEW_PHONE if after_effect else "+15125550142")


def test_the_pages_show_what_changes_before_it_is_sent(
    box: SandboxProcess,
    customer_user: User,
    signed_in: Callable[[User], Client],
) -> None:
    application = opened(box, customer_user)
    client = signed_in(customer_user)
    base = f"/applications/{application.pk}/details/"
    assert "Mobile phone number" in client.get(base).content.decode()
    typed = answers.CONTACT | {"phone": "512 555 0177"}
    assert client.post(f"{base}contact/", typed | {"phone": "12"}).status_code == 422
    nothing = client.post(f"{base}contact/", answers.CONTACT)
    assert (nothing.status_code, "Nothing was changed" in nothing.content.decode()) == (422, False)
    asked = client.post(f"{base}contact/", typed)
    assert "+15125550142" in asked.content.decode()
    assert NEW_PHONE in asked.content.decode()
    assert AccountUpdate.objects.count() == 0
    back = client.post(f"{base}contact/", typed | {"back": "1"})
    assert "512 555 0177" in back.content.decode()
    sent = client.post(f"{base}contact/", typed | {"confirmed": "1"}, follow=True)
    assert "Your change was taken" in sent.content.decode()
    assert "On its way" in sent.content.decode()
    assert "Being compared" not in sent.content.decode()
    again = client.post(f"{base}contact/", typed | {"confirmed": "1"}, follow=True)
    assert "on its way to the provider" in again.content.decode()
    assert AccountUpdate.objects.count() == 1
    stranger = signed_in(make_customer_user("Stranger"))
    for address in (base, f"{base}contact/"):
        assert stranger.get(address).status_code == 404
    assert client.get(f"{base}secrets/").status_code in {302, 404}


def test_the_same_over_rest(
    box: SandboxProcess,
    customer_user: User,
    signed_in: Callable[[User], Client],
) -> None:
    application = opened(box, customer_user)
    client = signed_in(customer_user)
    base = f"/api/v1/applications/{application.pk}/details"
    found = client.get(base).json()
    assert found["why_not"] == []
    assert {row["step"] for row in found["details"]} >= {"identity", "contact", "address"}
    assert not re.search("536-?22", str(found["details"]))
    body = answers.CONTACT | {"phone": NEW_PHONE}
    for _ in range(2):
        taken = client.post(
            f"{base}/contact", body, content_type="application/json", headers={"Idempotency-Key": "one"}
        )
        assert (taken.status_code, taken.json()["status"]) == (202, "checking")
    refused = client.post(f"{base}/contact", body, content_type="application/json")
    assert refused.status_code == 409
    wrong = client.post(f"{base}/contact", {"phone": "x", "tax_id": "1"}, content_type="application/json")
    assert wrong.status_code in {409, 422}
    assert AccountUpdate.objects.count() == 1
    assert client.get(base).json()["updates"][0]["changes"] == ["Mobile phone number"]
