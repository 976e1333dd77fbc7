"""Calls the outbox gave up: a case, what the customer reads, and each way it ends."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from compliance import services as compliance
from compliance.models import Case, CaseFact
from onboarding import given_up, papers, services, standing
from onboarding.models import AccountUpdate, Application, Document
from onboarding.requirements.documents import PaperRule
from onboarding.views.details import STUCK
from onboarding.words_documents import DocumentType
from portal import outbox
from portal.errors import Conflict, Forbidden, NotFound
from portal.models import MailMessage, OutboundCall, User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import account_of, at_sandbox, exchanges, later
from tests.flow import drain, submitted
from tests.onboarding.test_updates import ask, opened

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
Status = OutboundCall.Status


def give_up(call: OutboundCall) -> None:
    """The call is tried once, and again when the provider has forgotten its key."""
    outbox.perform(call.pk)
    with later(days=10):
        outbox.perform(call.pk)
    call.refresh_from_db()
    assert call.status == Status.NEEDS_PERSON


def latest(operation: str) -> OutboundCall:
    return OutboundCall.objects.filter(operation=operation).latest("created_at")


def stuck(box: SandboxProcess, user: User, fault: str) -> Application:
    """An application whose call was given up."""
    application = submitted(user)
    box.fault(fault, "save_account", count=1)
    give_up(latest("bakkt.account.save"))
    return Application.objects.get(pk=application.pk)


def cases() -> list[Case]:
    return list(Case.objects.filter(kind=given_up.KIND).order_by("pk"))


def decide(actor: User, decision: str, text: str = "Looked at it") -> None:
    case = cases()[-1]
    decide_case(actor, case, decision, text=text)


def now(application: Application) -> Application:
    return Application.objects.select_related("account").get(pk=application.pk)


def test_it_is_a_case_and_the_customer_reads_what_happens_next(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = stuck(box, customer_user, "500_before")
    [case] = cases()
    assert (case.status, case.facts.count()) == ("open", 1)
    page = signed_in(customer_user).get(f"/applications/{application.pk}/").content.decode()
    assert "Passing on your application takes longer" in page
    story = signed_in(staff("compliance_analyst")).get(f"/staff/cases/{case.pk}/").content.decode()
    assert "Passing the application on" in story
    assert "What was said last" in story


def test_a_retry_from_the_outbound_calls_settles_it(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = stuck(box, customer_user, "500_before")
    call = latest("bakkt.account.save")
    outbox.retry_by_person(actor=staff("administrator"), call_id=call.pk, reason="It is back")
    drain()
    assert [case.status for case in cases()] == ["closed"]
    assert (now(application).status, now(application).account.stuck_at) == ("received", None)


def test_trying_again(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    application = stuck(box, customer_user, "500_before")
    decide(staff("compliance_analyst"), "again")
    drain()
    assert [case.status for case in cases()] == ["closed"]
    assert (now(application).status, now(application).account.stuck_at) == ("received", None)


def test_given_up_again_is_a_new_case(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    stuck(box, customer_user, "500_before")
    decide(staff("compliance_analyst"), "again")
    box.fault("500_before", "save_account", count=1)
    call = latest("bakkt.account.save")
    with later(minutes=1):
        give_up(call)
    assert [case.status for case in cases()] == ["closed", "open"]


def test_what_is_found_at_the_provider_is_settled_by_reading(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = stuck(box, customer_user, "500_after")
    decide(staff("compliance_analyst"), "look")
    assert [case.status for case in cases()] == ["decided"]
    drain()
    assert [case.status for case in cases()] == ["closed"]
    assert latest("bakkt.account.save").status == Status.SUCCEEDED
    assert now(application).status == "received"
    assert now(application).account.provider_id == at_sandbox(box, application)[0]["id"]
    assert len(exchanges(box, "save_account")) == 1


@pytest.mark.parametrize("fault", ["500_before", "502_html", "drop_before"])
def test_a_look_that_fails_is_repeated_and_then_answers(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    fault: str,
) -> None:
    stuck(box, customer_user, "500_before")
    box.fault(fault, "read_account", count=3)
    decide(staff("compliance_analyst"), "look")
    for minutes in (0, 20, 40, 60):
        with later(minutes=minutes):
            drain()
    assert [case.status for case in cases()] == ["closed", "open"]
    assert "Looked up: the provider does not have it" in [fact.title for fact in CaseFact.objects.all()]
    assert latest("bakkt.account.save").status == Status.NEEDS_PERSON


def test_an_application_given_up_for_good(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = stuck(box, customer_user, "500_before")
    decide(staff("compliance_analyst"), "drop", "The provider closes its doors")
    assert [case.status for case in cases()] == ["closed"]
    assert now(application).status == "rejected"
    page = signed_in(customer_user).get(f"/applications/{application.pk}/").content.decode()
    assert "We could not pass your application on" in page
    assert MailMessage.objects.filter(subject="About your application").count() == 1
    with pytest.raises(Conflict), transaction.atomic():
        outbox.conclude(
            call_id=latest("bakkt.account.save").pk, outcome=outbox.Refused("again"), reason="again"
        )


@pytest.mark.parametrize(("decision", "ends"), [("drop", "refused"), ("look", "in_review")])
def test_a_change_of_details(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
    decision: str,
    ends: str,
) -> None:
    application = opened(box, customer_user, family_name="Waits", given_name="Update")
    update = ask(application)
    outbox.perform(latest("bakkt.account.compare").pk)
    box.fault("500_after", "save_account", count=1)
    give_up(latest("bakkt.account.update"))
    page = signed_in(customer_user).get(f"/applications/{application.pk}/details/").content.decode()
    assert STUCK in page
    decide(staff("compliance_analyst"), decision)
    drain()
    update.refresh_from_db()
    assert update.status == ends
    assert [case.status for case in cases()] == ["closed"]
    assert account_of(application).stuck_at is None


@pytest.mark.parametrize(
    ("fault", "decision", "ends", "method"),
    [
        ("drop_after", "look", "done", "BAKKT_TPJ"),
        ("drop_before", "look", "sending", ""),
        ("drop_before", "again", "done", "BAKKT_TPJ"),
        ("drop_before", "drop", "refused", ""),
    ],
)
def test_a_change_of_the_settlement_method(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
    fault: str,
    decision: str,
    ends: str,
    method: str,
) -> None:
    application = opened(box, customer_user)
    analyst = staff("compliance_analyst")
    wish = {"application_id": application.pk, "method": "BAKKT_TPJ", "reason": "Agreed", "source": "page"}
    change = services.settlement.settlement_change(actor=analyst, **wish)
    box.fault(fault, "update_settlement", count=1)
    give_up(latest("bakkt.account.settlement"))
    [case] = cases()
    assert (case.status, case.subject_id) == ("open", change.pk)
    page = signed_in(customer_user).get(f"/applications/{application.pk}/").content.decode()
    assert "Something could not be passed on to the provider so far." in page
    assert "one of us looks at it" in standing.ball(now(application)).line
    [blocked] = services.why_not_update(now(application))
    assert "the provider did not answer" in blocked
    assert "Decide its case" in services.settlement.why_not_settlement(analyst, now(application))[0]

    decide(analyst, decision)
    drain()
    change.refresh_from_db()
    application.refresh_from_db()
    assert (change.status, application.settlement_method) == (ends, method)
    if ends == "sending":
        assert [case.status for case in cases()] == ["closed", "open"]
        return
    assert [case.status for case in cases()] == ["closed"]
    assert services.why_not_update(now(application)) == []
    assert account_of(application).stuck_at is None
    page = signed_in(analyst).get(f"/staff/applications/{application.pk}/settlement/").content.decode()
    assert ("Given up: it could not be passed on" in page) == (decision == "drop")


def test_a_comparison_cannot_be_looked_up_and_can_be_given_up(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    update = ask(application)
    box.fault("500_before", "read_account", count=9)
    give_up(latest("bakkt.account.compare"))
    with pytest.raises(Conflict, match="Try it again"):
        decide(staff("compliance_analyst"), "look")
    decide(staff("compliance_manager"), "drop")
    assert AccountUpdate.objects.get(pk=update.pk).status == "refused"


def test_who_may_decide(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    stuck(box, customer_user, "500_before")
    [case] = cases()
    for role in ("auditor", "onboarding_agent", "funding_operator", "administrator"):
        with pytest.raises((Forbidden, NotFound)):
            compliance.case_decide(
                actor=staff(role), case_id=case.pk, decision="drop", version=case.version, text="No"
            )
    assert latest("bakkt.account.save").status == Status.NEEDS_PERSON


def test_the_words_of_a_paper_that_could_not_be_passed_on() -> None:
    row = Document(
        status=Document.Status.REFUSED, problem=papers.NOT_PASSED_ON, type="PASSPORT", side="FRONT"
    )
    rule = PaperRule("passport", "Passport", "", (DocumentType.PASSPORT,), frozenset())
    paper = papers.Paper(rule=rule, owner=None, documents=(row,))
    assert paper.lacks == "It could not be passed on to the provider. Upload it again."
