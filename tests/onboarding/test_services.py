"""Filling in and handing in: one draft, one submission, nothing overwritten, nothing of another customer."""

import threading
from uuid import uuid4

import pytest
from django.db import connection

from onboarding import completeness, drafts, services
from onboarding.agreements import agreement_publish
from onboarding.models import AgreementAcceptance, Application, ProviderAccount
from onboarding.payloads import account_request
from portal.errors import Conflict, IllegalMove, Invalid, NotFound, PreconditionFailed
from portal.models import AuditEntry, MailMessage, OutboundCall, StatusChange, User
from providers.models import ExpectedEvent
from tests.flow import complete_draft, publish_agreements, submitted
from tests.onboarding import answers
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Status = Application.Status


def test_starting_again_goes_on_with_the_open_draft(customer_user: User) -> None:
    first = services.application_start(actor=customer_user, source="page")
    assert services.application_start(actor=customer_user, source="api") == first


def test_a_saved_step_is_kept_sealed_and_audited_without_its_answers(customer_user: User) -> None:
    draft = services.application_start(actor=customer_user, source="page")
    services.step_save(
        actor=customer_user, application_id=draft.pk, step="identity", answers=answers.IDENTITY, source="page"
    )
    owner = drafts.applicant_of(draft)
    assert (owner.given_name, owner.tax_id.reveal(), str(owner.tax_id)) == ("Ana", "536221234", "•••-••-1234")
    entry = AuditEntry.objects.get(action="application.step")
    assert entry.after == {"step": "identity", "version": 1}


def test_a_refused_step_keeps_nothing(customer_user: User) -> None:
    draft = services.application_start(actor=customer_user, source="page")
    with pytest.raises(Invalid) as caught:
        services.step_save(
            actor=customer_user,
            application_id=draft.pk,
            step="identity",
            answers=answers.IDENTITY | {"tax_id": "1"},
            source="api",
        )
    assert list(caught.value.fields) == ["tax_id"]
    assert drafts.applicant_of(draft).given_name == ""
    assert not draft.steps.exists()


def test_another_customers_application_is_not_there(customer_user: User) -> None:
    draft = complete_draft(customer_user)
    stranger = make_customer_user("Someone Else")
    for attempt in (
        lambda: services.step_save(
            actor=stranger, application_id=draft.pk, step="contact", answers=answers.CONTACT, source="api"
        ),
        lambda: services.application_submit(actor=stranger, application_id=draft.pk, source="api"),
        lambda: services.application_withdraw(actor=stranger, application_id=draft.pk, source="api"),
        lambda: services.application_submit(actor=stranger, application_id=uuid4(), source="api"),
    ):
        with pytest.raises(NotFound):
            attempt()
    draft.refresh_from_db()
    assert draft.status == Status.DRAFT


def test_a_draft_edited_on_two_devices_tells_the_second(customer_user: User) -> None:
    draft = services.application_start(actor=customer_user, source="page")

    def save(email: str, version: int) -> None:
        services.step_save(
            actor=customer_user,
            application_id=draft.pk,
            step="contact",
            step_version=version,
            answers=answers.CONTACT | {"email": email},
            source="page",
        )

    save("first@example.test", 0)
    with pytest.raises(PreconditionFailed):
        save("second@example.test", 0)
    assert drafts.applicant_of(draft).email == "first@example.test"
    save("second@example.test", 1)
    assert drafts.applicant_of(draft).email == "second@example.test"


def test_an_incomplete_application_says_everything_that_is_missing(customer_user: User) -> None:
    publish_agreements()
    draft = services.application_start(actor=customer_user, source="page")
    services.step_save(
        actor=customer_user, application_id=draft.pk, step="contact", answers=answers.CONTACT, source="page"
    )
    with pytest.raises(Invalid) as caught:
        services.application_submit(actor=customer_user, application_id=draft.pk, source="api")
    assert {path.split(".")[0] for path in caught.value.fields} == {
        "identity",
        "address",
        "employment",
        "investment",
        "agreements",
    }
    assert not OutboundCall.objects.exists()


def test_submitting_writes_status_account_call_and_expectation_together(customer_user: User) -> None:
    application = submitted(customer_user)
    account = ProviderAccount.objects.get(application=application)
    call = OutboundCall.objects.get()
    assert application.status == Status.SUBMITTED
    assert account.client_account_id == application.reference
    assert (call.operation, call.subject_id, call.status) == ("bakkt.account.save", account.pk, "queued")
    assert call.body.reveal()["clientAccountId"] == application.reference
    assert ExpectedEvent.objects.filter(subject_id=account.pk, state="waiting").count() == 1
    assert (
        StatusChange.objects.filter(subject_id=application.pk, new="submitted", actor=customer_user).count()
        == 1
    )
    assert MailMessage.objects.filter(subject="We have your application").count() == 1


