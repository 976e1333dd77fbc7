"""What stays of the cases of a customer whose data was erased: that they were decided and by whom, behind a door."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from compliance import export_jobs, jobs, seen
from compliance import services as compliance
from compliance.models import Case, CaseDecision, CaseExport, Proposal, Review, ReviewPolicy, SeenEvidence
from compliance.models.approvals import FORGOTTEN
from onboarding import shut_away
from onboarding.models import Application, Customer, ProviderAccount
from onboarding.privacy import policy, retention
from portal import revealing
from portal.errors import Forbidden, Gone
from portal.models import OutboundCall, User
from tests.flow import submitted
from tests.onboarding.test_privacy import ask, decide
from tests.onboarding.test_second_person import approve, proposed, two_for_everything
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
MONDAY = datetime(2026, 9, 14, 13, tzinfo=UTC)
NEXT = MONDAY + timedelta(days=7)


@pytest.fixture
def closed(customer_user: User, staff: Staff) -> Application:
    """Ana looked whether it is a duplicate, Ben agreed; since then the account was closed, and a review was drawn."""
    manager = staff("compliance_manager")
    ana, ben = staff("compliance_analyst"), staff("compliance_analyst")
    with time_machine.travel(MONDAY):
        two_for_everything()
        submitted(make_customer_user("First"), tax_id="536-22-1234")
        application = submitted(customer_user, given_name="Marisol", tax_id="536 22 1234")
        approve(ben, proposed(ana))
        compliance.review_policy_save(
            actor=manager,
            percents={},
            usual_percent=100,
            per_person=0,
            version=ReviewPolicy.current().version,
        )
        OutboundCall.objects.update(status="succeeded")
        account = ProviderAccount.objects.get(application=application)
        account.move_to(ProviderAccount.Status.CLOSED, actor=None, source="test")
    with time_machine.travel(NEXT):
        jobs.reviews_draw()
    assert Review.objects.count() == 1
    return Application.objects.get(pk=application.pk)


def erase(staff: Staff, user: User) -> None:
    decide(staff("compliance_manager"), ask(user, "erasure"), "erase")


def test_a_blind_review_under_way_is_shut_and_can_be_put_back(
    closed: Application, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    with time_machine.travel(NEXT):
        reader = staff("compliance_analyst")
        desk, review = signed_in(reader), compliance.review_take(actor=reader)
        assert review is not None
        page, send = (reverse(f"reviews:{name}", args=[review.pk]) for name in ("detail", "decide"))
        choice = {"review-decision": "other", "review-reason_other": "namesake"}
        assert closed.reference in desk.get(page).content.decode()
        erase(staff, customer_user)
        for answer in (desk.get(page), desk.get(f"{page}?paper=1"), desk.post(send, choice), desk.post(send)):
            said = answer.content.decode()
            assert answer.status_code == 403 and "The customer had this erased" in said
            assert "Put it back" in said and closed.reference not in said and "Marisol" not in said
        with pytest.raises(Forbidden, match="had this erased"):
            compliance.review_decide(
                actor=reader, review_id=review.pk, decision="other", reason_code="namesake"
            )
        assert Review.objects.get().reviewed_at is None
        # Put back, it is nobody's to take, and its page says why.
        assert desk.post(reverse("reviews:put_back", args=[review.pk])).status_code == 302
        assert compliance.review_take(actor=reader) is None
        manager = staff("compliance_manager")
        waits = signed_in(manager).get(page).content.decode()
        assert "Nobody makes this review" in waits
        # Who opened it for some minutes, with a reason, may make it.
        customer = Customer.objects.get(user=customer_user)
        revealing.reveal_grant(
            actor=manager, name=shut_away.FIELD, row_id=customer.pk, reason="Examination 7"
        )
        assert manager.label in signed_in(manager).get(page).content.decode()
        assert compliance.review_take(actor=manager) == review
        assert signed_in(manager).get(page).status_code == 200
    with time_machine.travel(NEXT + timedelta(hours=1)):
        assert signed_in(manager).get(page).status_code == 403


def test_both_decisions_of_a_review_are_shut_with_their_case(
    closed: Application, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    with time_machine.travel(NEXT):
        reader, manager = staff("compliance_analyst"), staff("compliance_manager")
        review = compliance.review_take(actor=reader)
        assert review is not None
        compliance.review_decide(
            actor=reader,
            review_id=review.pk,
            decision="same",
            reason_code="has_account",
            text="Marisol, again",
        )
        page = reverse("reviews:detail", args=[review.pk])
        first = CaseDecision.objects.get(case=review.case_id).actor
        people = (reader, first, manager, staff("auditor"))
        assert all("Marisol, again" in signed_in(one).get(page).content.decode() for one in people)
        erase(staff, customer_user)
        for one in people:
            answer = signed_in(one).get(page)
            assert answer.status_code == 403 and "Marisol" not in answer.content.decode(), one.role
        desk, settle = signed_in(manager), reverse("reviews:settle", args=[review.pk])
        given = {"settle-stands": "first", "settle-lesson": "Ask them"}
        assert desk.post(settle, given).status_code == desk.post(settle).status_code == 403
        with pytest.raises(Forbidden, match="had this erased"):
            compliance.review_settle(actor=manager, review_id=review.pk, stands="first", lesson="Ask them")
        assert Review.objects.get().status == Review.Status.DISAGREED


def _forgotten(case: Case) -> None:
    proposal = Proposal.objects.get(case=case)
    assert proposal.seen_evidence == FORGOTTEN
    assert (proposal.code, proposal.status) == ("other", "approved") and proposal.maker and proposal.checker
    assert not SeenEvidence.objects.filter(decision__case=case).exists()


def test_what_a_maker_saw_goes_when_the_customer_is_erased(
    closed: Application, customer_user: User, staff: Staff
) -> None:
    case = Case.objects.get(subject_id=closed.pk)
    assert "Marisol" in str(Proposal.objects.get(case=case).seen_evidence)
    assert seen.sections(CaseDecision.objects.get(case=case))
    with time_machine.travel(NEXT):
        erase(staff, customer_user)
    _forgotten(case)


def test_what_a_maker_saw_goes_when_the_time_is_over(closed: Application) -> None:
    case = Case.objects.get(subject_id=closed.pk)
    with time_machine.travel(MONDAY + timedelta(days=policy.FIVE_YEARS - 1)):
        retention.carry_out()
    assert "Marisol" in str(Proposal.objects.get(case=case).seen_evidence)
    with time_machine.travel(MONDAY + timedelta(days=policy.FIVE_YEARS + 1)):
        retention.carry_out()
    _forgotten(case)


def test_a_case_file_that_lies_ready_is_not_fetched_after_its_customer_is_erased(
    closed: Application, customer_user: User, staff: Staff, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    case, auditor = Case.objects.get(subject_id=closed.pk), staff("auditor")
    with time_machine.travel(NEXT):
        asked = compliance.export_ask(actor=auditor, case_ids=[case.pk], reason="Sampling", with_papers=True)
        export_jobs.export_make(asked.pk)
        export = CaseExport.objects.get(pk=asked.pk)
        how = {"actor": auditor, "export_id": export.pk, "token": compliance.export_link(auditor, export)}
        assert compliance.export_fetch(**how).size and list(tmp_path.rglob("*"))
        ready = CaseExport.objects.values("expires_at")[0]
        erase(staff, customer_user)
        with pytest.raises(Gone):
            compliance.export_fetch(**how)
        # One that was being made meanwhile is shut as its cases are.
        CaseExport.objects.update(**ready)
        with pytest.raises(Forbidden, match="had this erased"):
            compliance.export_fetch(**how)
        customer = Customer.objects.get(user=customer_user)
        revealing.reveal_grant(
            actor=auditor, name=shut_away.FIELD, row_id=customer.pk, reason="Examination 7"
        )
        assert compliance.export_fetch(**how) == export
        assert export_jobs.exports_expire([closed.pk]) == 1
        assert export_jobs.exports_remove() == 1
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_nobody_notes_on_what_is_shut_not_even_on_many_at_once(
    closed: Application, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    case, analyst = Case.objects.get(subject_id=closed.pk), staff("compliance_analyst")
    with time_machine.travel(NEXT):
        erase(staff, customer_user)
        sent = {"case": [str(case.pk)], "do": "note", "bulk-text": "I remember Marisol"}
        answer = signed_in(analyst).post(reverse("cases:bulk"), sent)
        assert "Done for 0 of 1." in answer.content.decode()
        assert "The customer had this erased" in answer.content.decode()
        assert not case.notes.exists()
