"""Whoever lately decided who a customer is, or wrote for them, is not the second person of a decision about them."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance import approvers, kinds
from compliance import services as compliance
from compliance.models import Case, Proposal, RuleBook
from onboarding import second_person
from onboarding.cases import duplicates
from onboarding.models import Application, ProviderAccount
from onboarding.privacy import requests
from onboarding.reconciliation import unknown
from portal import audit, clock
from portal.errors import Conflict
from portal.models import User
from tests.flow import submitted
from tests.onboarding import journeys
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(customer_user: User) -> Application:
    """An application of somebody whose number another customer's holds: a case."""
    submitted(make_customer_user("First"), tax_id="536-22-1234")
    return submitted(customer_user, tax_id="536 22 1234")


def proposed(maker: User, decision: str = "other", reason: str = "namesake") -> Proposal:
    case = Case.objects.get()
    compliance.case_assign(actor=maker, case_id=case.pk, to=maker)
    case = compliance.case_check(actor=maker, case_id=case.pk, done={"compared", "asked"})
    made = compliance.case_decide(
        actor=maker, case_id=case.pk, decision=decision, reason_code=reason, version=case.version
    )
    assert isinstance(made, Proposal)
    return made


def approve(checker: User, made: Proposal) -> None:
    version = Case.objects.get(pk=made.case_id).version
    compliance.case_approve(actor=checker, case_id=made.case_id, proposal_id=made.pk, version=version)


def two_for_everything() -> None:
    compliance.approval_rule_add(
        actor=make_staff("compliance_manager"), kind=duplicates.KIND, decision="", priority_from=1,
        amount=None, version=RuleBook.current().version,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("document.reject", "You decided about this customer's identity lately."),
        ("application.step", "You changed this customer's data lately."),
        ("customer.viewed_as", "You looked at the portal as this customer within the last 10 minutes."),
    ],
)
def test_who_had_a_hand_in_it_does_not_approve(held: Application, action: str, words: str) -> None:
    two_for_everything()
    maker, checker, other = make_staff(), make_staff(), make_staff()
    audit.record(action, subject=held, actor=checker)
    made = proposed(maker)
    with pytest.raises(Conflict, match=words):
        approve(checker, made)
    second = approvers.seconds_of_cases([Case.objects.get()])[made.case_id]
    assert (checker in second.can, other in second.can, maker in second.can) == (False, True, False)
    with time_machine.travel(
        clock.now()
        + timedelta(seconds=1)
        + (second_person.VIEWING if "viewed" in action else second_person.LATELY)
    ):
        approve(checker, made)
    assert Application.objects.get(pk=held.pk).status == Application.Status.SUBMITTED


def test_who_decided_it_before_does_not_approve_it_anew(held: Application) -> None:
    two_for_everything()
    first, second, third = make_staff(), make_staff(), make_staff("compliance_manager")
    approve(second, proposed(first))
    compliance.case_reopen(actor=third, case_id=Case.objects.get().pk, reason="It was somebody else")
    out = duplicates.kind.ruled_out([held.pk])[held.pk]
    assert out == dict.fromkeys((first.pk, second.pk), second_person.DECIDED)
    assert second_person.IDENTITY_KIND == duplicates.KIND


def test_every_kind_about_a_customer_finds_them_at_a_fixed_cost(held: Application) -> None:
    """What customers do themselves, what only looks, and what was done about others is not held against anybody."""
    staff, account = make_staff(), ProviderAccount.objects.get()
    own = account.application.customer.user
    for action, who in (
        ("application.step", own),
        ("application.view", make_staff()),
        ("document.read", make_staff()),
    ):
        audit.record(action, subject=account.application, actor=who)
    audit.record("application.step", subject=held, actor=make_staff())
    ways = second_person.about((ProviderAccount, "application"))
    assert ways([account.pk]) == {account.pk: {}}
    # Whatever was done on any application of a customer counts for all of theirs.
    for application in (account.application, journeys.custodial(own)):
        for action in ("application.step", "document.accept", "account.update_by_staff"):
            audit.record(action, subject=application, actor=staff)
    with CaptureQueriesContext(connection) as one:
        assert ways([account.pk]) == {account.pk: {staff.pk: second_person.DECIDED}}
    with CaptureQueriesContext(connection) as many:
        assert set(ways([account.pk, held.pk])) == {account.pk}
    assert len(one) == len(many) == 4
    without = {kind.name for kind in kinds.all_kinds() if kind.ruled_out is kinds.nobody_ruled_out}
    # Nobody's account: no person decided about it before.
    assert without == {unknown.KIND}
    for name in {kind.name for kind in kinds.all_kinds()} - without:
        assert kinds.get(name).ruled_out([held.pk, account.pk]) is not None


def test_rules_of_queues_know_where_a_customer_lives_whatever_the_case_is_about(held: Application) -> None:
    without = {kind.name for kind in kinds.all_kinds() if kind.traits is kinds.no_traits}
    assert not without
    wanted = requests.data_request_ask(actor=held.customer.user, kind="export", source="page")
    case = Case.objects.get(subject_id=wanted.pk)
    assert (case.country, case.language) == ("US", held.customer.language)
