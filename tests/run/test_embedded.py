"""The embedded PostgreSQL: its life, its leftovers, and the places it may have to live in."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import environ
import psycopg
import pytest

from portal.run.broker import libpq
from portal.run.embedded import EmbeddedPostgres
from portal.run.processes import command_line

PROJECT = Path(__file__).resolve().parent.parent.parent
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that other users can pass through, as a checkout usually is."""
    path = Path(tempfile.mkdtemp(prefix="portal-run-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def shared_home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="portal-run-"))
    path.chmod(0o755)
    yield path
    EmbeddedPostgres(path).destroy()


@pytest.fixture
def server(shared_home: Path) -> Iterator[EmbeddedPostgres]:
    """A stopped server on data that the tests of this module share."""
    made = EmbeddedPostgres(shared_home, durable=False)
    yield made
    made.stop()


def ask(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(libpq(server.url), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_what_was_written_is_there_after_a_stop_and_a_start(server: EmbeddedPostgres) -> None:
    server.start()
    ask(server, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert not server.running
    server.start()
    assert ask(server, "SELECT answer FROM kept") == 42


def test_it_listens_on_a_closed_socket_only_and_asks_for_the_password(server: EmbeddedPostgres) -> None:
    server.start()
    assert ask(server, "SHOW listen_addresses") == ""
    assert server.sockets.stat().st_mode & 0o077 == 0
    assert server.password_file.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(libpq(server.url), password="guess")


def test_django_reads_the_same_place_from_the_address(server: EmbeddedPostgres) -> None:
    server.start()
    read = environ.Env.db_url_config(server.url)
    assert read["OPTIONS"]["host"] == str(server.sockets)
    assert parse_qs(urlsplit(server.url).query)["host"] == [str(server.sockets)]


def test_a_server_whose_launcher_was_killed_ends_by_itself(place: Path) -> None:
    home = place / "postgres"
    program = (
        "import sys, time; from pathlib import Path; from portal.run.embedded import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start()\n"
        "print(server.process.pid, flush=True); time.sleep(60)"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True, cwd=PROJECT
    )
    assert launcher.stdout is not None
    pid = int(launcher.stdout.readline())
    launcher.kill()
    launcher.wait()
    deadline = time.monotonic() + 15
    while command_line(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert command_line(pid) == ""
    again = EmbeddedPostgres(home, durable=False)
    again.start()
    assert ask(again, "SELECT 1") == 1
    again.destroy()


def test_nothing_committed_is_lost_by_its_sudden_death(server: EmbeddedPostgres) -> None:
    server.durable = True
    server.start()
    ask(server, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42 AS answer")
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert (server.data / "postmaster.pid").exists()
    # Sessions of the dead server notice within moments; until then it rightly refuses to start beside them.
    deadline = time.monotonic() + 15
    while True:
        try:
            server.start()
            break
        except RuntimeError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert ask(server, "SELECT answer FROM kept") == 42


def test_a_process_number_that_now_belongs_to_another_program_is_no_obstacle(
    server: EmbeddedPostgres,
) -> None:
    server.start()
    written = (server.data / "postmaster.pid").read_text()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{written.partition(chr(10))[2]}")
    server._own(server.data / "postmaster.pid", 0o600)
    server.start()
    assert ask(server, "SELECT 1") == 1


def test_a_server_that_still_runs_is_replaced(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.process is not None
    first = server.process.pid
    second = EmbeddedPostgres(server.home, durable=False)
    # The zombie is ours to collect here; a real leftover belongs to init.
    signal.signal(signal.SIGCHLD, lambda *_: None)
    second.start()
    assert command_line(first) == ""
    assert ask(second, "SELECT 1") == 1
    second.destroy()


@pytest.mark.parametrize("name", ["with space", "comma,quote'\"", "Ünïcode", "x" * 120])
def test_any_checkout_path_will_do(place: Path, name: str) -> None:
    server = EmbeddedPostgres(place / name / "var" / "postgres", durable=False)
    try:
        server.start()
        assert ask(server, "SELECT 1") == 1
    finally:
        server.destroy()
    assert not server.sockets.exists()


@needs_root
def test_a_checkout_closed_to_others_keeps_its_data_elsewhere(place: Path) -> None:
    home = place / "postgres"
    first = EmbeddedPostgres(home, durable=False)
    first.start()
    ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    place.chmod(0o700)
    second = EmbeddedPostgres(home, durable=False)
    try:
        second.start()
        assert not second.data.is_relative_to(place)
        assert ask(second, "SELECT answer FROM kept") == 42
        assert place.stat().st_mode & 0o777 == 0o700
    finally:
        second.destroy()
    assert not second.data.exists()


@needs_root
def test_root_runs_it_as_somebody_else(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.process is not None
    assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0


def test_data_without_its_password_is_made_anew(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    server.password_file.unlink()
    server.start()
    assert ask(server, "SELECT 1") == 1
