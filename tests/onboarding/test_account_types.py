"""Every type of account: what it asks, who belongs to it, what the provider is sent."""

from typing import Any

import pytest
from django.test import Client

from onboarding import completeness, drafts, payloads, services
from onboarding.models import Address, Agreement, Application, Owner, ProviderAccount
from onboarding.models.agreements import text_hash
from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import User
from tests.flow import publish_agreements
from tests.onboarding import answers, journeys

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _agreements(db: None) -> None:
    publish_agreements()


def wire(application: Application) -> dict[str, Any]:
    """What the provider is sent for it."""
    account = ProviderAccount(application=application, client_account_id=application.reference)
    return payloads.account_request(account).to_wire()


def lacking(application: Application) -> dict[str, list[str]]:
    return completeness.missing(completeness.step_states(application))


@pytest.mark.parametrize("kind", list(journeys.EVERY_TYPE))
def test_a_complete_draft_of_every_type_lacks_nothing_and_is_handed_in(
    customer_user: User, kind: str
) -> None:
    application = journeys.EVERY_TYPE[kind](customer_user)
    assert lacking(application) == {}
    submitted = services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    assert submitted.status == Application.Status.SUBMITTED


def test_what_a_child_s_account_sends(customer_user: User) -> None:
    sent = wire(journeys.custodial(customer_user))
    assert sent["accountType"] == "CUSTODIAL"
    roles = {owner["role"]: owner for owner in sent["owners"]}
    assert set(roles) == {"CUSTODIAN", "MINOR_OWNER"}
    assert "employment" not in roles["MINOR_OWNER"]["identity"]
    assert len({owner["clientOwnerId"] for owner in sent["owners"]}) == 2
    # The custodian accepts for the child, and both are on record.
    assert [len(owner["agreements"]) for owner in sent["owners"]] == [2, 2]
    assert "entity" not in sent


def test_what_a_company_sends(customer_user: User) -> None:
    sent = wire(journeys.entity(customer_user))
    assert sent["entity"]["entityTaxId"] == "123456789"
    assert sent["entity"]["entityType"] == "LLC"
    assert sent["entity"]["operatingCountries"] == ["USA", "MEX"]
    assert sent["entity"]["operatingAddress"]["streetAddress"] == ["2 Works Avenue"]
    assert {owner["role"] for owner in sent["owners"]} == {"AUTHORIZED_MEMBER", "BENEFICIAL_OWNER"}


def test_what_a_foreigner_sends(customer_user: User) -> None:
    identity = wire(journeys.foreigner(customer_user))["owners"][0]["identity"]
    assert (identity["taxId"], identity["taxIdType"], identity["taxIdCountry"]) == (
        "65929970489",
        "NATIONAL_ID",
        "DEU",
    )
    assert identity["personalAddress"]["country"] == "DEU"
    assert "state" not in identity["personalAddress"]


def test_a_country_without_numbers_sends_none_of_the_three_and_keeps_why(customer_user: User) -> None:
    application = journeys.foreigner(
        customer_user, tax_id_type="NONE", tax_id="", tax_id_country="", no_tax_id_reason="NONE_ISSUED"
    )
    identity = wire(application)["owners"][0]["identity"]
    assert not {"taxId", "taxIdType", "taxIdCountry"} & set(identity)
    assert drafts.applicant_of(application).no_tax_id_reason == "NONE_ISSUED"


def test_who_lives_in_the_us_cannot_do_without_a_number(customer_user: User) -> None:
    application = services.application_start(actor=customer_user, source="page")
    with pytest.raises(Invalid) as caught:
        journeys.save(
            customer_user, application, {"identity": answers.IDENTITY | {"tax_id_type": "NONE", "tax_id": ""}}
        )
    assert set(caught.value.fields) == {"tax_id_type", "tax_id"}


# --- Who belongs to it --------------------------------------------------------------------------------------


