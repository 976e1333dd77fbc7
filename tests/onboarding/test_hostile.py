"""Every field of every step of every kind of person, company and account, tried with the field library."""

from typing import Any

import pytest
from django.test import Client

from onboarding import drafts, services
from onboarding.forms import step_form
from onboarding.models import Application, Owner
from onboarding.requirements import (
    INVESTMENT,
    Person,
    Problem,
    Step,
    StepName,
    owners_step,
    roles_of,
    steps_of_entity,
    steps_of_person,
    trusted_contact,
)
from onboarding.words import AccountType, EntityType
from portal.models import User
from tests import hostile
from tests.flow import publish_agreements
from tests.onboarding import answers, journeys

pytestmark = pytest.mark.once

ENTITIES = {AccountType.ENTITY: EntityType.LLC, AccountType.ENTITY_PERSONAL_TRUST: EntityType.TRUST}


def _steps() -> dict[str, Step]:
    found: dict[str, Step] = {"investment": INVESTMENT}
    for country in ("US", "GB", "BR", "HK"):
        found[f"trusted_contact {country}"] = trusted_contact(country)
        for account_type in AccountType:
            entity = ENTITIES.get(account_type, "")
            if entity:
                for step in steps_of_entity(account_type, country):
                    found[f"{account_type} {step.name} {country}"] = step
            found[f"{account_type} owners"] = owners_step(account_type)
            for rule in roles_of(account_type, entity):
                for step in steps_of_person(Person(account_type, entity, rule.role, country)):
                    found[f"{account_type} {rule.role} {step.name} {country}"] = step
    return {name: step for name, step in found.items() if step.fields}


STEPS = _steps()


@pytest.mark.parametrize("name", list(STEPS))
def test_each_value_is_kept_or_refused_with_a_sentence_on_a_field(name: str) -> None:
    step = STEPS[name]
    fields = {field.name for field in step.fields}
    for field in step.fields:
        for word, value in hostile.EVERYTHING.items():
            try:
                step.clean({field.name: value})
            except Problem as problem:
                assert set(problem.fields) <= fields, (field.name, word)
                assert all(sentence for rows in problem.fields.values() for sentence in rows), (
                    field.name,
                    word,
                )


def test_each_value_typed_into_each_page_is_answered(client: Client, customer_user: User) -> None:
    """The real pages of a company, the type that asks most; what holds is kept, the rest is told."""
    publish_agreements()
    client.force_login(customer_user)
    application = journeys.entity(customer_user)
    draft = drafts.load(application)
    for step, owner in draft.journey():
        if step.name == StepName.AGREEMENTS:
            continue
        base = f"/applications/{application.pk}"
        person = "" if owner is None or owner.is_applicant else f"/people/{owner.pk}"
        for word, value in hostile.TEXTS.items():
            if word == "lone surrogate":
                continue
            data = {name: value for name in step_form(step)().fields if name != "step_version"}
            answer = client.post(f"{base}{person}/steps/{step.name}/", data)
            assert answer.status_code in {302, 409, 422}, (step.name, word, answer.status_code)
            if answer.status_code == 422:
                assert b"Error:" in answer.content, (step.name, word)


@pytest.mark.parametrize("word", list(hostile.EVERYTHING))
@pytest.mark.django_db
def test_each_value_as_a_start(customer_user: User, word: str) -> None:
    from portal.errors import Invalid

    value: Any = hostile.EVERYTHING[word]
    for name in ("account_type", "entity_type", "country"):
        given = {"account_type": "ENTITY", "entity_type": "LLC", "country": "US"} | {name: value}
        try:
            services.application_start(actor=customer_user, source="api", **given)
        except Invalid as error:
            assert list(error.fields) == [name]
    assert Application.objects.count() <= 1
    assert Owner.objects.count() <= 1


def test_a_name_in_any_script_goes_all_the_way(customer_user: User, db: None) -> None:
    publish_agreements()
    application = services.application_start(actor=customer_user, source="page")
    for name in ("Željko", "Nguyễn", "عائشة", "李", "O’Brien-Łukasz"):
        journeys.save(customer_user, application, {"identity": answers.IDENTITY | {"given_name": name}})
        assert journeys.kept(application, "identity")["given_name"] == name