def test_submitting_again_is_the_same_submission(customer_user: User) -> None:
    application = submitted(customer_user)
    again = services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    assert again.pk == application.pk
    assert OutboundCall.objects.count() == 1


def test_a_handed_in_application_is_not_edited_or_withdrawn(customer_user: User) -> None:
    application = submitted(customer_user)
    with pytest.raises(Conflict):
        services.step_save(
            actor=customer_user,
            application_id=application.pk,
            step="contact",
            answers=answers.CONTACT,
            source="api",
        )
    with pytest.raises(IllegalMove):
        services.application_withdraw(actor=customer_user, application_id=application.pk, source="page")


def test_the_payload_holds_what_was_answered_in_the_providers_words(customer_user: User) -> None:
    application = complete_draft(customer_user, **answers.ANA)
    account = ProviderAccount.objects.create(application=application, client_account_id=application.reference)
    wire = account_request(account).to_wire()
    owner = wire["owners"][0]
    assert wire["accountType"] == "INDIVIDUAL"
    assert (owner["role"], owner["phoneNumber"]) == ("PRIMARY_OWNER", "+15125550142")
    assert owner["identity"]["personalAddress"] == {
        "streetAddress": ["100 Sample Street", "Apt 4"],
        "city": "Austin",
        "state": "TX",
        "postalCode": "78701",
        "country": "USA",
    }
    assert owner["identity"]["taxId"] == "536221234"
    assert "taxIdCountry" not in owner["identity"]
    assert owner["identity"]["employment"]["employerAddress"]["country"] == "USA"
    assert [row["name"] for row in owner["agreements"]] == ["crypto-user-agreement", "e-sign"]
    assert wire["investmentProfile"]["accountGoals"] == {"investmentObjective": "GROWTH"}


def test_agreements_are_accepted_as_shown_or_not_at_all(customer_user: User) -> None:
    publish_agreements()
    draft = services.application_start(actor=customer_user, source="page")
    first, second = completeness.agreements_in_force()
    with pytest.raises(Invalid) as caught:
        services.agreements_accept(
            actor=customer_user,
            application_id=draft.pk,
            accepted={first.pk: first.text_sha256, second.pk: "0" * 64},
            source="page",
        )
    assert list(caught.value.fields) == [str(second.pk)]
    assert not AgreementAcceptance.objects.exists()


def test_a_new_version_asks_for_acceptance_again_before_submitting(customer_user: User) -> None:
    draft = complete_draft(customer_user)
    agreement_publish(name="e-sign", version="2", title="Electronic consent", text="You consent anew.")
    with pytest.raises(Invalid) as caught:
        services.application_submit(actor=customer_user, application_id=draft.pk, source="page")
    assert [path.split(".")[0] for path in caught.value.fields] == ["agreements"]


@pytest.mark.django_db(transaction=True)
def test_two_submits_at_once_are_one_call(customer_user: User) -> None:
    draft = complete_draft(customer_user)
    start = threading.Barrier(4)
    problems: list[Exception] = []

    def submit() -> None:
        start.wait()
        try:
            services.application_submit(actor=customer_user, application_id=draft.pk, source="page")
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert OutboundCall.objects.count() == 1
    assert StatusChange.objects.filter(subject_id=draft.pk, new="submitted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_starts_at_once_are_one_draft(customer_user: User) -> None:
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait()
        try:
            services.application_start(actor=customer_user, source="page")
        finally:
            connection.close()

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Application.objects.count() == 1


@pytest.mark.parametrize("old", list(Status.values))
@pytest.mark.parametrize("new", list(Status.values))
def test_every_pair_of_statuses_is_allowed_by_the_table_or_refused(
    customer_user: User, old: str, new: str
) -> None:
    customer = services.customer_of(customer_user)
    application = Application.objects.create(customer=customer, status=old)
    if new in Application.MOVES[old]:
        application.move_to(new, actor=customer_user)
        assert StatusChange.objects.filter(subject_id=application.pk, old=old, new=new).count() == 1
    else:
        with pytest.raises(IllegalMove):
            application.move_to(new, actor=customer_user)
        assert not StatusChange.objects.filter(subject_id=application.pk).exists()
    application.refresh_from_db()
    assert application.status == (new if new in Application.MOVES[old] else old)
