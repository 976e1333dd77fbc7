"""A possible duplicate is found before the provider hears of it, and goes to a person."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from compliance import selectors
from compliance import services as compliance
from compliance.models import Case
from onboarding import services
from onboarding.models import Application, Owner
from portal.errors import IllegalMove
from portal.models import MailMessage, OutboundCall, User
from tests.flow import complete_draft, submitted
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Status = Application.Status


def decide(user: User, case: Case, decision: str, reason: str) -> Case:
    compliance.case_assign(actor=user, case_id=case.pk, to=user)
    case = compliance.case_check(actor=user, case_id=case.pk, done={"compared", "asked"})
    return compliance.case_decide(
        actor=user,
        case_id=case.pk,
        decision=decision,
        reason_code=reason,
        text="Looked.",
        version=case.version,
    )


@pytest.fixture
def held(customer_user: User) -> Application:
    """An application of somebody whose number another customer's holds."""
    submitted(make_customer_user("First"), tax_id="536-22-1234")
    return submitted(customer_user, tax_id="536 22 1234")


def test_the_same_number_is_held_and_the_provider_not_called(held: Application) -> None:
    assert held.status == Status.HELD
    assert OutboundCall.objects.count() == 1
    case = Case.objects.get()
    assert (case.kind, case.country) == ("onboarding.duplicate", "US")
    assert not re.search("536[- ]?22", str(list(case.facts.values())))
    assert not hasattr(Application.objects.get(pk=held.pk), "account")


def test_the_same_name_and_birth_date_is_held_whatever_the_writing(customer_user: User) -> None:
    submitted(make_customer_user("First"), given_name="José", family_name="Núñez", date_of_birth="1988-04-17")
    again = submitted(customer_user, given_name="JOSÉ", family_name="núñez", date_of_birth="1988-04-17")
    assert again.status == Status.HELD


def test_a_draft_and_a_withdrawn_application_are_no_account(customer_user: User) -> None:
    complete_draft(make_customer_user("Draft"), **answers.ANA)
    gone = complete_draft(make_customer_user("Gone"), **answers.ANA)
    services.application_withdraw(actor=gone.customer.user, application_id=gone.pk, source="page")
    assert submitted(customer_user, **answers.ANA).status == Status.SUBMITTED


def test_one_customer_may_open_accounts_of_other_types(customer_user: User) -> None:
    submitted(customer_user, **answers.ANA)
    application = journeys.custodial(customer_user)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    assert Application.objects.get(pk=application.pk).status == Status.SUBMITTED


def test_a_company_with_the_same_number_is_held(customer_user: User) -> None:
    first = make_customer_user("First")
    one = journeys.entity(first)
    services.application_submit(actor=first, application_id=one.pk, source="page")
    two = journeys.entity(customer_user)
    services.application_submit(actor=customer_user, application_id=two.pk, source="page")
    assert Application.objects.get(pk=two.pk).status == Status.HELD


def test_somebody_else_is_passed_on_and_never_held_again(
    held: Application, staff: Callable[[str], User]
) -> None:
    analyst = staff("compliance_analyst")
    decide(analyst, Case.objects.get(), "other", "namesake")
    held.refresh_from_db()
    assert held.status == Status.SUBMITTED
    assert OutboundCall.objects.filter(subject_id=held.account.pk).count() == 1
    held.move_to(Status.CORRECTION_NEEDED, actor=None, source="provider")
    again = services.application_submit(actor=held.customer.user, application_id=held.pk, source="page")
    assert again.status == Status.SUBMITTED


def test_the_same_person_is_refused_and_told_without_the_reason(
    held: Application, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    decide(staff("compliance_analyst"), Case.objects.get(), "same", "has_account")
    held.refresh_from_db()
    assert held.status == Status.REJECTED
    assert OutboundCall.objects.filter(operation=services.SAVE_ACCOUNT).count() == 1
    assert MailMessage.objects.filter(subject="About your application").count() == 1
    page = signed_in(held.customer.user).get(f"/applications/{held.pk}/").content.decode()
    assert "We could not open your account" in page
    assert "duplicate" not in page.lower()


def test_submitting_twice_is_one_case_and_withdrawing_settles_it(held: Application) -> None:
    actor = held.customer.user
    services.application_submit(actor=actor, application_id=held.pk, source="page")
    assert Case.objects.count() == 1
    services.application_withdraw(actor=actor, application_id=held.pk, source="page")
    assert Case.objects.get().status == Case.Status.CLOSED
    with pytest.raises(IllegalMove):
        services.application_withdraw(actor=actor, application_id=held.pk, source="page")


def test_the_case_page_compares_masked_and_leads_to_both(
    held: Application, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    case = Case.objects.get()
    page = signed_in(staff("compliance_analyst")).get(f"/staff/cases/{case.pk}/").content.decode()
    assert "•••-••-1234" in page
    assert "536-22-1234" not in page
    other = Application.objects.exclude(pk=held.pk).get()
    assert f"/staff/applications/{other.pk}/" in page
    assert "Same tax number" in page


def test_the_customer_reads_that_a_person_looks(
    held: Application, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(held.customer.user).get(f"/applications/{held.pk}/").content.decode()
    assert "We are looking at your application" in page
    assert "Withdraw" in page


def test_the_index_follows_name_and_birth_date(customer_user: User) -> None:
    owner = Owner.objects.get(application=complete_draft(customer_user))
    before = owner.person_index
    assert before
    owner.given_name = "Another"
    owner.save(update_fields=["given_name"])
    owner.refresh_from_db()
    assert owner.person_index not in {"", before}


def test_staff_find_the_case_by_the_whole_address(
    held: Application, customer_user: User, staff: Callable[[str], User]
) -> None:
    case, analyst = Case.objects.get(), staff("compliance_analyst")

    def found(text: str) -> list[Case]:
        return selectors.cases_for_staff(analyst, selectors.CaseFilter(text=text)).rows

    assert found(customer_user.email.upper()) == [case]
    assert found(customer_user.email[:-1]) == []
    assert found("nobody@example.test") == []
