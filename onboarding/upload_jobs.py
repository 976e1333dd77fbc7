"""What runs in the background of uploads: finishing what a worker left behind, removing what has run out."""

from datetime import timedelta
from uuid import UUID

from django.db.models import F

from onboarding.models import Upload
from onboarding.services.uploads import upload_finish, upload_remove
from portal import clock

#: A request that got the last byte has this long to make the file a document before the job does.
LEFT_AFTER = timedelta(minutes=2)
BATCH = 100


def uploads_to_settle() -> list[UUID]:
    """Uploads that have run out, and whole ones that nobody finished."""
    now = clock.now()
    over = Upload.objects.filter(expires_at__lte=now).order_by("expires_at")
    left = Upload.objects.filter(
        offset=F("size"), document=None, problems={}, moved_at__lte=now - LEFT_AFTER, expires_at__gt=now
    ).order_by("expires_at")
    return [row for rows in (left, over) for row in rows.values_list("pk", flat=True)[:BATCH]]


def upload_settle(upload_id: UUID) -> None:
    """Finish it or remove it, as it needs. Raises Unavailable: the next round tries again."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None:
        return
    if upload.expires_at <= clock.now():
        upload_remove(upload)
    else:
        upload_finish(upload)
