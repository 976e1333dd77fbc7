"""How long the call log is kept: long enough to settle a question about a call, not for ever.

It tells of attempts: method, path template, sizes, times. What was asked of a provider and what came of it stays, in
the outbox, the timeline's status changes and the audit trail, which nothing here touches.
"""

import time
from datetime import timedelta

import structlog
from django.conf import settings

from portal import clock
from providers.models import CallLog

log = structlog.get_logger(__name__)

#: Small enough that nobody waits for it; each batch commits by itself.
BATCH = 2000
#: A task may run for 200 seconds. What a first run on a big table leaves, the next nights take.
LONGEST_RUN_SECONDS = 150.0


def remove_old_calls() -> int:
    """Remove what the call log holds from before settings.CALL_LOG_DAYS days, oldest first; returns how many rows."""
    before = clock.now() - timedelta(days=settings.CALL_LOG_DAYS)
    old = CallLog.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)
    removed = 0
    until = time.monotonic() + LONGEST_RUN_SECONDS
    while time.monotonic() < until and (batch := list(old[:BATCH])):
        CallLog.objects.filter(pk__in=batch).delete()
        removed += len(batch)
    log.info("old_calls_removed", rows=removed, before=before.isoformat())
    return removed
