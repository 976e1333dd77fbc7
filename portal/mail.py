"""Mail: Django's e-mail backend writes rows; a task carries them through EMAIL_URL.

A mail server that is down never fails a request, and a message is in the same transaction as what it tells of.
Without EMAIL_URL (development) messages are kept and shown at /dev/mail/.
"""

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

import environ
from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.loader import render_to_string

from portal import clock
from portal.doorbell import ring
from portal.models.mail import MailMessage
from portal.sealed import blind_index

MOST_ATTEMPTS = 12
State = MailMessage.State


class RowBackend(BaseEmailBackend):
    """Writes each message as a row instead of sending it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            html = next(
                (
                    str(part.content)
                    for part in getattr(message, "alternatives", [])
                    if part.mimetype == "text/html"
                ),
                "",
            )
            row = MailMessage.objects.create(
                subject=message.subject[:200],
                to_index=to_index(message.to[0]) if message.to else "",
                state=State.QUEUED if settings.EMAIL_URL else State.KEPT,
                content={
                    "to": list(message.to),
                    "from": message.from_email,
                    "text": str(message.body),
                    "html": html,
                },
            )
            if settings.EMAIL_URL:
                wake(row.pk)
        return len(email_messages)


def to_index(address: str) -> str:
    """Under which the mails to an address are found."""
    return blind_index("portal.mailmessage.to", address, "casefold")


def send(*, to: str, subject: str, template: str, context: dict[str, Any]) -> None:
    """Write a message to `to` from templates/mail/<template>.txt, in the caller's transaction.

    The context holds no more personal data than the greeting's name.
    """
    body = render_to_string(
        f"mail/{template}.txt",
        {
            "portal_url": settings.PORTAL_URL,
            "partner_name": settings.PARTNER_NAME,
            "support_email": settings.SUPPORT_EMAIL,
            **context,
        },
    )
    EmailMessage(subject=subject, body=body, to=[to]).send()


def wake(mail_id: UUID) -> None:
    """Ask a worker to deliver the message after commit; the sweeper finds what the broker lost."""
    ring("portal.tasks.mail_deliver", mail_id, queue="default")


def deliver(mail_id: UUID) -> None:
    """Carry one queued message. A mail server's fault postpones it; after MOST_ATTEMPTS it is failed and shown.

    The row is locked while the server answers, so two workers never send one message; a worker killed after the
    server took it may send it again, which a person can bear.
    """
    with transaction.atomic():
        row = (
            MailMessage.objects.select_for_update(skip_locked=True)
            .filter(pk=mail_id, state=State.QUEUED)
            .first()
        )
        if row is None or row.next_attempt_at > clock.now():
            return
        row.attempts += 1
        try:
            _carry(row)
        except (SMTPException, OSError) as error:
            row.problem = type(error).__name__
            row.next_attempt_at = clock.now() + min(
                timedelta(seconds=30) * 2**row.attempts, timedelta(hours=2)
            )
            if row.attempts >= MOST_ATTEMPTS:
                row.state = State.FAILED
        else:
            row.state, row.sent_at, row.problem = State.SENT, clock.now(), ""
        row.save(update_fields=["attempts", "problem", "next_attempt_at", "state", "sent_at"])


def _carry(row: MailMessage) -> None:
    config = environ.Env.email_url_config(settings.EMAIL_URL)
    connection = get_connection(
        config["EMAIL_BACKEND"],
        host=config.get("EMAIL_HOST"),
        port=config.get("EMAIL_PORT"),
        username=config.get("EMAIL_HOST_USER"),
        password=config.get("EMAIL_HOST_PASSWORD"),
        use_tls=config.get("EMAIL_USE_TLS", False),
        use_ssl=config.get("EMAIL_USE_SSL", False),
        timeout=20,
    )
    content = row.content.reveal()
    message = EmailMultiAlternatives(
        row.subject, content["text"], content["from"], content["to"], connection=connection
    )
    if content["html"]:
        message.attach_alternative(content["html"], "text/html")
    message.send()


def due_ids(limit: int = 200) -> list[UUID]:
    """Ids of queued messages whose time has come."""
    return list(
        MailMessage.objects.filter(state=State.QUEUED, next_attempt_at__lte=clock.now())
        .order_by("next_attempt_at")
        .values_list("pk", flat=True)[:limit]
    )