def test_an_individual_account_has_its_owner_alone(customer_user: User) -> None:
    application = services.application_start(actor=customer_user, source="page")
    with pytest.raises(Invalid) as caught:
        journeys.add(customer_user, application, "JOINT_OWNER")
    assert "PRIMARY_OWNER" in caught.value.fields["role"][0]
    with pytest.raises(Invalid):
        journeys.add(customer_user, application, "PRIMARY_OWNER")


def test_a_child_s_account_lacks_its_child_until_there_is_one(customer_user: User) -> None:
    application = services.application_start(actor=customer_user, account_type="CUSTODIAL", source="page")
    assert lacking(application)["owners.people"] == ["Add the minor owner."]
    journeys.add(customer_user, application, "MINOR_OWNER")
    assert "owners.people" not in lacking(application)
    with pytest.raises(Invalid) as caught:
        journeys.add(customer_user, application, "MINOR_OWNER")
    assert "at most 1" in caught.value.fields["role"][0]


def test_a_minor_must_be_one_and_a_custodian_must_not(customer_user: User) -> None:
    application = services.application_start(actor=customer_user, account_type="CUSTODIAL", source="page")
    minor = journeys.add(customer_user, application, "MINOR_OWNER")
    with pytest.raises(Invalid) as caught:
        journeys.save(customer_user, application, {"identity": answers.IDENTITY}, minor)
    assert "under 18" in caught.value.fields["date_of_birth"][0]
    child = answers.IDENTITY | {"date_of_birth": "2015-05-02"}
    with pytest.raises(Invalid):
        journeys.save(customer_user, application, {"identity": child})


def test_a_company_needs_somebody_in_control_and_its_holders(customer_user: User) -> None:
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="CORPORATE", source="page"
    )
    found = lacking(application)
    assert {"owners.control_person", "owners.beneficial_owners"} <= set(found)
    agent = journeys.add(customer_user, application, "AUTHORIZED_AGENT", is_control_person=True)
    journeys.save(customer_user, application, {"owners": {"no_beneficial_owners": True}})
    assert not {key for key in lacking(application) if key.startswith("owners.")}
    services.owner_change(
        actor=customer_user,
        application_id=application.pk,
        owner_id=None,
        changes={"is_control_person": True, "ownership_percent": 101 - 1},
        source="page",
    )
    agent.refresh_from_db()
    assert not agent.is_control_person
    assert "yet somebody here does" in lacking(application)["owners.beneficial_owners"][0]


def test_shares_over_a_hundred_are_told(customer_user: User) -> None:
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", source="page"
    )
    journeys.add(customer_user, application, "BENEFICIAL_OWNER", ownership_percent=80)
    journeys.add(customer_user, application, "BENEFICIAL_OWNER", ownership_percent=30)
    assert "add up to 110 %" in lacking(application)["owners.shares"][0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("role", "KING"),
        ("role", None),
        ("country", "ZZ"),
        ("country", 7),
        ("country", "\x00"),
        ("given_name", "R2D2"),
        ("given_name", "x" * 10_000),
        ("family_name", ["x"]),
        ("ownership_percent", -1),
        ("ownership_percent", 101),
        ("ownership_percent", "half"),
        ("ownership_percent", True),
        ("is_control_person", "yes"),
    ],
)
def test_a_person_that_does_not_hold_is_told_by_field(customer_user: User, name: str, value: Any) -> None:
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", source="page"
    )
    with pytest.raises(Invalid) as caught:
        services.owner_add(
            actor=customer_user,
            application_id=application.pk,
            source="page",
            **({"role": "AUTHORIZED_AGENT", "country": "US"} | {name: value}),
        )
    assert list(caught.value.fields) == [name]
    assert Owner.objects.filter(application=application).count() == 1


