"""Whole ways over the socket: handed in, sent, received, told by webhook, shown to the customer."""

from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine

from onboarding import services, standing
from onboarding.models import Application, ProviderAccount
from portal import clock
from portal.models import MailMessage, OutboundCall, User
from providers.models import ExpectedEvent, InboundEvent
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, at_sandbox, deliver, later, look_for_late, read_back
from tests.flow import drain, submitted
from tests.onboarding import answers

Account = ProviderAccount.Status
Verdict = Application.Status


def seen(application: Application) -> tuple[str, str, str, str]:
    """Both statuses, what the customer reads first, and who has the ball."""
    account = account_of(application)
    found = account.application
    return (
        found.status,
        account.status,
        standing.standing(found).title,
        standing.ball(found).holder,
    )


def test_the_main_way(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    assert seen(application) == (Verdict.SUBMITTED, Account.PENDING, "We have your application", "us")
    assert at_sandbox(box, application) == []
    drain()
    assert seen(application) == (Verdict.RECEIVED, Account.PENDING, "We have your application", "provider")
    (there,) = at_sandbox(box, application)
    assert there["name"] == "Ana Ortiz"
    assert account_of(application).provider_id == there["id"]
    deliver(box)
    assert seen(application) == (Verdict.APPROVED, Account.ACTIVE, "Your account is active", "nobody")
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.MET
    event = InboundEvent.objects.get()
    assert (event.status, event.deliveries) == (InboundEvent.Status.PROCESSED, 1)
    assert event.subject_id == account_of(application).pk
    assert sorted(MailMessage.objects.values_list("subject", flat=True)) == [
        "We have your application",
        "Your account is open",
    ]


REJECTED = "We could not open your account"
OPEN = (Verdict.APPROVED, Account.ACTIVE, "Your account is active", "nobody")
IN_REVIEW = (
    Verdict.IN_REVIEW,
    Account.UNDER_REVIEW,
    "Your application is being looked at by a person",
    "provider",
)
#: name -> what is seen after each of the sandbox's outcomes, in their order.
WAYS: dict[str, list[tuple[str, str, str, str]]] = {
    "Maggic Dawn": [(Verdict.REJECTED, Account.INACTIVE, REJECTED, "nobody")],
    "block block": [(Verdict.REJECTED, Account.INACTIVE, REJECTED, "nobody")],
    "Taxid Retries": [(Verdict.REJECTED, Account.INACTIVE, REJECTED, "nobody")],
    "Review Manual": [IN_REVIEW, OPEN],
    "Suspend Later": [
        OPEN,
        (Verdict.APPROVED, Account.SUSPENDED, "Your account is suspended", "provider"),
    ],
    "Liquidate Later": [
        OPEN,
        (Verdict.APPROVED, Account.LIQUIDATE_ONLY, "You can sell and withdraw only", "customer"),
    ],
    "Close Later": [OPEN, (Verdict.APPROVED, Account.CLOSED, "Your account is closed", "nobody")],
}


@pytest.mark.parametrize("name", WAYS)
def test_each_name_of_the_sandbox(box: SandboxProcess, customer_user: User, name: str) -> None:
    given, family = name.split()
    application = submitted(customer_user, given_name=given, family_name=family)
    drain()
    for expected in WAYS[name]:
        deliver(box)
        assert seen(application) == expected


@pytest.mark.parametrize(
    ("name", "tells"), [("Maggic Dawn", True), ("Taxid Retries", True), ("block block", False)]
)
def test_a_refusal_is_explained_where_it_may_be(
    box: SandboxProcess,
    customer_user: User,
    name: str,
    tells: bool,
) -> None:
    given, family = name.split()
    application = submitted(customer_user, given_name=given, family_name=family)
    drain()
    deliver(box)
    words = " ".join(standing.standing(account_of(application).application).body)
    assert ("We cannot give the reason" in words) is not tells
    assert "OFAC" not in words
    assert "sanction" not in words.lower()


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("pass", OPEN),
        ("fail", (Verdict.REJECTED, Account.INACTIVE, REJECTED, "nobody")),
        ("review", IN_REVIEW),
    ],
)
def test_the_identity_check_by_link(
    box: SandboxProcess,
    customer_user: User,
    result: str,
    expected: tuple[str, str, str, str],
) -> None:
    application = submitted(customer_user, given_name="Verify", family_name="Document")
    drain()
    deliver(box)
    assert seen(application) == (
        Verdict.ACTION_REQUIRED,
        Account.DOCUMENTS_NEEDED,
        "Please prove your identity",
        "customer",
    )
    account = account_of(application)
    check = account.identity_check
    url = check.links.get().url.reveal()
    assert url.startswith(f"{box.url}/verify/")
    assert url not in repr(check.links.get().url)
    expires = check.expires_at
    assert expires is not None
    assert timedelta(hours=71) < expires - clock.now() <= timedelta(hours=72)
    assert standing.ball(account.application).due == expires
    with requests.Session() as person:
        page = person.get(url, timeout=5)
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        done = person.post(url, data={"csrfmiddlewaretoken": token, "result": result}, timeout=5)
    assert done.status_code == 200
    deliver(box)
    assert seen(application) == expected
    assert account_of(application).identity_check.status == "resolved"
    assert check.links.get().url is None


