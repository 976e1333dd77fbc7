"""Whether we live, whether we are ready, and the metrics."""

import hmac
from collections.abc import Callable
from functools import lru_cache

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST

from portal import heartbeat
from portal.metrics import exposition

OK = "ok"


class PendingMigrations(Exception):
    """The database is older than this code."""


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Asks nothing of the database, so that a database restart kills no process."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Whether this process can do its work: 200 or 503, with one word per part.

    Broker, beat and worker are reported but do not make the web unready: pages and webhooks work while they are
    away, and taking every web out of traffic for them would lose what is now only delayed.
    """
    needed = {"database": _database, "migrations": _migrations}
    found = {name: _word(check) for name, check in needed.items()}
    ready = all(word == OK for word in found.values())
    found |= {"broker": _word(_broker), "background": _word(_background)}
    response = JsonResponse({"ready": ready, "checks": found}, status=200 if ready else 503)
    response["Cache-Control"] = "no-store"
    return response


def _word(check: Callable[[], str]) -> str:
    """What the check says, or the kind of its failure: never the message, which may name hosts and users."""
    try:
        return check()
    except Exception as error:  # whatever is wrong with a part, the answer is its name
        return type(error).__name__


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _migrations() -> str:
    try:
        return _migrations_applied()
    except PendingMigrations:
        return "pending"


@lru_cache(maxsize=1)
def _migrations_applied() -> str:
    """Remembered once true: this process's code does not change, and reading the plan costs many files."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise PendingMigrations
    return OK


def _broker() -> str:
    if settings.BROKER_URL.startswith("pgmq"):
        return OK  # The queues are tables of the same database.
    with current_app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return OK


def _background() -> str:
    try:
        silent, hung = heartbeat.silent(), len(heartbeat.silent_workers())
    except DatabaseError:
        return "unknown"
    if len(silent) == len(heartbeat.QUEUES):
        return "not seen lately"
    if silent:
        return f"not seen lately: {', '.join(silent)}"
    # Their number alone: their names are those of machines.
    return f"{hung} worker{'' if hung == 1 else 's'} not seen lately" if hung else OK


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for `Authorization: Bearer <METRICS_TOKEN>`.

    Without a token set, development shows it to anyone and production to nobody.
    """
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        raise Http404
    if not token and settings.PRODUCTION:
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
