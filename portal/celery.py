"""The Celery application, its queues and its beat schedule."""

import logging
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, task_postrun, task_prerun
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.entity import Queue

from portal.context import acting
from portal.queue_transport import LostReceipt, install

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# The celery command lays BROKER_URL over the settings, which hold the same address with all that kombu wants of it.
os.environ.pop("CELERY_BROKER_URL", None)

#: Split by what they do, so that a slow provider or a big import never delays a webhook.
QUEUES = ("webhooks", "provider", "documents", "bulk", "default")

install()
app = Celery("portal")
app.config_from_object(settings.CELERY)
app.conf.task_queues = [Queue(name) for name in QUEUES]  # type: ignore[no-untyped-call]
app.conf.beat_schedule = {
    "outbox-sweep": {"task": "portal.tasks.outbox_sweep", "schedule": 5.0, "options": {"queue": "default"}},
    "mail-sweep": {"task": "portal.tasks.mail_sweep", "schedule": 15.0, "options": {"queue": "default"}},
    "audit-seal": {"task": "portal.tasks.audit_seal", "schedule": 20.0, "options": {"queue": "default"}},
    "audit-check-nightly": {
        "task": "portal.tasks.audit_check_nightly",
        "schedule": crontab(hour="2", minute="10"),
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "audit-check-sweep": {
        "task": "portal.tasks.audit_check_sweep",
        "schedule": 60.0,
        "options": {"queue": "bulk"},
    },
    "notices-of-release": {
        "task": "funding.tasks.notices_of_release",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "inbox-process": {
        "task": "providers.tasks.inbox_process",
        "schedule": 5.0,
        "options": {"queue": "webhooks"},
    },
    "expected-sweep": {
        "task": "providers.tasks.expected_sweep",
        "schedule": 15.0,
        "options": {"queue": "default"},
    },
    "reconcile-money-start": {
        "task": "funding.tasks.reconcile_money_start",
        "schedule": crontab(hour="5", minute="30"),
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "reconcile-money-sweep": {
        "task": "funding.tasks.reconcile_money_sweep",
        "schedule": 15.0,
        "options": {"queue": "bulk"},
    },
    "reconcile-start": {
        "task": "onboarding.tasks.reconcile_start",
        "schedule": crontab(hour="1", minute="30"),
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "reconcile-step": {
        "task": "onboarding.tasks.reconcile_step",
        "schedule": 5.0,
        "options": {"queue": "provider"},
    },
    "availability-refresh": {
        "task": "onboarding.tasks.availability_refresh",
        "schedule": 600.0,
        "options": {"queue": "provider"},
    },
    "files-discard": {
        "task": "onboarding.tasks.files_discard",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "reconcile-unknown": {
        "task": "onboarding.tasks.reconcile_unknown",
        "schedule": 300.0,
        "options": {"queue": "bulk"},
    },
    "cases-return": {
        "task": "compliance.tasks.cases_return",
        "schedule": 60.0,
        "options": {"queue": "default"},
    },
    "approvals-watch": {
        "task": "compliance.tasks.approvals_watch",
        "schedule": 300.0,
        "options": {"queue": "default"},
    },
    "cases-assign": {
        "task": "compliance.tasks.cases_assign",
        "schedule": 30.0,
        "options": {"queue": "default"},
    },
    "presences-forget": {
        "task": "compliance.tasks.presences_forget",
        "schedule": 3600.0,
        "options": {"queue": "bulk", "expires": 3600},
    },
    "case-files-sweep": {
        "task": "compliance.tasks.case_files_sweep",
        "schedule": 30.0,
        "options": {"queue": "documents"},
    },
    "cases-route": {
        "task": "compliance.tasks.cases_route",
        "schedule": 60.0,
        "options": {"queue": "default"},
    },
    "case-files-look-after": {
        "task": "compliance.tasks.exports_look_after",
        "schedule": 60.0,
        "options": {"queue": "bulk"},
    },
    # Once a week is enough; every hour finds a week that was missed, and drawing twice draws nothing.
    "reviews-draw": {
        "task": "compliance.tasks.reviews_draw",
        "schedule": crontab(minute="20"),
        "options": {"queue": "bulk", "expires": 3600},
    },
    # After midnight the first of each hour counts the day that ended; the rest find what came late.
    "figures-count": {
        "task": "compliance.tasks.figures_count",
        "schedule": crontab(minute="10"),
        "options": {"queue": "bulk", "expires": 3600},
    },
    "agreements-remind": {
        "task": "onboarding.tasks.agreements_remind",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "calls-remove-old": {
        "task": "providers.tasks.calls_remove_old",
        "schedule": crontab(hour="3", minute="15"),
        # A busy night may let it wait for its turn.
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "reveals-digest": {
        "task": "compliance.tasks.reveals_digest",
        # Once a week; looked at often, so that no night off skips a week.
        "schedule": crontab(minute="20"),
        "options": {"queue": "bulk", "expires": 3000},
    },
    "retention": {
        "task": "onboarding.tasks.retention_carry_out",
        "schedule": crontab(hour="2", minute="40"),
        # A busy night may let it wait for its turn.
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "data-exports": {
        "task": "onboarding.tasks.data_exports_look_after",
        "schedule": 300.0,
        "options": {"queue": "bulk"},
    },
    "agreements-release": {
        "task": "onboarding.tasks.agreements_release",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "imports-sweep": {
        "task": "onboarding.tasks.imports_sweep",
        "schedule": 60.0,
        "options": {"queue": "bulk"},
    },
    # The pace of a hand-in is kept by its row; this is how closely (onboarding/imports/handin_jobs.py: TICK).
    "hand-ins-sweep": {
        "task": "onboarding.tasks.hand_ins_sweep",
        "schedule": 10.0,
        "options": {"queue": "bulk"},
    },
    "drafts-look-after": {
        "task": "onboarding.tasks.drafts_look_after",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "papers-look-after": {
        "task": "onboarding.tasks.papers_look_after",
        "schedule": 600.0,
        "options": {"queue": "bulk"},
    },
    "imports-follow": {
        "task": "onboarding.tasks.imports_follow",
        "schedule": 1800.0,
        "options": {"queue": "bulk", "expires": 1800},
    },
    "identity-links": {
        "task": "onboarding.tasks.identity_links",
        "schedule": 60.0,
        "options": {"queue": "default"},
    },
    "document-checks": {
        "task": "onboarding.tasks.document_checks_sweep",
        "schedule": 10.0,
        "options": {"queue": "documents"},
    },
    "uploads-look-after": {
        "task": "onboarding.tasks.uploads_look_after",
        "schedule": 60.0,
        "options": {"queue": "documents"},
    },
    "partner-pulse": {
        "task": "providers.tasks.partner_pulse",
        "schedule": 60.0,
        "options": {"queue": "provider"},
    },
    "banks-sweep": {
        "task": "funding.tasks.banks_sweep",
        "schedule": crontab(hour="3", minute="10"),
        "options": {"queue": "bulk", "expires": 3 * 3600},
    },
    "account-poll": {
        "task": "onboarding.tasks.accounts_poll",
        "schedule": 10.0,
        "options": {"queue": "provider"},
    },
}
for _queue in QUEUES:
    app.conf.beat_schedule[f"heartbeat-{_queue}"] = {
        "task": "portal.tasks.queue_heartbeat",
        "schedule": 10.0,
        "args": (_queue,),
        "options": {"queue": _queue},
    }
# What a broker outage piles up is worthless after the next tick: each tick looks at the rows themselves.
for _entry in app.conf.beat_schedule.values():
    _entry["options"].setdefault("expires", 60)
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks(["portal", "providers", "compliance", "onboarding", "funding"])


@setup_logging.connect  # type: ignore[untyped-decorator]
def keep_our_logging(**_: object) -> None:
    """Celery would install its own handlers; Django's settings have configured ours already."""
    for name in LostReceipt.LOGGERS:
        logging.getLogger(name).addFilter(LostReceipt())


@task_prerun.connect  # type: ignore[untyped-decorator]
def enter_request_context(task_id: str = "", task: Any = None, **_: object) -> None:
    """Let what a task writes carry the id of the request that asked for it; its own when none did."""
    carried = getattr(task.request, "__django_structlog__", None) or {}
    task.request.portal_context = acting(request_id=str(carried.get("request_id") or task_id)[:64])
    task.request.portal_context.__enter__()


@task_postrun.connect  # type: ignore[untyped-decorator]
def leave_request_context(task: Any = None, **_: object) -> None:
    """The next task of this process starts from nothing."""
    scope = getattr(task.request, "portal_context", None)
    if scope is not None:
        scope.__exit__(None, None, None)
