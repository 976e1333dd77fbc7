"""What is typed into a step and not saved yet: kept as it stands on every device, and counted nowhere."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from onboarding import completeness, drafts, payloads, services
from onboarding.models import Application, Owner, ProviderAccount, StepEntries
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User
from tests import hostile
from tests.flow import complete_draft, publish_agreements
from tests.onboarding import journeys
from tests.people import make_customer_user

pytestmark = [pytest.mark.django_db, pytest.mark.once]
SignIn = Callable[[User], Client]


@pytest.fixture
def browser(customer_user: User, signed_in: SignIn) -> Client:
    """The customer's browser."""
    return signed_in(customer_user)


@pytest.fixture
def draft(customer_user: User) -> Application:
    """An empty draft, agreements in force."""
    publish_agreements()
    return services.application_start(actor=customer_user, source="page")


def step(application: Application, name: str = "identity") -> str:
    return reverse("customer:step", args=[application.pk, name])


def type_in(client: Client, application: Application, name: str = "identity", **fields: Any) -> Any:
    return client.post(f"{step(application, name)}typed/", {"writer": "desk", "step_version": "0"} | fields)


def entries() -> dict[str, Any]:
    found: dict[str, Any] = StepEntries.objects.get().entries.reveal()
    return found


def page(response: Any) -> str:
    return str(response.content.decode())


HALF = {
    "given_name": "Ana 7",
    "date_of_birth_month": "4",
    "date_of_birth_year": "1988",
    "tax_id_type": "SSN",
    "tax_id": "536-22-12",
}


def test_half_a_step_is_kept_wrong_or_not_and_is_there_on_another_device(
    browser: Client, draft: Application, signed_in: SignIn, customer_user: User
) -> None:
    kept = type_in(browser, draft, **HALF)
    assert (kept.status_code, kept.json()) == (200, {"said": ""})
    assert entries() == {
        "given_name": "Ana 7",
        "middle_names": "",
        "family_name": "",
        "date_of_birth": "1988-04-",
        "marital_status": "",
        "tax_id_type": "SSN",
        "tax_id": "536-22-12",
    }
    other = page(signed_in(customer_user).get(step(draft)))
    assert 'value="Ana 7"' in other
    assert "not saved yet" in other
    assert "We have •••-••-2-12. Leave this empty to keep it." in other
    assert "536-22-12" not in other
    # Saving it as it stands says what does not hold, as ever.
    refused = browser.post(step(draft), {"given_name": "Ana 7", "writer": "desk", "step_version": "0"})
    assert refused.status_code == 422
    assert "Remove “7”" in page(refused)
    assert StepEntries.objects.count() == 1


def test_entries_are_sealed_at_rest(browser: Client, draft: Application) -> None:
    type_in(browser, draft, **HALF)
    with connection.cursor() as cursor:
        cursor.execute("SELECT entries FROM onboarding_stepentries")
        stored = bytes(cursor.fetchone()[0])
    assert b"Ana 7" not in stored
    assert b"536-22-12" not in stored


def test_what_was_typed_elsewhere_is_saved_with_the_step_and_gone_then(
    browser: Client, draft: Application
) -> None:
    whole = HALF | {"given_name": "Ana", "family_name": "Ortiz", "date_of_birth_day": "17"}
    type_in(browser, draft, **(whole | {"tax_id": "536-22-1234"}))
    shown = page(browser.get(step(draft)))
    assert 'name="entries_version" value="1"' in shown
    # The other device leaves the masked fields empty and keeps them thereby.
    saved = browser.post(
        step(draft),
        {
            "given_name": "Ana",
            "family_name": "Ortiz",
            "tax_id_type": "SSN",
            "step_version": "0",
            "entries_version": "1",
        },
    )
    assert saved.status_code == 302
    owner = Owner.objects.get()
    assert owner.tax_id is not None
    assert owner.tax_id.reveal() == "536221234"
    assert not StepEntries.objects.exists()


