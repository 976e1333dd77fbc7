"""Celery's broker settings for each kind of broker address. Pure: settings and the launcher both use it."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

#: Longer than the longest task (240 s), or a task still running would be handed out again.
VISIBILITY_TIMEOUT = 300
#: Seconds a silent broker may hold whoever asks it, a web request among them: to be let in, and for each answer.
CONNECT_WITHIN, ANSWER_WITHIN = 2, 1


def celery_broker_settings(broker_url: str, database_url: str) -> dict[str, Any]:
    """Celery settings for `pgmq://` (tables in the portal's own database), `redis://`, `amqp://` or `memory://`."""
    return {
        "broker_connection_timeout": CONNECT_WITHIN,
        # Who rings for a row never waits long (portal/doorbell.py); one more try is for a connection that went stale.
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0},
        # Its reply queues have longer names than pgmq allows; liveness is a heartbeat row with every broker.
        "worker_enable_remote_control": False,
        **_transport(broker_url, database_url),
    }


def _transport(broker_url: str, database_url: str) -> dict[str, Any]:
    if broker_url.startswith("pgmq"):
        options: dict[str, Any] = {
            "conn_string": libpq(database_url),
            "init_extension": False,
            # Zero, or a worker on several queues waits on one of them for seconds at a time.
            "wait_time_seconds": 0,
            "polling_interval": 0.1,
            "visibility_timeout": VISIBILITY_TIMEOUT,
        }
        # The host is never called, but without one kombu warns at every connection.
        return {"broker_url": "pgmq://database//", "broker_transport_options": options}
    if broker_url.startswith("redis"):
        options = {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            # Without these a killed worker's tasks come back only after a hundred seconds or more.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_connect_timeout": CONNECT_WITHIN,
            "socket_timeout": ANSWER_WITHIN,
            "socket_keepalive": True,
            "health_check_interval": 25,
        }
        return {"broker_url": broker_url, "broker_transport_options": options}
    if broker_url.startswith("memory"):
        return {"broker_url": "memory://localhost//"}
    # For amqp: a server that takes nothing more must not hold who writes.
    return {"broker_url": broker_url, "broker_transport_options": {"write_timeout": ANSWER_WITHIN}}


def libpq(database_url: str) -> str:
    """A postgres:// address as a libpq connection string, its query (sslmode, ...) included.

    A socket directory comes in `?host=`, or percent-encoded in the place of the host.
    """
    parts = urlsplit(database_url)
    # Not parts.hostname, which lowers the case that a directory's name needs.
    host, _, port = parts.netloc.rpartition("@")[2].partition(":")
    values = {
        "host": unquote(host),
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.lstrip("/")),
    }
    values |= {name: found[-1] for name, found in parse_qs(parts.query).items()}
    quoted = {
        name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items() if value
    }
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())
