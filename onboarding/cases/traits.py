"""What the rules of the queues read of the subjects of our cases: the applicant's country."""

from uuid import UUID

from compliance.kinds import Traits
from onboarding.models import Owner


def of_application(application_id: UUID) -> Traits:
    """Of a case about an application."""
    return _country(application=application_id)


def of_change_request(request_id: UUID) -> Traits:
    """Of a case about a restricted change."""
    return _country(application__account__change_requests=request_id)


def of_closure(closure_id: UUID) -> Traits:
    """Of a case about closing an account."""
    return _country(application__account__closures=closure_id)


def _country(**where: UUID) -> Traits:
    applicant = Owner.objects.filter(**where, is_applicant=True)
    return Traits(country=str(applicant.values_list("country", flat=True).first() or ""))
