"""Celery wrappers over the platform's jobs, one line each. Arguments are id strings."""

from uuid import UUID

from celery import shared_task
from django.db import InterfaceError, OperationalError

from portal import audit, audit_check, heartbeat, mail, outbox
from portal.errors import Conflict

#: A database restart in mid-task is worth another try; the rows say what is still to be done.
RETRY = {"autoretry_for": (OperationalError, InterfaceError), "retry_backoff": True, "max_retries": 8}


@shared_task(**RETRY)
def outbox_perform(call_id: str) -> None:
    """Perform one outbound call."""
    outbox.perform(UUID(call_id))


@shared_task
def outbox_sweep() -> None:
    """Wake workers for outbound calls that are due."""
    outbox.sweep()


@shared_task(**RETRY)
def mail_deliver(mail_id: str) -> None:
    """Deliver one message."""
    mail.deliver(UUID(mail_id))


@shared_task
def mail_sweep() -> None:
    """Deliver the messages that are due."""
    for mail_id in mail.due_ids():
        mail.deliver(mail_id)


@shared_task
def audit_seal() -> None:
    """Seal the audit entries committed since the last seal."""
    audit.seal_pending()


@shared_task
def queue_heartbeat(queue: str) -> None:
    """Say that beat sends and a worker takes the queue's tasks."""
    heartbeat.beat(queue)


@shared_task
def audit_check_nightly() -> None:
    """Begin the night's check of the audit trail, unless one is under way."""
    try:
        audit_check.check_start(actor=None)
    except Conflict:
        return


@shared_task(**RETRY)
def audit_check_step(check_id: str) -> None:
    """Go on with a check of the audit trail."""
    audit_check.check_step(UUID(check_id))


@shared_task
def audit_check_sweep() -> None:
    """Go on with a check that no worker holds."""
    for check_id in audit_check.checks_left():
        audit_check.check_step(check_id)
