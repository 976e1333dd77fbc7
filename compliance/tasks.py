"""Celery wrappers over the compliance jobs."""

from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from compliance import export_jobs, file_checks, jobs, unusual


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


@shared_task(time_limit=3600, soft_time_limit=3500)
def export_make(export_id: str) -> None:
    """Make one case file; the row's lease keeps a second worker away."""
    export_jobs.export_make(UUID(export_id))


@shared_task(time_limit=3600, soft_time_limit=3500)
def exports_look_after() -> None:
    """Remove case files whose time is over, and go on with what no worker is at."""
    export_jobs.exports_remove()
    for export_id in export_jobs.exports_left():
        export_jobs.export_make(export_id)


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def figures_count() -> None:
    """Count what the dashboard keeps of the days before today."""
    jobs.figures_count()


@shared_task
def presences_forget() -> None:
    """Remove what says that somebody looked at a case long ago."""
    jobs.presences_forget()


@shared_task
def reveals_digest() -> None:
    """Look through last week's reveals of personal data, once, and tell the managers."""
    unusual.digest()


@shared_task
def case_file_check(file_id: str) -> None:
    """Scan one attached file."""
    file_checks.check(UUID(file_id))


@shared_task
def case_files_sweep() -> None:
    """Scan the attached files that are due: what the broker lost, and what waited for the scanner."""
    for file_id in file_checks.due_ids():
        file_checks.check(file_id)


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def reviews_draw() -> None:
    """Draw last week's second reviews, unless that was done."""
    jobs.reviews_draw()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def approvals_watch() -> None:
    """Tell the managers of decisions that wait for a second person whom nobody can be."""
    jobs.approvals_watch()
