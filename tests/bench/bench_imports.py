"""How fast a file of existing customers is taken in, checked and imported, beside a bare bulk_create of the same rows.

The baseline writes the same customers, with everything that belongs to them, from objects that are ready: what any
import pays to the database. The ratios are what reading, our rules, the search for twins, sealing and the audit
trail add. No time is asserted: only ratios travel between machines. Run with `make bench`, or
`pytest -m bench -s tests/bench/bench_imports.py`; IMPORT_ROWS=100000 for the full size, with the memory it took.
"""

import io
import os
import resource
import tempfile
import time
from collections.abc import Callable
from typing import IO, Any

import pytest

from onboarding.imports import jobs, making, services
from onboarding.imports.check import read_row
from onboarding.models import Application, ImportBatch
from portal.models import User
from tests.onboarding.imports_support import person
from tests.people import make_staff

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("IMPORT_ROWS", "2000"))


def write_file(target: IO[bytes], first: int, number: int) -> None:
    """Row by row, so that the test itself needs no memory for them."""
    columns = list(person(0))
    target.write((",".join(columns) + "\n").encode())
    for at in range(first, first + number):
        target.write((",".join(str(cell) for cell in person(at).values()) + "\n").encode())
    target.seek(0)


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def drain(batch: ImportBatch) -> None:
    while jobs.advance(batch.pk):
        pass


def bare_bulk_create(actor: User, first: int, number: int) -> float:
    """Seconds for the bare writing of `number` customers, a chunk at a time as the import does it."""
    content = io.BytesIO()
    write_file(content, first, 1)
    batch = services.batch_upload(
        actor=actor,
        name="Baseline",
        country="US",
        file=content,
        file_name="baseline.csv",
        size=1,
        source="bench",
    )
    seconds = 0.0
    for start in range(first, first + number, jobs.CHUNK):
        made = making.Made()
        for at in range(start, min(start + jobs.CHUNK, first + number)):
            row = person(at)
            reading = read_row(list(row.values()), list(row), batch.mapping, "US", in_grace=False)
            assert not reading.errors
            making._one(made, batch, reading, actor)
        seconds += timed(made.write)
    return seconds


def test_an_import_beside_a_bare_bulk_create() -> None:
    actor = make_staff("compliance_manager")
    # Half of the baseline into tables as they are, half when the import has filled them.
    half = min(ROWS, 5000) // 2
    bare = bare_bulk_create(actor, 500_000, half)
    before = peak()
    with tempfile.TemporaryFile() as file:
        write_file(file, 0, ROWS)
        batch: list[ImportBatch] = []
        upload = timed(
            lambda: batch.append(
                services.batch_upload(
                    actor=actor,
                    name="Wave",
                    country="US",
                    file=file,
                    file_name="wave.csv",
                    size=1,
                    source="bench",
                )
            )
        )
    found = batch[0]
    services.batch_check(
        actor=actor, batch_id=found.pk, mapping=found.mapping, grace_until=None, source="bench"
    )
    check = timed(lambda: drain(found))
    services.batch_import(actor=actor, batch_id=found.pk, source="bench")
    importing = timed(lambda: drain(found))
    after = peak()
    baseline = (bare + bare_bulk_create(actor, 600_000, half)) / (2 * half)
    services.batch_undo(actor=actor, batch_id=found.pk, reason="Measured", source="bench")
    made = Application.objects.filter(batch=found).count()
    undoing = timed(lambda: drain(found))

    print(f"\n{f'{ROWS:,} rows, one worker':<44}{'rows/s':>12}{'of baseline':>13}")
    print(f"{'bare bulk_create (baseline)':<44}{1 / baseline:>12.0f}{1:>13.2f}")
    for name, seconds in (
        ("upload, rows sealed", upload),
        ("dry run", check),
        ("import", importing),
        ("upload, dry run and import together", upload + check + importing),
        ("undo", undoing),
    ):
        print(f"{name:<44}{ROWS / seconds:>12.0f}{ROWS * baseline / seconds:>13.2f}")
    print(
        f"most memory: {before:.0f} MB before, {after:.0f} MB after the import, {peak():.0f} MB after the undo"
    )
    # What was measured is what was made, and what was undone.
    assert made == ROWS
    assert not Application.objects.filter(batch=found).exists()
