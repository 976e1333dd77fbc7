"""Owners with a part of their own, once the account is open: they change it, and nobody else sees what."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from onboarding import completeness, drafts, services
from onboarding import jobs as onboarding_jobs
from onboarding.agreements import agreement_publish
from onboarding.agreements.acceptance import agreements_accept_pending
from onboarding.agreements.scope import pending_for
from onboarding.models import AccountUpdate, Application, Owner
from portal.errors import Conflict, Forbidden, NotFound
from portal.models import MailMessage, User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.faults.way import later, read_back
from tests.flow import drain, publish_agreements
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Status = AccountUpdate.Status
SignIn = Callable[[User], Client]
PHONE = "+15125550177"


def company(applicant: User, other: User) -> tuple[Application, Owner]:
    """A company handed in whose second member took their own part, answered and accepted it."""
    publish_agreements()
    application = services.application_start(
        actor=applicant, account_type="ENTITY", entity_type="LLC", source="page"
    )
    journeys.save(applicant, application, journeys.entity_steps() | answers.STEPS)
    services.owner_change(
        actor=applicant,
        application_id=application.pk,
        owner_id=None,
        changes={"is_control_person": True},
        source="page",
    )
    owner = journeys.add(applicant, application, "AUTHORIZED_MEMBER", given_name="Kim", family_name="Lee")
    Owner.objects.filter(pk=owner.pk).update(user=other)
    owner.refresh_from_db()
    journeys.save(other, application, journeys.person_steps(8, given_name="Kim", family_name="Lee"), owner)
    accepted = {row.pk: row.text_sha256 for row in completeness.agreements_in_force()}
    services.agreements_accept(actor=other, application_id=application.pk, accepted=accepted, source="page")
    journeys.save(applicant, application, {"owners": {"no_beneficial_owners": True}})
    journeys.accept(applicant, application)
    return Application.objects.get(pk=application.pk), owner


def opened(application: Application) -> Application:
    """The account active, as the provider's word makes it."""
    services.application_submit(actor=application.customer.user, application_id=application.pk, source="page")
    drain()
    with transaction.atomic():
        account = onboarding_jobs.lock_account(application.account.pk)
        onboarding_jobs.party_status_apply(
            account, party_status="ACTIVE", reason="ENROLLMENT", source="webhook"
        )
    return Application.objects.get(pk=application.pk)


@pytest.fixture
def other(db: None) -> User:
    """The second member's login."""
    return make_customer_user("Kim Lee")


def ask(actor: User, application: Application, owner: Owner | None, **given: Any) -> AccountUpdate:
    return services.update_request(
        actor=actor,
        application_id=application.pk,
        step="contact",
        owner_id=owner.pk if owner else None,
        answers=answers.CONTACT | {"phone": PHONE} | given,
        source="page",
    )


def page(response: Any) -> str:
    return str(response.content.decode())


def test_an_owner_changes_their_phone_to_the_end(
    box: SandboxProcess,
    customer_user: User,
    other: User,
    signed_in: SignIn,
) -> None:
    application, owner = company(customer_user, other)
    application = opened(application)
    theirs = signed_in(other)
    details = reverse("customer:details", args=[application.pk])
    assert details in page(theirs.get(reverse("customer:part", args=[application.pk])))
    shown = page(theirs.get(details))
    assert "Kim" in shown
    assert "Ortiz" not in shown
    assert "Close the account" not in shown
    change = reverse("customer:person_detail", args=[application.pk, owner.pk, "contact"])
    assert change in shown
    given = {"email": "person8@example.test", "phone": "512 555 0177"}
    assert "+15125550177" in page(theirs.post(change, given))
    asked = theirs.post(change, given | {"confirmed": "1"}, follow=True)
    assert "Mobile phone number" in page(asked)
    update = AccountUpdate.objects.get()
    assert (update.of_owner_id, update.requested_by_id) == (owner.pk, other.pk)
    drain()
    box.api("POST", f"accounts/{application.reference}/end-update", {"outcome": "accepted"})
    with later(minutes=5):
        read_back(application)
    update.refresh_from_db()
    assert update.status == Status.APPLIED
    owner.refresh_from_db()
    assert owner.phone == PHONE
    sent = bakkt_crypto().read_account(application.reference).request
    assert sent is not None
    assert PHONE in {row.phone_number for row in sent.owners}
    letter = MailMessage.objects.filter(subject="Your details were changed").get()
    assert letter.content.reveal()["to"] == [other.email]
    mine = page(signed_in(customer_user).get(details))
    assert "Details of Kim Lee" in mine
    assert "Mobile phone number" not in mine.partition("Details of Kim Lee")[2].partition("</p>")[0]
    assert PHONE not in mine


