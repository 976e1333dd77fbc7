"""What tests and linters need: throw-away secrets, and a PostgreSQL if none is configured."""

import atexit
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from portal.env import TEST_RUN
from portal.run.devsecrets import new_jwt_key, new_secrets
from portal.run.embedded import EmbeddedPostgres
from portal.run.processes import command_line

PREFIX = "portal-test-"
#: The throw-away PostgreSQL of this test run, in the process that started it.
server: EmbeddedPostgres | None = None


def prepare(*, database: bool = True) -> None:
    """Fill the environment with what the settings ask for; what is set already stays, and .env is not read.

    Without DATABASE_URL it starts a throw-away PostgreSQL that ends with this process, or, with `database`
    off, gives an address where nothing listens.
    """
    os.environ[TEST_RUN] = "1"
    for name, value in new_secrets().items():
        os.environ.setdefault(name, value)
    if "HEADLESS_JWT_PRIVATE_KEY" not in os.environ and "HEADLESS_JWT_PRIVATE_KEY_FILE" not in os.environ:
        os.environ["HEADLESS_JWT_PRIVATE_KEY"] = new_jwt_key()
    os.environ.setdefault("BROKER_URL", "memory://")
    os.environ.setdefault("ENVIRONMENT", "development")
    if os.environ.get("DATABASE_URL"):
        return
    if database:
        _start_server()
    else:
        os.environ["DATABASE_URL"] = "postgres://nobody@localhost:1/none"


def _start_server() -> None:
    global server
    _remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    # The server's own user passes through it; what is inside is closed.
    home.chmod(0o711)
    server = started = EmbeddedPostgres(home, durable=False)
    owner = os.getpid()

    def clean() -> None:
        # Forked children inherit this registration; the starter alone cleans up.
        if os.getpid() == owner:
            started.destroy()

    atexit.register(clean)
    started.start()
    os.environ["DATABASE_URL"] = started.url


def _remove_leftovers() -> None:
    """Remove what runs that were killed left behind; their servers ended with them."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        with suppress(OSError):
            if pid.isdigit() and path.stat().st_uid == os.geteuid() and not command_line(int(pid)):
                shutil.rmtree(path, ignore_errors=True)
