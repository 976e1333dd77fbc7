"""A customer asks for the account to be closed, and the provider's event ends it."""

from collections.abc import Callable

import pytest
from django.test import Client

from compliance import services as compliance
from compliance.models import Case
from onboarding import closures, standing
from onboarding.models import Application, ClosureRequest
from onboarding.services import closures as services
from onboarding.timeline import timeline
from portal.errors import Conflict, IllegalMove, Invalid, NotFound
from portal.models import MailMessage, User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import account_of, at_once, deliver
from tests.flow import submitted
from tests.onboarding.test_updates import opened
from tests.people import make_customer_user

Status = ClosureRequest.Status
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def ask(actor: User, application: Application) -> ClosureRequest:
    return services.closure_request(
        actor=actor, application_id=application.pk, understood=True, source="page"
    )


def decide(user: User, decision: str, text: str = "") -> Case:
    case = Case.objects.get(kind=closures.KIND)
    decide_case(user, case, decision, text=text)
    return Case.objects.get(pk=case.pk)


def closed_there(box: SandboxProcess, application: Application) -> None:
    box.api(
        "POST",
        f"accounts/{application.reference}/event",
        {"partyStatus": "CLOSED", "reasonCode": "CLOSED"},
    )
    deliver(box)


def now(closure: ClosureRequest) -> ClosureRequest:
    return ClosureRequest.objects.get(pk=closure.pk)


def title(application: Application) -> str:
    return standing.standing(Application.objects.get(pk=application.pk)).title


def test_asked_passed_on_and_closed_by_the_event(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    closure = ask(customer_user, application)
    assert ask(customer_user, application).pk == closure.pk
    assert title(application) == "Closing was asked for"
    assert decide(staff("compliance_manager"), "pass_on").status == Case.Status.DECIDED
    with pytest.raises(IllegalMove):
        services.closure_withdraw(actor=customer_user, application_id=application.pk, source="page")
    for _ in range(2):
        closed_there(box, application)
    assert now(closure).status == Status.CLOSED
    assert Case.objects.get(kind=closures.KIND).status == Case.Status.CLOSED
    assert account_of(application).closing_asked_at is None
    assert title(application) == "Your account is closed"


def test_the_event_settles_a_case_nobody_has_decided(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    closure = ask(customer_user, application)
    closed_there(box, application)
    assert now(closure).status == Status.CLOSED
    assert Case.objects.get(kind=closures.KIND).status == Case.Status.CLOSED


def test_refused_with_a_reason_and_withdrawn(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    closure = ask(customer_user, application)
    decide(staff("compliance_manager"), "refuse", "A transfer is under way.")
    assert (now(closure).status, now(closure).refused_because) == (
        Status.REFUSED,
        "A transfer is under way.",
    )
    assert MailMessage.objects.filter(subject="Your account was not closed").count() == 1
    assert title(application) == "Your account is active"
    again = ask(customer_user, application)
    services.closure_withdraw(actor=customer_user, application_id=application.pk, source="page")
    assert now(again).status == Status.WITHDRAWN
    assert Case.objects.get(subject_id=again.pk).status == Case.Status.CLOSED
    assert account_of(application).closing_asked_at is None


def test_what_is_not_open_and_whose(box: SandboxProcess, customer_user: User) -> None:
    early = submitted(customer_user)
    with pytest.raises(Conflict):
        ask(customer_user, early)
    application = opened(box, make_customer_user("Open"))
    with pytest.raises(NotFound):
        ask(customer_user, application)
    with pytest.raises(Invalid):
        services.closure_request(
            actor=application.customer.user, application_id=application.pk, understood=False, source="api"
        )
    assert ClosureRequest.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_at_once_make_one(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    made = at_once(lambda: ask(customer_user, application).pk, lambda: ask(customer_user, application).pk)
    assert len(set(made)) == 1
    assert Case.objects.filter(kind=closures.KIND).count() == 1


def test_the_page_and_rest(box: SandboxProcess, customer_user: User, signed_in: SignIn) -> None:
    application = opened(box, customer_user)
    client = signed_in(customer_user)
    page = f"/applications/{application.pk}/close/"
    assert "cannot be undone" in client.get(page).content.decode()
    assert client.post(page).status_code == 422
    assert ClosureRequest.objects.count() == 0
    assert "Looked at by us" in client.post(page, {"understood": "1"}, follow=True).content.decode()
    status = client.get(f"/applications/{application.pk}/").content.decode()
    assert "Closing was asked for" in status
    assert "You keep the account" in client.post(f"{page}withdraw/", follow=True).content.decode()
    address = f"/api/v1/applications/{application.pk}/closure"
    assert client.post(address, {"understood": False}, content_type="application/json").status_code == 422
    for _ in range(2):
        taken = client.post(address, {"understood": True}, content_type="application/json")
        assert (taken.status_code, taken.json()["status"]) == (202, "asked")
    assert client.get(address).json()["status"] == "asked"
    assert client.delete(address).json()["status"] == "withdrawn"
    stranger = signed_in(make_customer_user("Stranger"))
    assert stranger.get(page).status_code == 404
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {"understood": True}, content_type="application/json").status_code == 404


@pytest.mark.parametrize(("decision", "ends"), [("refuse", Status.REFUSED), ("keep", Status.WITHDRAWN)])
def test_what_was_passed_on_can_still_be_refused_or_taken_back(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: Callable[[User], Client],
    decision: str,
    ends: str,
) -> None:
    application = opened(box, customer_user)
    closure = ask(customer_user, application)
    manager = staff("compliance_manager")
    case = decide(manager, "pass_on")
    page = signed_in(customer_user).get(f"/applications/{application.pk}/close/").content.decode()
    assert "If you want to keep it after all" in page
    compliance.case_reopen(actor=manager, case_id=case.pk, reason="Their answer came")
    decide(manager, decision, "The provider wrote to us")
    assert now(closure).status == ends
    assert account_of(application).closing_asked_at is None
    assert Case.objects.get(kind=closures.KIND).status == Case.Status.CLOSED
    told = [item.title for item in timeline(Application.objects.get(pk=application.pk))]
    assert "Closing of the account: With the provider" in told
    assert f"Closing of the account: {Status(ends).label}" in told
    # And it can be asked for again.
    assert ask(customer_user, application).pk != closure.pk


def test_no_job_takes_back_what_was_passed_on(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    closure = ask(customer_user, opened(box, customer_user))
    decide(staff("compliance_manager"), "pass_on")
    for new in (Status.REFUSED, Status.WITHDRAWN):
        with pytest.raises(IllegalMove):
            now(closure).move_to(new, actor=None)
