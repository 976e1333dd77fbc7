"""The malware scan of attached files. The row is the queue: `next_check_at` says when it is due, a lease when taken."""

from datetime import timedelta
from typing import BinaryIO, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from compliance.models import CaseFile
from portal import clamd, clock

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(minutes=10)
BATCH = 100


def due_ids() -> list[UUID]:
    """Files whose scan is due, the longest waiting first."""
    due = CaseFile.objects.filter(next_check_at__lte=clock.now()).order_by("next_check_at")
    return list(due.values_list("pk", flat=True)[:BATCH])


def check(file_id: UUID) -> None:
    """Scan one file. Harmless when it is done or another worker is at it; without a verdict it waits for the next."""
    with transaction.atomic():
        rows = CaseFile.objects.select_for_update(skip_locked=True, of=("self",))
        row = rows.filter(pk=file_id, next_check_at__lte=clock.now()).first()
        if row is None:
            return
        lease = clock.now() + LEASE
        row.checks += 1
        row.next_check_at = lease
        row.save(update_fields=["next_check_at", "checks"])
    mine = CaseFile.objects.filter(pk=row.pk, next_check_at=lease)
    if not settings.CLAMD_URL:
        mine.update(scan=CaseFile.Scan.OFF, next_check_at=None)
        return
    try:
        with row.open() as file:
            found = clamd.scan(cast(BinaryIO, file), settings.CLAMD_URL)
    except clamd.ScannerAway as error:
        wait = min(FIRST_WAIT * (2 ** min(row.checks, 10)), LONGEST_WAIT)
        log.error("scanner_away", file=str(row.pk), problem=str(error), wait=wait.total_seconds())
        mine.update(next_check_at=clock.now() + wait)
        return
    scan = CaseFile.Scan.FOUND if found else CaseFile.Scan.CLEAN
    mine.update(scan=scan, scan_found=found, next_check_at=None)
