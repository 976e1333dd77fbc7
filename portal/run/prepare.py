"""`python -m portal.run.prepare --logins FILE`: makes a database ready for the portal, as often as one likes.

Queue tables (when the broker is the database), migrations, the cache table, and the demo data with its
logins. Each step says its name on a line that begins with STEP, which the launcher shows.
"""

import argparse
import io
import json
import os
import time
from pathlib import Path

import django
import psycopg
from django.core.management import call_command
from pgmq.install import get_embedded_install_sql

from portal.run.broker import libpq
from portal.run.logwatch import STEP

#: Two launchers on one database take turns. Any number does; it is only ours.
LOCK = 728_144_001


def install_queues(database_url: str) -> None:
    """Install pgmq's tables and functions unless they are there. Its script cannot be run twice."""
    with psycopg.connect(libpq(database_url)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        found = connection.execute("SELECT to_regclass('pgmq.meta')").fetchone()
        if found == (None,):
            connection.execute(get_embedded_install_sql().encode())


def main() -> None:
    """Run all steps; an exception's traceback is for the log, its last line for the screen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--logins", type=Path, required=True)
    logins: Path = parser.parse_args().logins
    began = time.monotonic()

    def step(name: str) -> None:
        print(f"{STEP} {name} ({time.monotonic() - began:.1f} s)", flush=True)

    if os.environ["BROKER_URL"].startswith("pgmq"):
        install_queues(os.environ["DATABASE_URL"])
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("createcachetable")
    step("database is up to date")
    out = io.StringIO()
    call_command("seed_demo", json=True, stdout=out)
    logins.touch(mode=0o600)
    logins.write_text(json.dumps(json.loads(out.getvalue())["logins"]))
    step("demo data is there")


if __name__ == "__main__":
    main()