def test_a_sensitive_field_emptied_by_hand_is_not_filled_from_what_was_typed(
    browser: Client, draft: Application
) -> None:
    whole = {"given_name": "Ana", "family_name": "Ortiz", "tax_id_type": "SSN", "tax_id": "536-22-9999"}
    born = {"date_of_birth_month": "4", "date_of_birth_day": "17", "date_of_birth_year": "1988"}
    type_in(browser, draft, **whole, **born)
    seen = {"writer": "desk", "step_version": "0", "forget": "tax_id"}
    refused = browser.post(step(draft), whole | born | {"tax_id": ""} | seen)
    assert refused.status_code == 422
    assert Owner.objects.get().tax_id is None
    type_in(browser, draft, **(whole | {"tax_id": "", "forget": "tax_id"}))
    assert "tax_id" not in entries()


# --- Two devices --------------------------------------------------------------------------------------------


def test_the_second_device_is_told_and_overwrites_nothing(browser: Client, draft: Application) -> None:
    type_in(browser, draft, given_name="Ana", writer="desk")
    type_in(browser, draft, given_name="Anabel", writer="desk")
    told = type_in(browser, draft, given_name="Bea", writer="phone")
    assert told.status_code == 409
    assert "another device" in told.json()["said"]
    assert entries()["given_name"] == "Anabel"
    # Whoever opened it since may write, and then the first is told.
    assert type_in(browser, draft, given_name="Bea", writer="phone", entries_version="2").status_code == 200
    assert type_in(browser, draft, given_name="Cleo", writer="desk", entries_version="0").status_code == 409


def test_saving_over_what_another_device_typed_shows_both(browser: Client, draft: Application) -> None:
    type_in(browser, draft, "contact", email="desk@example.test", phone="512", writer="desk")
    mine = {"email": "phone@example.test", "phone": "512 555 0142", "step_version": "0", "writer": "phone"}
    both = browser.post(step(draft, "contact"), mine)
    assert both.status_code == 409
    assert "desk@example.test" in page(both)
    assert "phone@example.test" in page(both)
    assert "data-autosave=" not in page(both)
    assert 'name="entries_version" value="1"' in page(both)
    assert browser.post(step(draft, "contact"), mine | {"entries_version": "1"}).status_code == 302
    assert Owner.objects.get().email == "phone@example.test"


def test_typing_after_the_step_was_saved_elsewhere_is_told(browser: Client, draft: Application) -> None:
    save = {"email": "a@example.test", "phone": "512 555 0142", "step_version": "0"}
    assert browser.post(step(draft, "contact"), save).status_code == 302
    assert type_in(browser, draft, "contact", email="late@example.test").status_code == 409
    assert not StepEntries.objects.exists()


# --- It counts nowhere --------------------------------------------------------------------------------------


def test_typed_and_not_saved_is_not_complete_and_does_not_reach_the_provider(
    browser: Client, customer_user: User
) -> None:
    application = complete_draft(customer_user)
    sent = services.step_entries_keep(
        actor=customer_user,
        application_id=application.pk,
        step="contact",
        entries={"phone": "512 5"},
    )
    assert sent.version == application.version + 1
    states = {state.path: state for state in completeness.step_states(application)}
    assert states["contact"].needs_attention
    assert list(completeness.missing(list(states.values()))) == ["contact.phone"]
    with pytest.raises(Invalid):
        services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    resumed = browser.get(reverse("customer:resume", args=[application.pk]))
    assert resumed.headers["Location"] == step(application, "contact")
    # Whole but other than what was saved: still for the customer to save.
    _type(customer_user, application, {"phone": "512 555 0199"})
    assert completeness.missing(completeness.step_states(application))
    # As it was saved, however it is written: nothing is open.
    _type(customer_user, application, {"phone": "(512) 555-0142"})
    assert not completeness.missing(completeness.step_states(application))
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    assert not StepEntries.objects.exists()
    account = ProviderAccount.objects.get()
    assert payloads.account_request(account).owners[0].phone_number == "+15125550142"


def _type(user: User, application: Application, given: dict[str, Any], name: str = "contact") -> None:
    services.step_entries_keep(actor=user, application_id=application.pk, step=name, entries=given)


def test_an_optional_step_that_was_only_looked_at_stays_optional(customer_user: User) -> None:
    application = complete_draft(customer_user)
    _type(customer_user, application, {"has_contact": False, "contact_country": "US"}, "trusted_contact")
    assert not completeness.missing(completeness.step_states(application))
    _type(customer_user, application, {"has_contact": True, "contact_given_name": "Uw"}, "trusted_contact")
    assert completeness.missing(completeness.step_states(application))