def test_a_silent_provider_is_read_when_its_answer_is_late(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = submitted(customer_user, given_name="Silent", family_name="Never")
    drain()
    deliver(box)
    assert not InboundEvent.objects.exists()
    assert seen(application)[0] == Verdict.RECEIVED
    with later(minutes=9):
        assert look_for_late() == 0
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.WAITING
    with later(minutes=11):
        assert look_for_late() == 1
    assert seen(application) == OPEN
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.RECOVERED


def test_words_nobody_published_wait_for_a_person(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user, given_name="Unknown", family_name="Word")
    drain()
    deliver(box)
    event = InboundEvent.objects.get()
    assert event.status == InboundEvent.Status.QUARANTINED
    assert "HIBERNATING" in event.outcome
    assert seen(application) == (Verdict.RECEIVED, Account.PENDING, "We have your application", "provider")
    read_back(application)
    assert account_of(application).status == Account.PENDING


def test_a_refused_answer_comes_back_is_corrected_and_sent_again(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    # Our own steps would not let this pass: it stands for a rule of the provider that ours do not know.
    application = submitted(customer_user)
    call = OutboundCall.objects.get()
    body: dict[str, Any] = call.body.reveal()
    body["owners"][0]["identity"]["personalAddress"]["state"] = "ZZ"
    call.body = body
    call.save(update_fields=["body"])
    drain()
    assert at_sandbox(box, application) == []
    assert seen(application) == (
        Verdict.CORRECTION_NEEDED,
        Account.PENDING,
        "Please correct some answers",
        "customer",
    )
    (complaint,) = account_of(application).application.corrections
    assert complaint["field"] == "owners[0].identity.personalAddress.state"
    assert "ZZ" not in complaint["message"]
    assert OutboundCall.objects.get().status == OutboundCall.Status.REJECTED

    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        services.step_save(
            actor=customer_user,
            application_id=application.pk,
            step="address",
            answers=answers.HOME | {"home_city": "Dallas"},
            source="page",
        )
        services.application_submit(actor=customer_user, application_id=application.pk, source="page")
        assert seen(application)[0] == Verdict.SUBMITTED
        drain()
        assert seen(application)[:2] == (Verdict.RECEIVED, Account.PENDING)
        assert account_of(application).application.corrections == []
        assert len(at_sandbox(box, application)) == 1
        deliver(box)
    assert seen(application) == OPEN
    calls = OutboundCall.objects.order_by("created_at")
    assert [call.status for call in calls] == ["rejected", "succeeded"]
    assert len({call.idempotency_key for call in calls}) == 2
