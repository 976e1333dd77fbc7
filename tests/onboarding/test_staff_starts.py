"""Applications that staff start for a customer: who may, what staff fill in, and the letter that hands it over."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import connections
from django.test import Client
from django.urls import reverse

from onboarding import abandoned, drafts, services, standing
from onboarding.models import AgreementAcceptance, Application, ApplicationStep, StepEntries
from portal import clock, permissions
from portal.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, Role, User
from portal.models.mail import MailMessage
from tests.flow import publish_agreements
from tests.onboarding import answers
from tests.onboarding.test_pages_customer import typed
from tests.people import PASSWORD, make_customer_user, make_staff

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
NEW = "kim@example.test"


@pytest.fixture
def agent(db: None) -> User:
    publish_agreements()
    return make_staff("onboarding_agent")


def start(agent: User, **more: Any) -> Application:
    given = {"email": NEW, "name": "Kim Lee", "account_type": "INDIVIDUAL", "country": "US"}
    return services.application_start_for(actor=agent, source="page", **(given | more))


def hand_over(agent: User, application: Application) -> str:
    """The link of the letter, below our address."""
    services.application_hand_over(actor=agent, application_id=application.pk, source="page")
    text = MailMessage.objects.latest("created_at").content.reveal()["text"]
    found = re.search(r"https?://[^/]+(/\S+)", text)
    assert found, text
    return found[1]


def test_from_the_start_to_the_customer_s_own_draft(agent: User, signed_in: SignIn) -> None:
    office = signed_in(agent)
    started = office.post(
        reverse("staff:application_start"),
        {"email": "Kim@Example.test", "name": "Kim Lee", "account_type": "INDIVIDUAL", "country": "US"},
    )
    application = Application.objects.get()
    assert started["Location"] == reverse("staff:application_fill", args=[application.pk])
    assert office.get(started["Location"]).status_code == 200
    address = reverse("staff:application_step", args=[application.pk, "identity"])
    assert office.get(address).status_code == 200
    assert office.post(address, typed("identity", tax_id="nonsense")).status_code == 422
    assert office.post(address, typed("identity")).status_code == 302
    step = ApplicationStep.objects.get()
    assert (step.name, step.saved_by) == ("identity", agent)
    assert AuditEntry.objects.get(action="application.step").actor == agent
    assert standing.ball(Application.objects.get()).holder == "us"
    assert office.post(reverse("staff:application_hand_over", args=[application.pk])).status_code == 302
    text = MailMessage.objects.get().content.reveal()["text"]
    found = re.search(r"https?://[^/]+(/\S+)", text)
    assert found
    customer = Client()
    form = customer.get(found[1], follow=True)
    page = form.redirect_chain[-1][0]
    done = customer.post(page, {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    user = User.objects.get(email=NEW)
    assert user.role == Role.CUSTOMER
    assert EmailAddress.objects.get(user=user).verified
    signin = customer.get(done["Location"], follow=True).redirect_chain[-1][0]
    assert signin.startswith(reverse("account_login"))
    signed = customer.post(signin, {"login": NEW, "password": PASSWORD}, follow=True)
    assert signed.redirect_chain[-1][0] == reverse("customer:step", args=[application.pk, "contact"])
    # The link worked once.
    assert "set-password" not in str(Client().get(found[1], follow=True).redirect_chain)


def test_the_link_runs_out(agent: User) -> None:
    link = hand_over(agent, start(agent))
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        assert Client().get(link, follow=True).redirect_chain == []
        again = hand_over(agent, Application.objects.get())
        assert Client().get(again, follow=True).redirect_chain


def test_who_has_a_login_uses_their_own_password(agent: User, signed_in: SignIn) -> None:
    customer = make_customer_user()
    before = User.objects.get(pk=customer.pk).password
    application = start(agent, email=customer.email.upper())
    link = hand_over(agent, application)
    assert link == reverse("customer:resume", args=[application.pk])
    assert User.objects.get(pk=customer.pk).password == before
    assert Client().get(link)["Location"].startswith(reverse("account_login"))
    assert signed_in(customer).get(link).status_code == 302
    assert signed_in(make_customer_user()).get(link).status_code == 404
    with pytest.raises(Conflict):
        hand_over(agent, application)


def test_a_login_nobody_proved_to_own_loses_its_password(agent: User) -> None:
    """Somebody signed up with the customer's address and waits for them to confirm it."""
    stranger = make_customer_user()
    EmailAddress.objects.filter(user=stranger).update(verified=False)
    link = hand_over(agent, start(agent, email=stranger.email))
    assert not User.objects.get(pk=stranger.pk).has_usable_password()
    assert "/password/reset/key/" in link


