"""Celery wrappers over the providers' jobs."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from providers import expected, inbox, pulse, retention

#: A database restart in mid-task is worth another try; the rows say what is still to be done.
RETRY = {"autoretry_for": (OperationalError, InterfaceError), "retry_backoff": True, "max_retries": 8}


@shared_task(**RETRY)
def inbox_process() -> None:
    """Process the webhooks that are due."""
    inbox.process_due()


@shared_task
def expected_sweep() -> None:
    """Read from the provider what did not come by itself."""
    expected.sweep()


@shared_task
def calls_remove_old() -> None:
    """Remove what the call log has held long enough."""
    retention.remove_old_calls()


@shared_task
def partner_pulse() -> None:
    """Ask the partner API whether it is there."""
    pulse.ask()
