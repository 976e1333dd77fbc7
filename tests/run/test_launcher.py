"""The launcher's own decisions: environment, ports, one run per checkout, what it refuses."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from portal.run import environment
from portal.run.broker import celery_broker_settings, libpq
from portal.run.devsecrets import load_or_make, new_secrets
from portal.run.launcher import CannotStart, Launcher
from portal.run.processes import free_port, is_free

PROJECT = Path(__file__).resolve().parent.parent.parent
AT = environment.Addresses("http://localhost:8001", "http://127.0.0.1:8010", "postgres://embedded")


def test_what_is_set_wins_over_what_is_made() -> None:
    made = environment.development(
        {"SECRET_KEY": "mine", "PORTAL_URL": "https://tunnel.example", "LOG_FORMAT": "json"},
        new_secrets(),
        AT,
    )
    assert made["SECRET_KEY"] == "mine"
    assert made["PORTAL_URL"] == "https://tunnel.example"
    assert made["LOG_FORMAT"] == "json"
    assert made["BROKER_URL"] == "pgmq://"
    assert made["SANDBOX_URL"] == made["BAKKT_CRYPTO_URL"] == "http://127.0.0.1:8010"
    assert made["DATABASE_URL"] == "postgres://embedded"


def test_a_secret_handed_over_as_a_file_replaces_the_made_one() -> None:
    made = environment.development({"SECRET_KEY_FILE": "/run/secret"}, new_secrets(), AT)
    assert made["SECRET_KEY_FILE"] == "/run/secret"
    assert made["SECRET_KEY"] == ""


def test_without_a_sandbox_of_ours_no_provider_address_is_made() -> None:
    at = environment.Addresses("http://localhost:8000", "", "")
    made = environment.development({"BAKKT_CRYPTO_URL": "https://crypto.example"}, new_secrets(), at)
    assert made["BAKKT_CRYPTO_URL"] == "https://crypto.example"
    assert "SANDBOX_URL" not in made
    assert "DATABASE_URL" not in made


def test_development_secrets_are_made_once_and_closed(tmp_path: Path) -> None:
    first = load_or_make(tmp_path / "var")
    assert load_or_make(tmp_path / "var") == first
    assert set(new_secrets()) < set(first)
    for name in ("dev.env", "jwt.pem"):
        assert (tmp_path / "var" / name).stat().st_mode & 0o077 == 0
    assert Path(first["HEADLESS_JWT_PRIVATE_KEY_FILE"]).read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_a_secret_that_a_later_version_needs_joins_the_kept_ones(tmp_path: Path) -> None:
    first = load_or_make(tmp_path)
    store = tmp_path / "dev.env"
    kept = [line for line in store.read_text().splitlines() if not line.startswith("AUDIT_KEYS=")]
    store.write_text("\n".join(kept) + "\n")
    second = load_or_make(tmp_path)
    assert second["SEAL_KEYS"] == first["SEAL_KEYS"]
    assert second["AUDIT_KEYS"] not in ("", first["AUDIT_KEYS"])


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        assert not is_free(taken, "127.0.0.1")
        assert free_port(taken) > taken


def test_a_second_run_in_the_same_checkout_is_refused_and_told_where_the_first_is(tmp_path: Path) -> None:
    with Launcher(tmp_path, {}).lock() as first:
        first.write("http://localhost:8123")
        first.flush()
        with pytest.raises(CannotStart, match="http://localhost:8123"):
            Launcher(tmp_path, {}).lock()
    Launcher(tmp_path, {}).lock().close()


def test_it_refuses_production(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"for development\."):
        Launcher(tmp_path, {"ENVIRONMENT": "production"}).run()


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (
            "postgres://me:p%40ss@db.example:6543/portal",
            "host='db.example' port='6543' user='me' password='p@ss'",
        ),
        ("postgres://me@/portal?host=%2Ftmp%2FMy%20Dir", "host='/tmp/My Dir' user='me' dbname='portal'"),
        ("postgres://me@%2Ftmp%2FUpper/portal", "host='/tmp/Upper' user='me'"),
        (
            "postgres://me:it's@db/portal?sslmode=require",
            r"password='it\'s' dbname='portal' sslmode='require'",
        ),
    ],
)
def test_an_address_becomes_a_connection_string(url: str, wanted: str) -> None:
    assert wanted in libpq(url)


def test_each_broker_gets_what_it_needs() -> None:
    database = "postgres://me@db/portal"
    pgmq = celery_broker_settings("pgmq://", database)["broker_transport_options"]
    assert pgmq["wait_time_seconds"] == 0
    assert "dbname='portal'" in pgmq["conn_string"]
    redis = celery_broker_settings("redis://redis:6379/0", database)["broker_transport_options"]
    assert redis["unacked_restore_interval"] == 5
    assert redis["visibility_timeout"] > 240
    assert redis["socket_timeout"] <= redis["socket_connect_timeout"] <= 2
    rabbit = celery_broker_settings("amqp://rabbit//", database)
    assert (rabbit["broker_url"], rabbit["broker_transport_options"]) == (
        "amqp://rabbit//",
        {"write_timeout": 1},
    )
    # Without a host kombu warns at every connection.
    for address in ("pgmq://", "memory://"):
        assert urlsplit(celery_broker_settings(address, database)["broker_url"]).hostname


def test_every_setting_is_explained_and_every_explained_one_is_read() -> None:
    sources = [PROJECT / "portal" / "settings.py", PROJECT / "portal" / "auth" / "settings.py"]
    sources += [PROJECT / "sandbox" / "config.py", PROJECT / "portal" / "run" / "launcher.py"]
    sources += [PROJECT / "gunicorn.conf.py", PROJECT / "portal" / "metrics.py"]
    sources += [PROJECT / "portal" / "document_storage.py"]
    text = "\n".join(source.read_text() for source in sources)
    read = set(
        re.findall(
            r'(?:\w*env\.\w+\(|secret\(\w+, |environ\w*\.get\(|environment, |given\.get\()\s*"([A-Z_]+)"',
            text,
        )
    )
    explained = {
        name.replace("JWT_PRIVATE_KEY_FILE", "JWT_PRIVATE_KEY")
        for name in re.findall(r"^# ([A-Z][A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    }
    assert explained == read
