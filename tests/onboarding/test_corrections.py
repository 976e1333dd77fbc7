"""What the provider refused, in our words: every path we send leads back to its question, others stay general."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from onboarding import drafts, payloads
from onboarding.corrections import Correction, corrections_of
from onboarding.models import Application, ProviderAccount
from portal.models import User
from tests.flow import complete_draft, publish_agreements
from tests.onboarding import answers, journeys

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]

#: Sent, but no answer of any question.
NO_ANSWER = {
    "clientAccountId",
    "accountType",
    "settlementMethod",
    "role",
    "clientOwnerId",
    "entityType",
    "name",
    "version",
    "eSignedDate",
}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a request with the path by which the provider names it."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from leaves(child, f"{path}[{place}]")
    else:
        yield path, value


def refused(application: Application, *paths: str) -> list[Correction]:
    """The application after the provider complained about these paths."""
    application.corrections = [{"field": path, "code": "1005", "message": "bad"} for path in paths]
    application.status = Application.Status.CORRECTION_NEEDED
    application.save(update_fields=["corrections", "status"])
    return corrections_of(drafts.load(application))


def sent(application: Application) -> dict[str, Any]:
    account = ProviderAccount(application=application, client_account_id=application.reference)
    return payloads.account_request(account).to_wire()


CONTACT = {
    "has_contact": True,
    "contact_given_name": "Cleo",
    "contact_family_name": "Berg",
    "contact_email": "cleo@example.test",
    "contact_phone": "512 555 0177",
    "contact_has_address": True,
} | journeys.place("contact")


@pytest.mark.parametrize("kind", list(journeys.EVERY_TYPE))
def test_every_path_we_send_leads_back_to_the_answer_it_came_from(customer_user: User, kind: str) -> None:
    publish_agreements()
    application = journeys.EVERY_TYPE[kind](customer_user)
    journeys.save(customer_user, application, {"trusted_contact": CONTACT})
    application.refresh_from_db()
    body = sent(application)
    assert body["trustedContacts"]
    for path, value in leaves(body):
        name = path.rsplit(".", 1)[-1].split("[")[0]
        if name in NO_ANSWER:
            continue
        (found,) = refused(application, path)
        assert found.step is not None and found.field is not None, path
        kept = drafts.load(application).answers(found.step, found.owner)[found.field.name]
        plain = kept.reveal() if hasattr(kept, "reveal") else kept
        if isinstance(value, str) and "ountr" not in name:
            assert value.replace("-", "") == str(plain).replace("-", ""), path
        if path.startswith("owners"):
            assert found.owner is not None
            number = int(path.removeprefix("owners[").split("]")[0])
            assert body["owners"][number]["clientOwnerId"] == str(found.owner.pk)


@pytest.mark.parametrize(
    ("path", "step", "field"),
    [
        ("owners[0].identity.personalAddress.streetAddress[1]", "address", "home_line2"),
        ("owners[0].identity.personalAddress.streetAddress", "address", "home_line1"),
        ("owners[0].identity.personalAddress", "address", None),
        ("owners.0.identity.taxId", "identity", "tax_id"),
        ("/owners/0/emailAddress", "contact", "email"),
        ("$.body.owners[0].phoneNumber", "contact", "phone"),
        ("owners[0].identity", "identity", None),
        ("owners[0].identity.employment", "employment", "situation"),
        ("owners[0].agreements[1].version", None, None),
        ("owners[0].agreements", "agreements", None),
        # Letters that go home: the address to mend is the home address.
        ("owners[0].mailingAddress.city", "address", "home_city"),
        ("investmentProfile.customerProfile.annualIncomeRangeUsd", "investment", "annual_income_range"),
        ("owners[7].identity.taxId", None, None),
        ("owners[0].shoeSize", None, None),
        ("entity.entityTaxId", None, None),
        ("somethingNew", None, None),
        ("", None, None),
        ("\u202e💥[", None, None),
    ],
)
def test_paths_of_any_form(customer_user: User, path: str, step: str | None, field: str | None) -> None:
    (found,) = refused(complete_draft(customer_user), path)
    assert (found.step.name if found.step else None) == step
    assert (found.field.name if found.field else None) == field


def test_a_mailing_address_of_its_own_is_the_one_to_mend(customer_user: User) -> None:
    application = complete_draft(customer_user)
    own = answers.HOME | {"mailing_same": False} | journeys.place("mailing")
    journeys.save(customer_user, application, {"address": own})
    application.refresh_from_db()
    (found,) = refused(application, "owners[0].mailingAddress.city")
    assert found.field is not None
    assert found.field.name == "mailing_city"


def test_the_customer_reads_questions_with_links_to_them(customer_user: User, signed_in: SignIn) -> None:
    application = complete_draft(customer_user)
    refused(
        application, "owners[0].identity.personalAddress.state", "owners[0].identity.taxId", "somethingNew"
    )
    page = signed_in(customer_user)
    base = f"/applications/{application.pk}/"
    for path in (base, f"{base}review/", f"{base}steps/contact/"):
        words = page.get(path).content.decode()
        assert f'<a href="{base}steps/address/">State (Home address)</a>' in words, path
        assert f'<a href="{base}steps/identity/">Tax number</a>' in words, path
        assert "An answer the provider did not name" in words
        assert "personalAddress" not in words and "somethingNew" not in words


def test_the_app_gets_steps_and_fields(customer_user: User, signed_in: SignIn) -> None:
    publish_agreements()
    application = journeys.entity(customer_user)
    holder = application.owners.get(is_applicant=False)
    number = [owner["clientOwnerId"] for owner in sent(application)["owners"]].index(str(holder.pk))
    refused(application, f"owners[{number}].identity.taxId", "entity.operatingAddress.city", "somethingNew")
    shown = signed_in(customer_user).get(f"/api/v1/applications/{application.pk}").json()
    person, company, unknown = shown["corrections"]
    assert (person["step"], person["field"], person["owner"]) == ("identity", "tax_id", str(holder.pk))
    assert person["path"] in {step["path"] for step in shown["steps"]}
    assert (company["path"], company["field"]) == ("steps/entity_address", "operating_city")
    assert company["owner"] is None
    assert (unknown["step"], unknown["path"], unknown["field"], unknown["owner"]) == (None,) * 4
    assert {row["code"] for row in shown["corrections"]} == {"1005"}
    assert "somethingNew" not in str(shown)
    assert all(row["detail"] for row in shown["corrections"])


def test_staff_also_see_what_the_provider_said(
    customer_user: User, signed_in: SignIn, staff: Callable[[str], User]
) -> None:
    application = complete_draft(customer_user)
    refused(application, "owners[0].identity.personalAddress.state")
    words = (
        signed_in(staff("compliance_analyst")).get(f"/staff/applications/{application.pk}/").content.decode()
    )
    assert "State (Home address)" in words
    assert "owners[0].identity.personalAddress.state" in words
    assert "1005" in words


def test_what_is_said_twice_stands_once(customer_user: User, signed_in: SignIn) -> None:
    application = complete_draft(customer_user)
    path = "owners[0].identity.taxId"
    assert len(refused(application, path, path)) == 1
    page = signed_in(customer_user).get(f"/applications/{application.pk}/").content.decode()
    assert page.count("Tax number") == 1
