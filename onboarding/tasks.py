"""Celery wrappers over the onboarding jobs."""

from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from onboarding import (
    abandoned,
    availability,
    discarded,
    document_checks,
    document_reminders,
    jobs,
    upload_jobs,
)
from onboarding.agreements import reminders, updates
from onboarding.identity import jobs as identity
from onboarding.imports import asking, cockpit, handin_jobs
from onboarding.imports import jobs as imports
from onboarding.privacy import exporting, retention
from onboarding.reconciliation import lists, runs, unknown
from portal.errors import Conflict


@shared_task
def accounts_poll() -> None:
    """Hand out the accounts whose reading is due, one task each."""
    for account_id in jobs.accounts_due():
        account_read.delay(str(account_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def account_read(account_id: str) -> None:
    """Read one account's record from the provider."""
    jobs.account_read(UUID(account_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def reconcile_start() -> None:
    """Begin the night's reading of every account, unless one is under way."""
    try:
        runs.start()
    except Conflict:
        return


@shared_task
def availability_refresh() -> None:
    """Read what the provider allows in each state and country, when what is kept is half a day old."""
    availability.refresh_if_due()


@shared_task
def files_discard() -> None:
    """Delete files whose rows are gone, where the deleting after the commit did not come about."""
    discarded.sweep()


@shared_task
def reconcile_step() -> None:
    """Read the next batch of the run that is under way, if it is due."""
    runs.step()


@shared_task
def reconcile_unknown() -> None:
    """Open cases for accounts that webhooks name and nobody knows; ring again for lists that lost their worker."""
    unknown.look()
    lists.sweep()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def reconcile_list(run_id: str) -> None:
    """Compare some rows of the provider's own list."""
    lists.work(UUID(run_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def agreements_remind() -> None:
    """Write the letters about agreements that are due, a batch at a time."""
    if reminders.reminders_write() >= reminders.BATCH:
        agreements_remind.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def agreements_release() -> None:
    """Let changes go that wait for no agreement any more."""
    updates.free_updates_go_on()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def import_advance(batch_id: str) -> None:
    """Check, import or undo some rows of a batch."""
    imports.work(UUID(batch_id))


@shared_task
def imports_sweep() -> None:
    """Ring again for imports that lost their worker."""
    imports.sweep()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def hand_in_advance(hand_in_id: str) -> None:
    """Hand in the customers of a wave whose turn it is."""
    handin_jobs.work(UUID(hand_in_id))


@shared_task
def hand_ins_sweep() -> None:
    """Ring for hand-ins that are under way."""
    handin_jobs.sweep()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def drafts_look_after() -> None:
    """Remind of drafts nobody goes on with and give up those nobody came back to, a batch at a time."""
    if abandoned.remind() >= abandoned.BATCH or abandoned.expire() >= abandoned.BATCH:
        drafts_look_after.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def imports_ask(batch_id: str) -> None:
    """Write the letters to a batch's customers that are due, some at a time."""
    if asking.letters_write(UUID(batch_id)):
        imports_ask.delay(batch_id)


@shared_task
def imports_follow() -> None:
    """Note how many customers of each wave lack something, and write the reminders that are due."""
    cockpit.tally_keep()
    for batch_id in asking.batches_to_remind():
        imports_ask.delay(str(batch_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def identity_links() -> None:
    """Count the identity-check links that ran out and warn of those that end soon, a batch at a time."""
    if identity.links_expire() >= identity.BATCH or identity.links_warn() >= identity.BATCH:
        identity_links.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def papers_look_after() -> None:
    """Ask for the successors of expiring papers, write the letters that are due, end what is over, some at a time."""
    most = document_reminders.BATCH
    steps = (document_reminders.close_over, document_reminders.ask_for_expiring, document_reminders.remind)
    if max(step() for step in steps) >= most:
        papers_look_after.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def document_check(document_id: str) -> None:
    """Scan one uploaded file and make its pictures."""
    document_checks.check(UUID(document_id))


@shared_task
def document_checks_sweep() -> None:
    """Ring again for files whose check is due."""
    document_checks.sweep()


@shared_task
def uploads_look_after() -> None:
    """Hand out the uploads that a worker left behind and those that have run out, one task each."""
    for upload_id in upload_jobs.uploads_to_settle():
        upload_settle.delay(str(upload_id))


@shared_task
def upload_settle(upload_id: str) -> None:
    """Finish one upload, or remove it."""
    upload_jobs.upload_settle(UUID(upload_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError, OSError), retry_backoff=True, max_retries=8)
def data_export_make(request_id: str) -> None:
    """Put the copy of a customer's data together."""
    exporting.make(UUID(request_id))


@shared_task
def data_exports_look_after() -> None:
    """Remove copies whose time is over; hand out those that a worker left unmade, one task each."""
    for request_id in exporting.look_after():
        data_export_make.delay(str(request_id))


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=8)
def retention_carry_out() -> None:
    """Erase what the retention policy says, some minutes' worth at a time."""
    if retention.carry_out():
        retention_carry_out.delay()
