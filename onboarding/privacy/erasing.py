"""Erasing: what is personal in an application, a login and around them goes; the skeleton that the trail names stays.

In the caller's transaction. Rows are emptied rather than removed where others point at them: statuses, references and
moments stay, so the audit trail and the provider's ids still lead somewhere. The audit trail itself, status changes,
facts, notes and decisions of cases are never touched: they hold masks (portal/audit.py), and triggers refuse it.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.postgres.search import SearchVector
from django.contrib.sessions.models import Session
from django.db.models import Model, QuerySet, Value
from django.utils import timezone

from compliance import export_jobs, seen
from compliance.models import Case
from onboarding import discarded
from onboarding.models import (
    AccountCheck,
    AccountHold,
    AccountUpdate,
    Address,
    AgreementAcceptance,
    Application,
    ApplicationStep,
    ChangeRequest,
    Customer,
    Document,
    DocumentRequest,
    Employment,
    Entity,
    ImportRow,
    InvestmentProfile,
    Owner,
    OwnerInvitation,
    StepEntries,
    TrustedContact,
    Upload,
)
from onboarding.personal import subjects_of
from onboarding.privacy import attachments, elsewhere
from portal import clock
from portal.mail import to_index
from portal.models import IdempotentRequest, MailMessage, OutboundCall, User
from portal.search import search_words
from providers.models import InboundEvent

#: A user of a customer of whom nothing is left.
NO_ADDRESS = "erased-{}@erased.invalid"
_OWNER: dict[str, Any] = {
    "given_name": "",
    "middle_names": "",
    "family_name": "",
    "email": "",
    "phone": "",
    "date_of_birth": None,
    "tax_id": None,
    "tax_id_type": "",
    "tax_id_country": "",
    "no_tax_id_reason": "",
    "marital_status": "",
    "ownership_percent": None,
}
#: What follows a tax number.
_INDEXES = ("tax_id_index", "tax_id_last4")
_ENTITY: dict[str, Any] = {
    "legal_name": "",
    "tax_id": None,
    "formation_date": None,
    "email": "",
    "phone": "",
    "operating_industry": "",
    "offerings": "",
    "operating_countries": [],
    "source_of_funds": "",
    "source_of_currency": "",
}


def erase_application(application: Application) -> None:
    """Everything personal in a locked application, and its files; a second time changes nothing."""
    subjects = [*subjects_of(application), *elsewhere.subjects(application)]
    references = _references(application)
    _erase_papers(application)
    for owner in Owner.objects.filter(application=application):
        _emptied(owner, _OWNER | {"user": None if not owner.is_applicant else owner.user}, *_INDEXES)
    for entity in Entity.objects.filter(application=application):
        _emptied(entity, _ENTITY, *_INDEXES)
    mine: dict[str, Any] = {"application": application}
    Address.objects.filter(owner__application=application).delete()
    Address.objects.filter(entity__application=application).delete()
    Employment.objects.filter(owner__application=application).delete()
    OwnerInvitation.objects.filter(owner__application=application).delete()
    AgreementAcceptance.objects.filter(owner__application=application).delete()
    for model in (InvestmentProfile, TrustedContact, StepEntries, ApplicationStep):
        model._default_manager.filter(**mine).delete()
    for row in ImportRow.objects.filter(application=application):
        _emptied(
            row,
            {"cells": None, "email_index": "", "tax_id_index": "", "person_index": "", "account_index": ""},
        )
    _erase_calls(application, subjects, references)
    erase_labels(subjects, application.reference)
    attachments.erase_of_subjects(subjects)
    application.search = None
    application.corrections = []
    application.erased_at = clock.now()
    application.save(update_fields=["search", "corrections", "erased_at"])
    # After the mark: the database lets go of what customers authorised for an erased account alone.
    elsewhere.erase(application)


def _references(application: Application) -> list[str]:
    account = getattr(application, "account", None)
    found = [
        application.reference,
        account.client_account_id if account else "",
        account.provider_id if account else "",
    ]
    return [reference for reference in found if reference]


def _emptied(row: Model, values: dict[str, Any], *with_them: str) -> None:
    """Set each value and save these columns alone; sealed ones are sealed for this row."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=[*values, *with_them])


def _erase_papers(application: Application) -> None:
    for request in ChangeRequest.objects.filter(account__application=application):
        _emptied(request, {"before": {}, "wanted": {}, "why": "", "evidence": None})
    erase_documents(Document.objects.filter(application=application))
    Upload.objects.filter(application=application).update(
        expires_at=clock.now()
    )  # its sweeper removes the parts
    DocumentRequest.objects.filter(application=application).delete()


def erase_documents(documents: QuerySet[Document]) -> int:
    """Papers with their files and pictures; how many."""
    found = list(documents)
    discarded.discard(found)
    documents.model._default_manager.filter(pk__in=[row.pk for row in found]).delete()
    return len(found)


def _erase_calls(application: Application, subjects: list[Any], references: list[str]) -> None:
    """What was sent to the provider and what it said, and the comparisons of the two."""
    for call in OutboundCall.objects.filter(subject_id__in=subjects):
        _emptied(call, {"body": {}, "answer": {}, "problem_fields": []})
    for event in InboundEvent.objects.filter(party_ref__in=references):
        _emptied(event, {"body": "{}"})
    for hold in AccountHold.objects.filter(account__application=application):
        _emptied(hold, {"why": "", "released_why": None})
    for update in AccountUpdate.objects.filter(account__application=application):
        _emptied(update, {"changes": [], "comparison": None})
    for check in AccountCheck.objects.filter(account__application=application):
        _emptied(check, {"lines": None, "takeable": None})


def erase_labels(subjects: list[Any], reference: str) -> None:
    """Cases are called by the person's name; from now on by the reference.

    What was seen of them goes with it, and so do their case files that lie ready.
    """
    seen.forget(subjects)
    export_jobs.exports_expire(subjects)
    for case in Case.objects.filter(subject_id__in=subjects):
        words = " ".join(search_words(f"{case.reference} {reference}"))
        Case.objects.filter(pk=case.pk).update(
            subject_label=reference, search=SearchVector(Value(words), config="simple")
        )


def erase_traces(user: User) -> dict[str, int]:
    """What is kept of a person for convenience: mails, sessions, remembered answers of the API; counts of each."""
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}
    mails = MailMessage.objects.filter(to_index__in=[to_index(address) for address in addresses])
    return {
        "mails": mails.delete()[0],
        "sessions": end_sessions(user),
        "requests": IdempotentRequest.objects.filter(user=user).delete()[0],
    }


def end_sessions(user: User) -> int:
    """Sign the person out everywhere: browsers and apps; how many sessions.

    A session does not name its user in a column, so those that still live are read one after the other.
    """
    mine = [
        row.pk
        for row in Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=500)
        if row.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    return Session.objects.filter(pk__in=mine).delete()[0]


def erase_login(customer: Customer) -> None:
    """The login itself, once nothing else is left: nobody can sign in with it, and it names nobody."""
    user = customer.user
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()
    user.email = NO_ADDRESS.format(user.pk)
    user.name = ""
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["email", "name", "is_active", "password"])
