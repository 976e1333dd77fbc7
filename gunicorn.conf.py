"""How gunicorn serves the portal; gunicorn reads this file by itself, and its command line wins over it."""

import os
from pathlib import Path
from typing import Any

wsgi_app = "portal.wsgi"
bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# Leaks of whatever kind end here; the jitter keeps the workers from restarting together.
max_requests = 5000
max_requests_jitter = 500
graceful_timeout = 30
control_socket_disable = True
# A heartbeat file on a slow disk would look like a hung worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


def on_starting(server: Any) -> None:
    """Counters of processes that are long gone must not be added to ours; a worker's beside us are kept."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        from portal import metric_files  # noqa: PLC0415  (only where metrics are shared)

        Path(folder).mkdir(parents=True, exist_ok=True)
        metric_files.drop_dead(Path(folder))


def child_exit(server: Any, worker: Any) -> None:
    """A worker ended: what it counted is added up with the other dead, or each one replaced would leave its files."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        from portal import metric_files  # noqa: PLC0415

        metric_files.fold_dead(Path(folder))
