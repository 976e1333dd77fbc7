"""A customer who waits for a case is told when it is put on hold: until when, and never why."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from compliance import services as compliance
from compliance.models import Case
from onboarding.cases import duplicates
from onboarding.models import Application, ClosureRequest, Customer, ProviderAccount
from onboarding.services import closures
from portal import clock
from portal.models import MailMessage, User
from tests.flow import submitted

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
SANCTIONS = "onboarding.sanctions"
LETTER = "It takes a little longer"


@pytest.fixture
def application(customer_user: User) -> Application:
    return submitted(customer_user)


def hold(case: Case, actor: User) -> None:
    if Case.objects.get(pk=case.pk).assignee != actor:
        compliance.case_assign(actor=actor, case_id=case.pk, to=actor)
    until = clock.now() + timedelta(days=4)
    compliance.case_hold(actor=actor, case_id=case.pk, until=until, reason="Asking the bank about fraud")


def opened(application: Application, kind: str) -> Case:
    subject = application if kind == duplicates.KIND else application.account
    return compliance.case_open(
        kind=kind,
        subject=compliance.Subject.of(subject, "Ana Ortiz"),
        title="Same name as another",
        facts={},
        source="page",
        dedupe="one",
    )


def test_the_letter_says_until_when_and_nothing_of_why(
    application: Application, staff: Staff, signed_in: SignIn
) -> None:
    analyst, case = staff("compliance_analyst"), opened(application, duplicates.KIND)
    compliance.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    page = reverse("cases:detail", args=[case.pk])
    assert "The customer gets a letter" in signed_in(analyst).get(page).content.decode()
    hold(case, analyst)
    letter = MailMessage.objects.get(subject=LETTER).content.reveal()
    assert application.customer.user.email in letter["to"]
    text = letter["text"]
    day = timezone.localdate(clock.now() + timedelta(days=4))
    assert f"{day:%B} {day.day}, {day.year}" in text
    assert "Your application takes longer" in text
    assert application.reference in text
    for word in ("fraud", "bank", "duplicate", "Same name", case.reference, "compliance"):
        assert word not in text


def test_of_what_no_customer_knows_no_letter_goes(
    application: Application, staff: Staff, signed_in: SignIn
) -> None:
    analyst, case = staff("compliance_analyst"), opened(application, SANCTIONS)
    page = reverse("cases:detail", args=[case.pk])
    hold(case, analyst)
    assert Case.objects.get(pk=case.pk).status == "held"
    compliance.case_resume(actor=analyst, case_id=case.pk)
    text = signed_in(analyst).get(page).content.decode()
    assert "Put on hold" in text
    assert "The customer gets a letter" not in text
    assert not MailMessage.objects.filter(subject=LETTER).exists()


def test_a_closing_is_told_to_who_asked_for_it_and_nothing_after_erasure(
    application: Application, customer_user: User, staff: Staff
) -> None:
    analyst = staff("compliance_analyst")
    Application.objects.update(status="approved")
    ProviderAccount.objects.update(status="active")
    closure = closures.closure_request(
        actor=customer_user, application_id=application.pk, understood=True, source="page"
    )
    case = Case.objects.get(subject_id=closure.pk)
    ClosureRequest.objects.filter(pk=closure.pk).update(requested_by=analyst)
    hold(case, analyst)
    assert not MailMessage.objects.filter(subject=LETTER).exists()
    compliance.case_resume(actor=analyst, case_id=case.pk)
    ClosureRequest.objects.filter(pk=closure.pk).update(requested_by=customer_user)
    hold(case, analyst)
    letter = MailMessage.objects.get(subject=LETTER)
    assert "Closing your account takes longer" in letter.content.reveal()["text"]
    compliance.case_resume(actor=analyst, case_id=case.pk)
    Customer.objects.update(restricted_at=clock.now())
    hold(case, analyst)
    assert MailMessage.objects.filter(subject=LETTER).count() == 1
