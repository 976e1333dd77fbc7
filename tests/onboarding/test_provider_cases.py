"""The provider's words open the case that says what a person has to do; what settles it closes it again."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from compliance import kinds
from compliance import services as compliance
from compliance.models import Case
from onboarding import provider_cases
from onboarding.cases import provider
from onboarding.models import AccountHold, Application, ClosureRequest, DocumentRequest
from onboarding.services import document_requests
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, MailMessage, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver, later, read_back
from tests.flow import drain, submitted
from tests.onboarding.test_updates import opened

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def say(box: SandboxProcess, application: Application, status: str, reason: str) -> None:
    """The provider says it, by a webhook in its own wire form."""
    body = {"partyStatus": status, "reasonCode": reason}
    box.api("POST", f"accounts/{application.reference}/event", body)
    deliver(box)
    read_back(application)  # A word that lifts something is believed when the provider's record shows it.


def cases(application: Application) -> list[tuple[str, str]]:
    rows = Case.objects.filter(subject_id=account_of(application).pk).order_by("pk")
    return [(row.kind, row.status) for row in rows]


def the_case(application: Application) -> Case:
    return Case.objects.filter(subject_id=account_of(application).pk).exclude(status="closed").get()


def ready(actor: User, application: Application) -> Case:
    """The case, taken by the actor, its checklist done."""
    case = the_case(application)
    if case.assignee != actor:
        compliance.case_assign(actor=actor, case_id=case.pk, to=actor)
    every = {item.code for item in kinds.get(case.kind).checklist}
    return compliance.case_check(actor=actor, case_id=case.pk, done=every)


def decide(actor: User, application: Application, decision: str, reason: str = "", text: str = "") -> str:
    case = ready(actor, application)
    how = {"reason_code": reason, "text": text, "version": case.version}
    made = compliance.case_decide(actor=actor, case_id=case.pk, decision=decision, **how)  # type: ignore[arg-type]
    assert made == compliance.case_decide(actor=actor, case_id=case.pk, decision=decision, **how)  # type: ignore[arg-type]
    return made.outcome


@pytest.mark.parametrize(
    ("names", "kind", "status", "priority"),
    [
        (("Review", "Manual"), provider_cases.REVIEW, "waiting_provider", Case.Priority.NORMAL),
        (("Maggic", "Dawn"), provider_cases.IDENTITY, "open", Case.Priority.NORMAL),
        (("block", "block"), provider_cases.SANCTIONS, "open", Case.Priority.URGENT),
        (("Taxid", "Retries"), provider_cases.TAX_NUMBER, "open", Case.Priority.NORMAL),
    ],
)
def test_a_verdict_opens_a_case(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
    names: tuple[str, str],
    kind: str,
    status: str,
    priority: int,
) -> None:
    application = submitted(customer_user, given_name=names[0], family_name=names[1])
    drain()
    box.fault("webhook_duplicate", "PARTY_EVENT", count=1, times=3)
    deliver(box)
    case = the_case(application)
    assert (case.kind, case.status, case.priority, case.country) == (kind, status, priority, "US")
    assert case.facts.count() == 1, "the message came three times"
    words = account_of(application)
    fact = case.facts.get()
    assert fact.evidence["said"] == f"{words.party_status} {words.party_reason}"
    assert fact.source == "webhook"
    page = signed_in(staff("compliance_analyst")).get(f"/staff/cases/{case.pk}/").content.decode()
    assert f"{words.party_status} {words.party_reason}" in page
    assert kinds.get(kind).title in page and "Possible now" in page and "536-22" not in page


def test_a_review_ends_by_the_provider_s_word_or_comes_back_to_be_asked_for(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user, given_name="Review", family_name="Manual")
    case = the_case(application)
    assert (case.status, case.due_at) == ("waiting_provider", None)
    from compliance.jobs import cases_return

    with later(days=5):
        cases_return()
    case.refresh_from_db()
    assert case.status == "open" and case.due_at is not None
    assert "With the provider's team" in decide(
        staff("compliance_analyst"), application, "ask_provider", text="Wrote to them, ticket 4711"
    )
    case.refresh_from_db()
    assert case.status == "waiting_provider"
    deliver(box)  # Their next word: enrolled.
    assert cases(application) == [(provider_cases.REVIEW, "closed")]


def test_what_is_suspended_is_held_lifted_and_released(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    assert cases(application) == []
    say(box, application, "SUSPENDED", "COMPLIANCE_LOCKED")
    assert cases(application) == [(provider_cases.SUSPENDED, "open")]
    # Another reason for the same adds to it; the very same adds nothing.
    say(box, application, "SUSPENDED", "OTHER")
    say(box, application, "SUSPENDED", "OTHER")
    assert the_case(application).facts.count() == 2
    analyst = staff("compliance_analyst")
    with pytest.raises(Invalid):
        decide(analyst, application, "hold", "doubt", "no")
    assert not AccountHold.objects.exists()
    decide(analyst, application, "hold", "doubt", "Their login was used abroad")
    hold = AccountHold.objects.get()
    assert (hold.cause, hold.case_reference) == ("provider", the_case(application).reference)
    assert the_case(application).status == "waiting_provider"

    say(box, application, "ACTIVE", "ENROLLMENT")
    account = account_of(application)
    assert (account.status, account.held_at) == ("active", hold.put_at)
    case = the_case(application)
    assert case.status == "in_progress", "our own hold is ours to release"
    assert "Our own hold stands" in case.facts.order_by("-at")[0].title
    decide(analyst, application, "release", "explained", "They were on a holiday")
    assert account_of(application).held_at is None
    assert cases(application) == [(provider_cases.SUSPENDED, "closed")]
    # The same word on another day is news.
    say(box, application, "SUSPENDED", "OTHER")
    assert cases(application)[1:] == [(provider_cases.SUSPENDED, "open")]
    with pytest.raises(Conflict, match="No hold of ours"):
        decide(analyst, application, "release", "explained", "There is none")
    say(box, application, "ACTIVE", "ENROLLMENT")
    assert cases(application)[1:] == [(provider_cases.SUSPENDED, "closed")]


def test_one_restriction_after_the_other(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    say(box, application, "SUSPENDED", "MAX_ACH_RETURNS")
    say(box, application, "LIQUIDATED", "LIQUIDATE_ACCOUNT")
    assert cases(application) == [(provider_cases.RETURNS, "closed"), (provider_cases.LIQUIDATION, "open")]
    decide(staff("compliance_analyst"), application, "told", "called", "Called on Monday")
    assert the_case(application).status == "waiting_customer"
    say(box, application, "CLOSED", "CLOSED")
    assert cases(application)[1:] == [(provider_cases.LIQUIDATION, "closed")]


def test_a_paper_is_asked_for_and_brings_the_case_back(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    say(box, application, "SUSPENDED", "COMPLIANCE_LOCKED")
    analyst = staff("compliance_analyst")
    decide(analyst, application, "ask_paper", "address", "The letter of your bank came back.")
    request = DocumentRequest.objects.get()
    assert (request.types, request.reason) == (
        ["PROOF_OF_RESIDENTIAL_ADDRESS"],
        "The letter of your bank came back.",
    )
    assert the_case(application).status == "waiting_customer"
    with pytest.raises(Conflict, match="asked for already"):
        decide(analyst, application, "ask_paper", "address", "Once more")
    provider_cases.answered(application, "The customer sent it", dedupe="one")
    case = the_case(application)
    assert (case.status, case.facts.count()) == ("in_progress", 2)
    document_requests.document_request_withdraw(
        actor=analyst, request_id=request.pk, reason="Not wanted", source="page"
    )


def test_a_namesake_and_a_match(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = submitted(customer_user, given_name="block", family_name="block")
    drain()
    deliver(box)
    analyst, manager = staff("compliance_analyst"), staff("compliance_manager")
    decide(analyst, application, "namesake", "birth_date", "Theirs is of 1950, ticket 12")
    assert the_case(application).status == "waiting_provider"
    with pytest.raises(Forbidden):
        decide(analyst, application, "match", "sdn", "Entry 4711")
    compliance.case_assign(actor=manager, case_id=the_case(application).pk, to=manager)
    assert "every account of this customer that is not closed: 1" in decide(
        manager, application, "match", "sdn", "Entry 47110815"
    )
    assert [hold.cause for hold in AccountHold.objects.all()] == ["sanctions"]
    assert cases(application) == [(provider_cases.SANCTIONS, "closed")]
    page = signed_in(customer_user).get(f"/applications/{application.pk}/").content.decode().lower()
    assert "sanction" not in page and "47110815" not in page


def test_whoever_mistyped_may_apply_again(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = submitted(customer_user, given_name="Taxid", family_name="Retries")
    drain()
    deliver(box)
    decide(staff("compliance_analyst"), application, "apply_again", "typing")
    assert MailMessage.objects.filter(subject="You may apply again").count() == 1
    assert cases(application) == [(provider_cases.TAX_NUMBER, "closed")]


def test_the_account_is_to_be_closed(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    say(box, application, "SUSPENDED", "OTHER")
    decide(staff("compliance_analyst"), application, "close", "risk", "Outside what we accept")
    closure = ClosureRequest.objects.get()
    assert Case.objects.filter(kind="onboarding.closure", subject_id=closure.pk, status="open").exists()
    customer = signed_in(customer_user)
    page = customer.get(reverse("requests:close", args=[application.pk])).content.decode()
    assert "Our compliance team asked" in page and "Keep the account" not in page
    customer.post(reverse("requests:close_withdraw", args=[application.pk]))
    closure.refresh_from_db()
    assert closure.status == "asked"


def test_what_to_send_the_provider(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    say(box, application, "SUSPENDED", "OTHER")
    case = the_case(application)
    path = reverse("staff_requests:for_provider", args=[application.pk, case.pk])
    desk = signed_in(staff("compliance_analyst"))
    assert "Download as PDF" in desk.get(path).content.decode()
    text = desk.post(path, {"format": "text"}).content.decode()
    assert application.reference in text and "SUSPENDED OTHER" in text and case.reference in text
    assert "536-22" not in text
    assert desk.post(path, {"format": "pdf"}).content.startswith(b"%PDF")
    assert AuditEntry.objects.filter(action="account.provider_note").count() == 2
    watcher = signed_in(staff("auditor"))
    assert "Download" not in watcher.get(path).content.decode()
    assert watcher.post(path, {"format": "text"}).status_code == 403
    assert signed_in(staff("funding_operator")).get(path).status_code in {403, 404}
    other = compliance.case_open(
        kind=provider_cases.REVIEW,
        subject=compliance.Subject.of(application, "Another"),
        title="Other",
        facts={},
        source="test",
        dedupe="1",
    )
    elsewhere = reverse("staff_requests:for_provider", args=[application.pk, other.pk])
    assert desk.get(elsewhere).status_code == 404


def test_every_word_of_the_provider_has_its_place(customer_user: User) -> None:
    """No pair of known words falls between the kinds, and what is fine opens nothing."""
    account = account_of(submitted(customer_user))
    found = {}
    for status in (
        "under_review",
        "documents_needed",
        "active",
        "inactive",
        "suspended",
        "liquidate_only",
        "closed",
    ):
        for reason in ("ENROLLMENT", "OTHER", "RISK_OFAC", "MAX_ACH_RETURNS", "PENDING_REVIEW", "LIQUIDATED"):
            account.status, account.party_reason = status, reason
            found[status, reason] = provider_cases.kind_for(account)
    assert {
        pair for pair, kind in found.items() if not kind and pair[0] not in {"closed", "documents_needed"}
    } == {
        ("active", "ENROLLMENT"),
        ("active", "OTHER"),
        ("active", "PENDING_REVIEW"),
    }
    assert not any(kind for (status, _), kind in found.items() if status in {"closed", "documents_needed"})


@pytest.mark.parametrize("kind", provider.ALL, ids=lambda kind: kind.name)
def test_each_kind_says_what_to_do(kind: kinds.CaseKind) -> None:
    assert kinds.get(kind.name) is kind
    assert len(kind.checklist) >= 2 and kind.due_after and len(kind.purpose) > 100
    for decision in kind.decisions:
        assert decision.reasons or decision.waits_on, f"{decision.code} of {kind.name} gives no reason"