def test_removing_a_person_removes_what_was_answered(customer_user: User) -> None:
    application = journeys.custodial(customer_user)
    minor = Owner.objects.get(application=application, role="MINOR_OWNER")
    services.owner_remove(
        actor=customer_user, application_id=application.pk, owner_id=minor.pk, source="page"
    )
    assert not Owner.objects.filter(pk=minor.pk).exists()
    assert not Address.objects.filter(owner_id=minor.pk).exists()
    with pytest.raises(Conflict):
        services.owner_remove(
            actor=customer_user,
            application_id=application.pk,
            owner_id=drafts.applicant_of(application).pk,
            source="page",
        )


def test_another_country_keeps_the_answers_and_marks_what_no_longer_fits(customer_user: User) -> None:
    application = journeys.foreigner(customer_user)
    services.owner_change(
        actor=customer_user,
        application_id=application.pk,
        owner_id=None,
        changes={"country": "FR"},
        source="page",
    )
    assert set(lacking(application)) == {"address.home_country"}
    assert journeys.kept(application, "address")["home_city"] == "Berlin"


def test_people_of_another_s_application_are_not_there(customer_user: User) -> None:
    from tests.people import make_customer_user

    application = journeys.custodial(customer_user)
    stranger = make_customer_user("Someone Else")
    owner = Owner.objects.filter(application=application).first()
    assert owner is not None
    from portal.errors import NotFound

    with pytest.raises(NotFound):
        journeys.add(stranger, application, "CUSTODIAN")
    with pytest.raises(NotFound):
        services.owner_remove(actor=stranger, application_id=application.pk, owner_id=owner.pk, source="page")


def test_the_number_of_queries_does_not_grow_with_people(
    customer_user: User, django_assert_max_num_queries: Any
) -> None:
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", source="page"
    )
    for _ in range(9):
        Owner.objects.create(application=application, role="AUTHORIZED_AGENT")
    with django_assert_max_num_queries(10):
        completeness.step_states(application)


def test_the_pages_of_a_company(client: Client, customer_user: User) -> None:
    client.force_login(customer_user)
    started = client.post(
        "/applications/start/", {"account_type": "ENTITY", "entity_type": "", "country": "US"}
    )
    assert started.status_code == 422
    assert "Choose what kind of company" in started.content.decode()
    started = client.post(
        "/applications/start/", {"account_type": "ENTITY", "entity_type": "LLC", "country": "US"}, follow=True
    )
    assert "The company" in started.content.decode()
    application = Application.objects.get()
    base = f"/applications/{application.pk}"
    assert "Say who controls" in client.get(f"{base}/steps/owners/").content.decode()
    added = client.post(
        f"{base}/people/add/",
        {
            "role": "BENEFICIAL_OWNER",
            "given_name": "Bo",
            "family_name": "Li",
            "country": "DE",
            "ownership_percent": "40",
        },
    )
    owner = Owner.objects.get(application=application, role="BENEFICIAL_OWNER")
    assert added.headers["Location"] == f"{base}/people/{owner.pk}/steps/identity/"
    page = client.get(added.headers["Location"]).content.decode()
    assert "Bo Li" in page
    assert "Germany" in page
    assert client.get(f"{base}/people/{owner.pk}/").status_code == 200
    assert client.get(f"{base}/people/{owner.pk}/remove/").status_code == 200
    assert client.post(f"{base}/people/{owner.pk}/remove/").status_code == 302
    assert Owner.objects.filter(application=application).count() == 1


def test_an_agreement_is_asked_only_of_those_it_binds(customer_user: User) -> None:
    Agreement.objects.create(
        name="minors",
        version="1",
        title="For minors",
        text="Of age later.",
        text_sha256=text_hash("Of age later."),
        status="published",
        published_at=clock.now(),
        roles=["MINOR_OWNER"],
    )
    sent = wire(journeys.custodial(customer_user))
    names = {owner["role"]: {row["name"] for row in owner["agreements"]} for owner in sent["owners"]}
    assert "minors" in names["MINOR_OWNER"]
    assert "minors" not in names["CUSTODIAN"]
    individual = services.application_start(actor=customer_user, source="page")
    draft = drafts.load(individual)
    assert "minors" not in {row.name for row in completeness.agreements_for(draft, draft.applicant)}
