"""Celery wrappers over the compliance jobs."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from compliance import jobs


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def cases_return() -> None:
    """Bring back the cases that have waited until their day, a batch at a time."""
    if jobs.cases_return() >= jobs.BATCH:
        cases_return.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def cases_route() -> None:
    """Take changed rules to the open cases, a batch at a time."""
    if jobs.cases_route() >= jobs.BATCH:
        cases_route.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def cases_assign() -> None:
    """Give what nobody works on to those who have room for it."""
    jobs.cases_assign()
