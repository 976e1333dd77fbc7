"""Changes of accounts that wait for agreements: which will, and letting those go that no longer must."""

from django.db import transaction
from django.db.models import QuerySet

from onboarding.agreements.scope import in_force, yet_to_accept
from onboarding.models.agreements import Agreement
from onboarding.models.applications import Application
from onboarding.models.updates import AccountUpdate
from onboarding.updates import held_updates_go_on


def _waiting() -> QuerySet[AccountUpdate]:
    return AccountUpdate.objects.filter(status=AccountUpdate.Status.WAITING)


def updates_waiting_on(agreement: Agreement) -> QuerySet[AccountUpdate]:
    """The changes that wait now and cannot go before this version is accepted too.

    What was compared, held or sent before goes on: it was asked for under the agreements of its time.
    """
    return _waiting().filter(account__application__in=yet_to_accept(agreement).values("application"))


def free_updates_go_on() -> int:
    """Let changes go that wait for nothing any more, since a version was retired or binds others now; how many.

    Accepting lets them go at once; this is for what nobody accepts.
    """
    free = _waiting()
    for agreement in in_force():
        free = free.exclude(account__application__in=yet_to_accept(agreement).values("application"))
    applications = list(free.values_list("account__application", flat=True))
    for application_id in applications:
        with transaction.atomic():
            application = Application.objects.select_for_update().get(pk=application_id)
            held_updates_go_on(application, source="task")
    return len(applications)
