"""Drafts that nobody goes on with: the letters of the plan, and giving them up at its end.

A letter and the note that it was written are one transaction, and so are a letter and the end of a draft: a worker
that dies does both or neither. A row another worker or the customer holds is passed over until the next run.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from onboarding import notices
from onboarding.models import Application, DraftReminder
from portal import clock

# The whole plan: days without a change.
REMIND_AFTER = (timedelta(days=3), timedelta(days=10), timedelta(days=20))
EXPIRE_AFTER = timedelta(days=30)

#: How many drafts one run deals with: some seconds of work.
BATCH = 300

Status = Application.Status


def kept_until(application: Application) -> datetime | None:
    """Until when a draft is kept without a change; None where the plan does not hold or its end is past."""
    until = application.updated_at + EXPIRE_AFTER
    imported = getattr(application, "import_row", None) is not None
    return None if imported or until <= clock.now() else until


def remind(batch: int = BATCH) -> int:
    """Note the days of the plan that came, with their letters, for at most `batch` drafts; how many."""
    done = 0
    # The latest day first: whoever was not written to on an earlier one gets one letter, not three.
    for after, following in zip(REMIND_AFTER, (*REMIND_AFTER[1:], None), strict=True):
        rows = _untouched(after).exclude(Exists(_noted(after)))
        if following is not None:
            rows = rows.filter(updated_at__gt=clock.now() - following)
        done += _each(rows, batch - done, partial(_remind, after=after))
    return done


def expire(batch: int = BATCH) -> int:
    """Give up at most `batch` drafts at the end of the plan; how many. None whose last letter came just now."""
    warned = clock.now() - (EXPIRE_AFTER - REMIND_AFTER[-1])
    rows = _untouched(EXPIRE_AFTER).filter(Exists(_noted(REMIND_AFTER[-1]).filter(written_at__lte=warned)))
    return _each(rows, batch, _expire)


def _untouched(since: timedelta) -> QuerySet[Application]:
    """Drafts without a change for that long. Those made of an import wait for their customer's wave."""
    return Application.objects.filter(
        status=Status.DRAFT, updated_at__lte=clock.now() - since, import_row__isnull=True
    )


def _noted(after: timedelta) -> QuerySet[DraftReminder]:
    return DraftReminder.objects.filter(
        application=OuterRef("pk"), unchanged_since=OuterRef("updated_at"), day=after.days
    )


def _each(rows: QuerySet[Application], batch: int, work: Callable[[Application], None]) -> int:
    """Do the work on each row in a transaction of its own, on what it is once it is locked."""
    ids: list[UUID] = list(rows.order_by("updated_at").values_list("pk", flat=True)[: max(batch, 0)])
    done = 0
    for application_id in ids:
        with transaction.atomic():
            row = rows.select_for_update(of=("self",), skip_locked=True).filter(pk=application_id).first()
            if row is not None:
                work(row)
                done += 1
    return done


def _remind(application: Application, after: timedelta) -> None:
    DraftReminder.objects.create(
        application=application, unchanged_since=application.updated_at, day=after.days
    )
    if _reads_letters(application):
        notices.draft_waits(application, kept_until(application))


def _expire(application: Application) -> None:
    application.expired_at = clock.now()
    application.save(update_fields=["expired_at"])
    application.move_to(Status.WITHDRAWN, actor=None, reason="expired", source="task")
    application.entries.all().delete()
    if _reads_letters(application):
        notices.draft_expired(application, EXPIRE_AFTER.days)


def _reads_letters(application: Application) -> bool:
    """Not somebody who was switched off, nor who does not know of it: staff began it and did not hand it over."""
    return application.customer.user.is_active and not application.is_with_staff
