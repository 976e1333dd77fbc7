"""`python -m sandbox`: one gunicorn worker with threads, since the state lives in the worker's memory."""

import os
import signal
import socket
import sys
import threading
from typing import Any

from sandbox import config

# Hanging and delayed answers each hold a thread.
THREADS = 48
#: With this argument it ends with its standard input: however its starter is killed, it goes along.
ENDS_WITH_STDIN = "--ends-with-stdin"


def main() -> int:
    """Serve until stopped. Returns 2 with one line on stderr when it must not start."""
    try:
        settings = config.read()
        _claim(settings)
    except config.Refuses as refusal:
        print(refusal, file=sys.stderr)
        return 2
    # Whoever starts us may export the portal's settings; these are ours.
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    from gunicorn.app.base import BaseApplication  # noqa: PLC0415  (after the environment is set)

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        def load_config(self) -> None:
            for name, value in _options(settings).items():
                self.cfg.set(name, value)
            if ENDS_WITH_STDIN in sys.argv[1:]:
                self.cfg.set("when_ready", _watch_stdin)

        def load(self) -> Any:
            from sandbox.wsgi import application  # noqa: PLC0415  (in the worker: threads do not survive a fork)

            return application

    Server().run()
    return 0


def _claim(settings: config.Config) -> None:
    """Raises Refuses at once when the address is taken; gunicorn would try for five seconds first."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.bind, settings.port))
        except OSError as problem:
            where = f"{settings.bind}:{settings.port}"
            raise config.Refuses(f"The sandbox cannot listen on {where}: {problem.strerror}.") from problem


def _watch_stdin(server: object) -> None:
    """Stop when standard input ends."""

    def watch() -> None:
        # Not sys.stdin: its lock, held here, would be held for ever in the worker that is forked next.
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _options(settings: config.Config) -> dict[str, Any]:
    return {
        "bind": f"{settings.bind}:{settings.port}",
        "worker_class": "gthread",
        "workers": 1,
        "threads": THREADS,
        "loglevel": "warning",
        "graceful_timeout": 1,
        # Clients pool connections: one that we close while they reuse it looks like a dropped connection.
        "keepalive": 75,
        "timeout": 0,
        "proc_name": "sandbox",
        "control_socket_disable": True,
    }


if __name__ == "__main__":
    sys.exit(main())
