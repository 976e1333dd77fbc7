"""The one place that asks what time it is, so that a test moves time instead of sleeping."""

from datetime import date, datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()


def today() -> date:
    """Today's date in the portal's time zone (settings.TIME_ZONE)."""
    return timezone.localdate()
