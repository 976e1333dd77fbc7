"""How long pages take while a big file is imported, beside the same pages without an import, in the same run.

A real server and a real worker, each in processes of its own, asked over a socket as a browser asks. Without an
import is measured before it and after it, since the tables are fuller then. No time is asserted: only ratios travel
between machines. Run with `make bench`, or `pytest -m bench -s tests/bench/bench_import_pages.py`; IMPORT_ROWS=100000
for the full size.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
import requests
from django.conf import settings
from django.test import Client

from onboarding.imports import services
from onboarding.models import Application, ImportBatch
from portal.models import User
from portal.run.prepare import install_queues
from tests.bench.bench_imports import write_file
from tests.faults.parts import CSRF, Parts, broker_url, empty_broker, free_port
from tests.people import make_staff, sign_in
from tests.sandboxed import test_database_url

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("IMPORT_ROWS", "5000"))
#: Askings of each page without an import, before it and again after it.
CALM = 60
#: The longest a dry run or an import of ROWS may take before the bench gives up, in seconds.
PATIENCE = 30 + ROWS / 20
Status = ImportBatch.Status


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    if broker_url().startswith("pgmq"):
        install_queues(test_database_url())
    empty_broker()
    found = Parts(
        tmp_path,
        {
            **os.environ,
            "DATABASE_URL": test_database_url(),
            "BROKER_URL": broker_url(),
            "LOG_FORMAT": "console",
        },
    )
    yield found
    found.stop()


class Reader:
    """A signed-in member of staff who asks for pages one after the other and notes what each took."""

    def __init__(self, url: str, user: User, pages: dict[str, str]) -> None:
        self.url, self.pages = url, pages
        self._turns = cycle(pages)
        self.session = requests.Session()
        self.session.trust_env = False
        cookie = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME]
        self.session.cookies.set(cookie.key, cookie.value)
        self.session.cookies.set(settings.CSRF_COOKIE_NAME, CSRF)

    def press(self, path: str, **answers: str) -> None:
        """Send a form of the import's pages, so that the server itself wakes the worker."""
        given = {"csrfmiddlewaretoken": CSRF, **answers}
        answer = self.session.post(self.url + path, data=given, timeout=30, allow_redirects=False)
        assert answer.status_code == 302, (path, answer.status_code)

    def ask(self, seconds: dict[str, list[float]]) -> None:
        """The next page, as a browser would load it."""
        name = next(self._turns)
        started = time.perf_counter()
        answer = self.session.get(self.url + self.pages[name], timeout=30, allow_redirects=False)
        seconds[name].append(time.perf_counter() - started)
        assert answer.status_code == 200, (name, answer.status_code)

    def nothing(self) -> dict[str, list[float]]:
        """No page asked for yet."""
        return {name: [] for name in self.pages}


def batch_of(actor: User) -> ImportBatch:
    with tempfile.TemporaryFile() as file:
        write_file(file, 0, ROWS)
        return services.batch_upload(
            actor=actor,
            name="Wave",
            country="US",
            file=file,
            file_name="wave.csv",
            size=1,
            source="bench",
        )


def while_it_is(status: str, batch: ImportBatch, reader: Reader, seconds: dict[str, list[float]]) -> None:
    """Ask for pages, a little apart as people do, for as long as the worker is at it."""
    until = time.monotonic() + PATIENCE
    while ImportBatch.objects.values_list("status", flat=True).get(pk=batch.pk) == status:
        assert time.monotonic() < until, f"still {status} after {PATIENCE:.0f} seconds"
        reader.ask(seconds)
        time.sleep(0.02)


def test_pages_while_a_file_is_imported(parts: Parts) -> None:
    actor = make_staff("compliance_manager")
    batch = batch_of(actor)
    web, worker = parts.web(free_port()), parts.worker()
    parts.wait(web, worker)
    own = f"/staff/imports/{batch.pk}/"
    pages = {"the import's page": own, "the list of applications": "/staff/applications/"}
    reader = Reader(web.url, actor, pages)
    calm, checking, importing = reader.nothing(), reader.nothing(), reader.nothing()
    # Every process of the web answers something once before anything is measured.
    for _ in range(40):
        reader.ask(reader.nothing())

    for _ in range(2 * CALM):
        reader.ask(calm)
        time.sleep(0.02)
    question_of = {column: question for question, column in batch.mapping.items()}
    columns = {f"column_{at}": question_of.get(name, "") for at, name in enumerate(batch.columns)}
    reader.press(f"{own}columns/", **columns)
    while_it_is(Status.CHECKING, batch, reader, checking)
    started = time.perf_counter()
    reader.press(f"{own}start/")
    while_it_is(Status.IMPORTING, batch, reader, importing)
    took = time.perf_counter() - started
    for _ in range(2 * CALM):
        reader.ask(calm)
        time.sleep(0.02)

    print(
        f"\n{f'{ROWS:,} rows by a worker in {took:.0f} s':<44}{'median':>10}{'95 of 100':>12}{'asked':>8}{'ratio':>8}"
    )
    for name in pages:
        bare = statistics.median(calm[name])
        for when, found in (("no import", calm), ("dry run", checking), ("import", importing)):
            middle = statistics.median(found[name])
            late = statistics.quantiles(found[name], n=20)[-1]
            print(
                f"{f'{name}, {when}':<44}{middle * 1000:>7.1f} ms{late * 1000:>9.1f} ms"
                f"{len(found[name]):>8}{middle / bare:>8.2f}"
            )
    # What was measured is an import that went on beside the pages, by the worker, to its end.
    assert ImportBatch.objects.get(pk=batch.pk).status == Status.IMPORTED
    assert Application.objects.filter(batch=batch).count() == ROWS
    assert all(len(found) >= 5 for found in importing.values())
