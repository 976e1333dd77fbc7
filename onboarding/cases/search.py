"""Finding our cases by what staff read elsewhere: the customer's whole e-mail address, or an account id."""

from uuid import UUID

from django.db.models.functions import Lower

from onboarding.models import Application, ChangeRequest, ClosureRequest, ProviderAccount
from portal.models import User

#: More subjects of one person than anybody has.
MOST = 100


def subjects(text: str) -> list[UUID]:
    """The applications, accounts, change requests and closures that the address or id names."""
    if "@" in text:
        people = User.objects.alias(address=Lower("email")).filter(address=text.lower())
        found = Application.objects.filter(customer__user__in=people)
    else:
        found = Application.objects.filter(account__client_account_id=text)
    applications = list(found.values_list("pk", flat=True)[:MOST])
    if not applications:
        return []
    about = {"account__application__in": applications}
    requests = ChangeRequest.objects.filter(**about).values_list("pk", flat=True)[:MOST]
    closures = ClosureRequest.objects.filter(**about).values_list("pk", flat=True)[:MOST]
    accounts = ProviderAccount.objects.filter(application__in=applications).values_list("pk", flat=True)
    return [*applications, *accounts, *requests, *closures]
