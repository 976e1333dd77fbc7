"""Asking customers of a batch for what is missing: a letter, then reminders as the date comes near."""

from datetime import timedelta
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from onboarding.imports.cockpit import LABELS, lacking, lacks, one, waves
from onboarding.models import Application, ImportBatch, ImportRow
from portal import audit, clock, mail, permissions
from portal.doorbell import ring
from portal.errors import Conflict, NotFound
from portal.models import User

MANAGE = "import.manage"
TASK = "onboarding.tasks.imports_ask"
#: Reminders go when so many days of grace are left.
REMIND_AT = (14, 3)
CHUNK = 200


def batch_ask(*, actor: User, batch_id: UUID, source: str) -> ImportBatch:
    """Have every customer who lacks something asked for it by mail, once; reminders follow."""
    permissions.require(actor, MANAGE)
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
        if batch is None:
            raise NotFound("There is no such import.")
        if batch.status != ImportBatch.Status.IMPORTED:
            raise Conflict("Customers are asked once the import is done.")
        if batch.asked_at is not None:
            raise Conflict("The customers of this import were asked already; reminders follow by themselves.")
        batch.asked_at = clock.now()
        batch.save(update_fields=["asked_at"])
        audit.record("import.ask", subject=batch, actor=actor, source=source)
        ring(TASK, batch.pk, queue="bulk")
    return batch


def rounds_due(batch: ImportBatch) -> int:
    """How many letters a customer should have had by now: the first, and the reminders whose day has come."""
    if batch.asked_at is None:
        return 0
    due = 1
    if batch.grace_until is not None:
        asked_on = batch.asked_at.date()
        for days in REMIND_AT:
            day = batch.grace_until - timedelta(days=days)
            due += asked_on < day <= clock.today() <= batch.grace_until
    return due


def letters_write(batch_id: UUID) -> bool:
    """Some letters that are due; whether more are. A letter and its count are one transaction: nobody gets two."""
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update(skip_locked=True).filter(pk=batch_id).first()
        if batch is None or batch.status != ImportBatch.Status.IMPORTED:
            return False
        due = rounds_due(batch)
        rows = list(
            ImportRow.objects.filter(
                batch=batch, asks__lt=due, application__in=lacking(one(batch)).values("pk")
            )
            .select_related("application__customer__user")
            .order_by("pk")[:CHUNK]
        )
        missing = _missing([row.application_id for row in rows if row.application_id])
        for row in rows:
            assert row.application is not None
            _write(batch, row.application, missing[row.application.pk], reminder=row.asks > 0)
            row.asks, row.asked_at = due, clock.now()
        ImportRow.objects.bulk_update(rows, ["asks", "asked_at"])
    return len(rows) == CHUNK


def batches_to_remind() -> list[UUID]:
    """Batches whose customers were asked and may be due for another letter."""
    return list(waves().filter(~Q(asked_at=None)).values_list("pk", flat=True))


def _missing(keys: list[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = {key: [] for key in keys}
    for name, condition in lacks().items():
        for key in Application.objects.filter(condition, pk__in=keys).values_list("pk", flat=True):
            found[key].append(LABELS[name])
    return found


def _write(batch: ImportBatch, application: Application, missing: list[str], *, reminder: bool) -> None:
    user = application.customer.user
    mail.send(
        to=user.email,
        subject="Reminder: something is missing" if reminder else "We need a few more details from you",
        template="import_missing",
        context={
            "name": user.name,
            "reference": application.reference,
            "missing": missing,
            "until": batch.grace_until,
            "page": f"{settings.PORTAL_URL}{reverse('customer:missing', args=[application.pk])}",
            "password_link": "" if user.has_usable_password() else _password_link(user),
            "another_link": f"{settings.PORTAL_URL}{reverse('account_reset_password')}",
            "hours": settings.PASSWORD_RESET_TIMEOUT // 3600,
        },
    )


def _password_link(user: User) -> str:
    """Works once: it is bound to the password that is replaced by it."""
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    return f"{settings.PORTAL_URL}{path}"