def test_withdrawing_forgets_what_was_typed(customer_user: User, draft: Application) -> None:
    _type(customer_user, draft, {"phone": "512"})
    services.application_withdraw(actor=customer_user, application_id=draft.pk, source="page")
    assert not StepEntries.objects.exists()
    with pytest.raises(Conflict):
        _type(customer_user, draft, {"phone": "512"})


def test_a_stranger_s_application_and_a_claimed_part_are_not_there(
    draft: Application, signed_in: SignIn, customer_user: User
) -> None:
    stranger = make_customer_user()
    assert type_in(signed_in(stranger), draft, given_name="Eve").status_code == 404
    with pytest.raises(NotFound):
        _type(stranger, draft, {"phone": "1"})
    application = journeys.custodial(customer_user)
    minor = Owner.objects.get(application=application, role="MINOR_OWNER")
    other = make_customer_user()
    Owner.objects.filter(pk=minor.pk).update(user=other)
    path = reverse("customer:person_step_typed", args=[application.pk, minor.pk, "contact"])
    assert signed_in(customer_user).post(path, {"email": "x", "step_version": "1"}).status_code == 403
    assert signed_in(other).post(path, {"email": "x", "step_version": "1"}).status_code == 200
    assert signed_in(other).post(f"{step(application)}typed/", {"given_name": "x"}).status_code == 404
    assert not drafts.load(application).shows_answers_of(
        drafts.load(application).owner(minor.pk), customer_user
    )


def test_nothing_typed_fails_the_page_or_the_api(browser: Client, draft: Application) -> None:
    for word, value in hostile.TEXTS.items():
        if word == "lone surrogate":
            continue
        answer = type_in(browser, draft, given_name=value, tax_id=value)
        assert answer.status_code == (422 if word == "10,000 characters" else 200), word
        assert browser.get(step(draft)).status_code == 200, word
    StepEntries.objects.all().delete()
    for field in ("given_name", "date_of_birth", "tax_id", "tax_id_type"):
        for word, value in hostile.EVERYTHING.items():
            answer = patch(browser, draft, {field: value})
            assert answer.status_code in {200, 400, 422}, (field, word)
            assert browser.get(step(draft)).status_code == 200, (field, word)


# --- By REST ------------------------------------------------------------------------------------------------


def patch(client: Client, application: Application, body: Any, name: str = "identity") -> Any:
    application.refresh_from_db()
    return client.patch(
        f"/api/v1/applications/{application.pk}/steps/{name}",
        json.dumps(body),
        content_type="application/json",
        headers={"If-Match": application.etag},
    )


def test_an_app_keeps_half_a_step_and_reads_it_back(browser: Client, draft: Application) -> None:
    answer = patch(browser, draft, {"given_name": "An", "tax_id": "536-2", "date_of_birth": "19"})
    assert answer.status_code == 200
    found = next(row for row in answer.json()["steps"] if row["name"] == "identity")
    assert found["entries"] == {
        "given_name": "An",
        "tax_id": "•••-••-••••",
        "date_of_birth": "••••-••-••",
    }
    assert (found["answers"], found["done"], found["version"]) == ({}, False, 0)
    assert answer.headers["ETag"] == '"2"'
    again = patch(browser, draft, {"family_name": "Ort", "tax_id": None})
    found = next(row for row in again.json()["steps"] if row["name"] == "identity")
    assert found["entries"] == {"given_name": "An", "family_name": "Ort", "date_of_birth": "••••-••-••"}
    refused = patch(browser, draft, {"nickname": "A", "given_name": {"x": 1}})
    assert refused.status_code == 422
    assert {row["pointer"] for row in refused.json()["errors"]} == {"/nickname", "/given_name"}


def test_an_app_s_version_covers_what_a_page_typed(browser: Client, draft: Application) -> None:
    seen = draft.etag
    type_in(browser, draft, given_name="Ana")
    late = browser.patch(
        f"/api/v1/applications/{draft.pk}/steps/identity",
        json.dumps({"given_name": "Bea"}),
        content_type="application/json",
        headers={"If-Match": seen},
    )
    assert late.status_code == 412
    assert entries()["given_name"] == "Ana"
    missing = browser.patch(f"/api/v1/applications/{draft.pk}/steps/identity", "{}", "application/json")
    assert missing.status_code == 428
