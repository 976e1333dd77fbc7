"""What the rules of the queues read of our subjects: the applicant's country, and the customer's language."""

from uuid import UUID

from compliance.kinds import Traits
from onboarding.models import Owner


def of_application(application_id: UUID) -> Traits:
    """Of a case about an application."""
    return _of(application=application_id)


def of_account(account_id: UUID) -> Traits:
    """Of a case about an account."""
    return _of(application__account=account_id)


def of_change_request(request_id: UUID) -> Traits:
    """Of a case about a restricted change."""
    return _of(application__account__change_requests=request_id)


def of_closure(closure_id: UUID) -> Traits:
    """Of a case about closing an account."""
    return _of(application__account__closures=closure_id)


def of_document(document_id: UUID) -> Traits:
    """Of a case about a file."""
    return _of(application__documents=document_id)


def of_document_request(request_id: UUID) -> Traits:
    """Of a case about a paper that was asked for."""
    return _of(application__document_requests=request_id)


def of_identity_check(check_id: UUID) -> Traits:
    """Of a case about an identity check."""
    return _of(application__account__identity_check=check_id)


def of_data_request(request_id: UUID) -> Traits:
    """Of a case about the data of a customer, as their newest application has it."""
    return _of(application__customer__data_requests=request_id)


def _of(**where: UUID) -> Traits:
    applicant = Owner.objects.filter(**where, is_applicant=True).order_by("-application_id")
    found = applicant.values_list("country", "application__customer__language").first()
    return Traits(country=str(found[0]), language=found[1]) if found else Traits()
