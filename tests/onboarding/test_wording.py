"""Who answers for somebody else is never asked about themselves: no "you" where staff or an applicant fill in."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import drafts, services
from onboarding.models import Application
from onboarding.requirements import Person, Problem, Step, roles_of, steps_of_account, steps_of_person
from onboarding.requirements.wording import OF_ANOTHER
from onboarding.words import AccountType, EntityType
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.people import make_customer_user, make_staff, sign_in

PERSONAL = re.compile(r"\b(you|your|yours|i|me|my)\b", re.IGNORECASE)
COUNTRIES = ("US", "DE", "JP")


def texts(step: Step) -> Iterator[str]:
    """Everything a page shows of a step, with what it says where nothing was answered."""
    yield from (step.title, step.short, step.intro)
    for field in step.fields:
        yield from (field.label, field.hint, field.group, *(label for _, label in field.choices))
    try:
        step.clean({})
    except Problem as problem:
        for sentences in problem.fields.values():
            yield from sentences


def people(*, reads_it: bool) -> Iterator[Person]:
    kinds = [(kind, "") for kind in AccountType if kind != AccountType.ENTITY]
    kinds += [(AccountType.ENTITY, kind) for kind in EntityType]
    for account_type, entity_type in kinds:
        for rule in roles_of(account_type, entity_type):
            for country in COUNTRIES:
                yield Person(account_type, entity_type, rule.role, country, reads_it=reads_it)


def asked(*, of_another: bool) -> set[Step]:
    found = {step for person in people(reads_it=not of_another) for step in steps_of_person(person)}
    found |= {step for country in COUNTRIES for step in steps_of_account(country, for_another=of_another)}
    return {step for step in found if step.fields}


def test_nothing_asked_about_another_says_you() -> None:
    steps = asked(of_another=True)
    assert {text for step in steps for text in texts(step) if PERSONAL.search(text)} == set()
    # A browser must not offer the reader's own name and address.
    contact = "contact_"
    offered = {
        field.name
        for step in steps
        for field in step.fields
        if field.autocomplete and contact not in field.name
    }
    assert offered == set()


def test_every_second_wording_is_of_something_that_is_asked() -> None:
    said = {text for step in asked(of_another=False) for text in texts(step)}
    assert set(OF_ANOTHER) - said == set()


@pytest.mark.django_db
def test_staff_read_the_second_wording_and_the_customer_the_first() -> None:
    publish_agreements()
    agent, customer = make_staff("onboarding_agent"), make_customer_user("Kim Lee")
    draft = services.application_start_for(
        actor=agent,
        email=customer.email,
        name="Kim Lee",
        account_type="INDIVIDUAL",
        country="US",
        source="page",
    )
    office, home = sign_in(Client(), agent), sign_in(Client(), customer)
    for name, first, second in (
        ("identity", "Who you are", "Who they are"),
        ("investment", "Risk you are ready to take", "Risk they are ready to take"),
    ):
        page = office.get(reverse("staff:application_step", args=[draft.pk, name])).content.decode()
        assert second in page
        assert first not in page
        assert "Kim Lee" in page
        theirs = home.get(reverse("customer:step", args=[draft.pk, name])).content.decode()
        assert first in theirs
        assert second not in theirs


@pytest.mark.django_db
def test_an_owner_with_a_part_of_their_own_is_asked_about_themselves() -> None:
    publish_agreements()
    applicant = make_customer_user()
    application = services.application_start(
        actor=applicant, account_type="ENTITY", entity_type="LLC", source="page"
    )
    owner = journeys.add(applicant, application, "AUTHORIZED_MEMBER")

    def title() -> str:
        found = drafts.load(Application.objects.get()).step("identity", owner.pk)
        assert found is not None
        return found[0].title

    assert title() == "Who they are"
    owner.user = make_customer_user()
    owner.save(update_fields=["user"])
    assert title() == "Who you are"