def test_the_customer_s_own_open_application_is_not_staff_s(agent: User) -> None:
    customer = make_customer_user()
    own = services.application_start(actor=customer, source="page")
    with pytest.raises(Conflict):
        start(agent, email=customer.email)
    with pytest.raises(Conflict):
        services.step_save_for(
            actor=agent,
            application_id=own.pk,
            step="contact",
            answers=answers.STEPS["contact"],
            step_version=0,
            source="page",
        )
    with pytest.raises(Conflict):
        services.application_hand_over(actor=agent, application_id=own.pk, source="page")
    assert not ApplicationStep.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"name": ""}, "name"),
        ({"name": "www.win.example"}, "name"),
        ({"account_type": "ENTITY"}, "entity_type"),
        ({"country": "XX"}, "country"),
    ],
)
def test_what_does_not_hold_is_named(agent: User, signed_in: SignIn, changed: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        start(agent, **changed)
    assert set(caught.value.fields) == {field}
    given = {"email": NEW, "name": "Kim Lee", "account_type": "INDIVIDUAL", "country": "US"} | changed
    assert signed_in(agent).post(reverse("staff:application_start"), given).status_code == 422
    assert not User.objects.filter(email=NEW).exists()


def test_not_for_colleagues_nor_for_who_was_switched_off(agent: User) -> None:
    with pytest.raises(Invalid):
        start(agent, email=agent.email)
    customer = make_customer_user()
    User.objects.filter(pk=customer.pk).update(is_active=False)
    with pytest.raises(Conflict):
        start(agent, email=customer.email)
    assert not Application.objects.exists()


def test_only_who_may_start(agent: User, signed_in: SignIn) -> None:
    application = start(agent)
    for role in Role.values:
        may = permissions.can_do(User(role=role), "application.start")
        assert may == (role == Role.ONBOARDING_AGENT)
        if may:
            continue
        user = make_customer_user() if role == Role.CUSTOMER else make_staff(role)
        browser = signed_in(user)
        for address in (
            reverse("staff:application_start"),
            reverse("staff:application_fill", args=[application.pk]),
            reverse("staff:application_step", args=[application.pk, "identity"]),
        ):
            assert browser.get(address).status_code == 403, (role, address)
        keeping = reverse("staff:application_step_typed", args=[application.pk, "contact"])
        assert browser.post(keeping, {"phone": "512"}).status_code == 403
        posted = browser.post(reverse("staff:application_hand_over", args=[application.pk]))
        assert posted.status_code == 403
        with pytest.raises(Forbidden):
            start(user, email="other@example.test")
    assert not MailMessage.objects.exists()
    assert not StepEntries.objects.exists()
    assert not User.objects.filter(email="other@example.test").exists()


def test_staff_neither_accept_nor_hand_in_nor_go_on_afterwards(agent: User) -> None:
    application = start(agent)

    def save(step: str) -> None:
        services.step_save_for(
            actor=agent,
            application_id=application.pk,
            step=step,
            answers=answers.STEPS.get(step, {}),
            step_version=None,
            source="page",
        )

    for step in ("agreements", "owners", "nothing"):
        with pytest.raises(NotFound):
            save(step)
    with pytest.raises(NotFound):
        services.application_submit(actor=agent, application_id=application.pk, source="page")
    with pytest.raises(NotFound):
        services.agreements_accept(actor=agent, application_id=application.pk, accepted={}, source="page")
    save("contact")
    hand_over(agent, application)
    with pytest.raises(Conflict):
        save("contact")
    assert not AgreementAcceptance.objects.exists()


def test_what_staff_type_is_kept_and_the_customer_finds_it(agent: User, signed_in: SignIn) -> None:
    customer = make_customer_user()
    application = start(agent, email=customer.email)
    office, colleague = signed_in(agent), signed_in(make_staff("onboarding_agent"))
    address = reverse("staff:application_step", args=[application.pk, "contact"])

    def type_in(browser: Client, writer: str, **fields: str) -> Any:
        given = {"writer": writer, "step_version": "0", "entries_version": "0"}
        return browser.post(f"{address}typed/", given | fields)

    assert type_in(office, "desk", phone="512 555").json() == {"said": ""}
    page = colleague.get(address).content.decode()
    assert 'value="512 555"' in page
    assert "Choose “Save” when it is right" in page
    # A colleague whose page did not see it loses nothing of either, by keeping or by saving.
    told = type_in(colleague, "other", phone="030")
    assert (told.status_code, "see both" in told.json()["said"]) == (409, True)
    saved = colleague.post(address, typed("contact") | {"writer": "other", "entries_version": "0"})
    assert saved.status_code == 409
    assert "data-autosave=" not in saved.content.decode()
    assert StepEntries.objects.get().kept_by == agent
    # The customer goes on where staff stopped, also in the middle of a step.
    hand_over(agent, application)
    assert type_in(office, "desk", phone="512 555 0142").status_code == 409
    found = signed_in(customer).get(reverse("customer:step", args=[application.pk, "contact"]))
    assert 'value="512 555"' in found.content.decode()


def test_saving_ends_what_staff_typed(agent: User, signed_in: SignIn) -> None:
    application = start(agent)
    office = signed_in(agent)
    address = reverse("staff:application_step", args=[application.pk, "contact"])
    office.post(f"{address}typed/", {"writer": "desk", "step_version": "0", "phone": "512"})
    assert office.post(address, typed("contact") | {"writer": "desk"}).status_code == 302
    assert not StepEntries.objects.exists()


def test_a_company_too_and_who_does_not_know_of_it_is_not_reminded(agent: User) -> None:
    application = start(agent, account_type="ENTITY", entity_type="LLC")
    assert drafts.applicant_of(application).user == User.objects.get(email=NEW)
    with time_machine.travel(clock.now() + timedelta(days=20, minutes=1), tick=False):
        abandoned.remind()
    assert not MailMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_are_one_login_and_one_draft(agent: User) -> None:
    results: list[str] = []
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait()
        try:
            start(agent)
            results.append("started")
        except DomainError as error:
            results.append(error.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["conflict", "started"]
    assert User.objects.filter(email=NEW).count() == Application.objects.count() == 1