def test_each_changes_their_own_part_alone(
    box: SandboxProcess,
    customer_user: User,
    other: User,
    signed_in: SignIn,
) -> None:
    application, owner = company(customer_user, other)
    application = opened(application)
    with pytest.raises(Forbidden):
        ask(customer_user, application, owner)
    with pytest.raises(NotFound):
        ask(other, application, None)
    with pytest.raises(NotFound):
        services.update_request(
            actor=other, application_id=application.pk, step="investment", answers={}, source="page"
        )
    with pytest.raises(NotFound):
        ask(make_customer_user(), application, owner)
    theirs = signed_in(other)
    for path in (
        reverse("customer:detail", args=[application.pk, "contact"]),
        reverse("customer:detail", args=[application.pk, "investment"]),
    ):
        assert theirs.get(path).status_code == 404
    applicant = signed_in(customer_user)
    assert (
        applicant.get(
            reverse("customer:person_detail", args=[application.pk, owner.pk, "contact"])
        ).status_code
        == 403
    )
    assert not AccountUpdate.objects.exists()


def test_a_change_waits_for_every_owner_and_is_not_joined_or_withdrawn_by_another(
    box: SandboxProcess,
    customer_user: User,
    other: User,
    signed_in: SignIn,
) -> None:
    application, owner = company(customer_user, other)
    application = opened(application)
    agreement_publish(name="e-sign", version="2", title="Electronic consent", text="You consent again.")
    update = ask(other, application, owner, email="person8@example.test")
    assert update.status == Status.WAITING
    with pytest.raises(Conflict, match="another owner"):
        ask(customer_user, application, None)
    with pytest.raises(NotFound):
        services.update_withdraw(actor=customer_user, application_id=application.pk, source="page")
    mine = page(signed_in(customer_user).get(reverse("customer:details", args=[application.pk])))
    assert "A change of another owner waits" in mine
    assert "Withdraw the change" not in mine
    assert "Withdraw the change" in page(
        signed_in(other).get(reverse("customer:details", args=[application.pk]))
    )
    for user in (other, customer_user):
        waiting = {row.agreement.pk: row.agreement.text_sha256 for row in pending_for(user)}
        agreements_accept_pending(actor=user, accepted=waiting, source="page")
    update.refresh_from_db()
    assert update.status != Status.WAITING


def test_by_rest(
    box: SandboxProcess,
    customer_user: User,
    other: User,
    signed_in: SignIn,
) -> None:
    application, owner = company(customer_user, other)
    application = opened(application)
    base = f"/api/v1/applications/{application.pk}"
    theirs, mine = signed_in(other), signed_in(customer_user)
    found = theirs.get(f"{base}/details").json()
    assert {row["owner"] for row in found["details"]} == {str(owner.pk)}
    asked = theirs.post(
        f"{base}/owners/{owner.pk}/details/contact",
        json.dumps({"email": "person8@example.test", "phone": PHONE}),
        content_type="application/json",
        headers={"Idempotency-Key": "one"},
    )
    assert asked.status_code == 202, asked.content
    assert theirs.get(f"{base}/details").json()["updates"][0]["changes"] == ["Mobile phone number"]
    seen = mine.get(f"{base}/details").json()
    assert seen["updates"][0]["changes"] == ["Details of Kim Lee"]
    assert str(owner.pk) not in {row["owner"] for row in seen["details"]}
    assert (
        theirs.post(
            f"{base}/details/contact",
            json.dumps(answers.CONTACT),
            content_type="application/json",
            headers={"Idempotency-Key": "two"},
        ).status_code
        == 404
    )


def test_the_applicant_reads_that_something_is_missing_and_not_what(
    customer_user: User, other: User, signed_in: SignIn
) -> None:
    application, owner = company(customer_user, other)
    Owner.objects.filter(pk=owner.pk).update(phone="")
    states = completeness.states_of(drafts.load(application))
    assert completeness.missing(states) == {
        f"owners/{owner.pk}": ["Something is missing in the part of Kim Lee."]
    }
    base = f"/api/v1/applications/{application.pk}"
    whole = signed_in(customer_user).get(base).json()
    step = next(row for row in whole["steps"] if row["owner"] == str(owner.pk) and row["name"] == "contact")
    assert (step["done"], step["answers"]) == (False, {})
    assert step["problems"] == {"": ["Something is missing in the part of Kim Lee."]}
    refused = signed_in(customer_user).post(f"{base}/submit", {}, "application/json")
    assert refused.status_code == 422
    assert "phone" not in refused.content.decode()
    own = signed_in(other).get(base).json()
    assert list(next(row for row in own["steps"] if row["name"] == "contact")["problems"]) == ["phone"]
