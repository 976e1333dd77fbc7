"""The web process sends its tasks to our broker."""

import celery
from django.conf import settings


def test_our_application_is_the_current_one_wherever_django_runs() -> None:
    assert celery.current_app.main == "portal"
    assert celery.current_app.conf.broker_url == settings.CELERY["broker_url"]


def test_every_scheduled_task_is_registered() -> None:
    celery.current_app.loader.import_default_modules()
    names = {entry["task"] for entry in celery.current_app.conf.beat_schedule.values()}
    assert names <= set(celery.current_app.tasks)
