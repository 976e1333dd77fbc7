"""Celery wrappers over the funding jobs."""

from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from funding import balances, bank_given_up, bank_health, given_up, notices
from funding.reconciliation import runs
from onboarding.models import ProviderAccount
from portal.errors import Conflict


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def balance_refresh(account_id: str) -> None:
    """Read one account's balance at the provider."""
    balances.refresh(ProviderAccount.objects.get(pk=UUID(account_id)))


@shared_task
def notices_of_release() -> None:
    """Tell customers of the deposits that can be withdrawn since today."""
    notices.release_due()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def given_up_heard(transfer_id: str) -> None:
    """End the call of a transfer that the provider spoke of meanwhile."""
    given_up.heard(UUID(transfer_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def bank_call_heard(bank_id: str) -> None:
    """End the calls of a bank that went on without them."""
    bank_given_up.heard(UUID(bank_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def bank_look(bank_id: str) -> None:
    """Read whether the login at one bank works."""
    bank_health.look(UUID(bank_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def bank_look_after_sign_in(bank_id: str) -> None:
    """The same after its customer signed in."""
    bank_health.look(UUID(bank_id), signed_in=True)


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def link_session_read(session_id: str) -> None:
    """Read what one opening of Link brought."""
    bank_health.read_session(UUID(session_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def banks_sweep() -> None:
    """The nightly look at every login at a bank."""
    bank_health.sweep()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def reconcile_money_start() -> None:
    """Begin the day's comparison with the provider's record, unless one is under way."""
    try:
        runs.start()
    except Conflict:
        return


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def reconcile_run(run_id: str) -> None:
    """Go on with the comparison that is under way."""
    runs.work()


@shared_task
def reconcile_money_sweep() -> None:
    """Go on with a comparison that lost its worker; open cases for what nobody resolved in a day."""
    runs.sweep()
