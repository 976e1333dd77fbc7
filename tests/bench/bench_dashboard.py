"""How long the dashboard takes at the full size: 200,000 cases of a year with their marks (CASES_SCALE=1; else 1/100).

Beside it, in the same run, the same page when no day is kept and everything is counted as somebody looks. The number of
queries is asserted and must be the same for both, times are not. Run with `make bench`, or
`CASES_SCALE=1 pytest -m bench -s tests/bench/bench_dashboard.py`.
"""

import os
import statistics
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import figures, services
from compliance.models import Case, CaseMark, DayCounted, Figure, Queue
from onboarding.cases import duplicates
from portal import clock
from tests.bench.seeding import key, multiply, pick, settle
from tests.compliance.conftest import a_subject
from tests.people import make_staff, sign_in

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
SCALE = float(os.environ.get("CASES_SCALE", "0.01"))
CASES = int(200_000 * SCALE)
ROUNDS = 7
YEAR = 365 * 24 * 3600


def seed() -> None:
    analysts = [make_staff("compliance_analyst") for _ in range(12)]
    queues = [Queue.objects.create(name=f"Queue {at}") for at in range(5)]
    case = services.case_open(
        kind=duplicates.KIND, subject=a_subject(), title="Alike", facts={}, source="bench", dedupe="1"
    )
    mark = CaseMark.objects.get(case=case)
    opened = f"now() - n * interval '{YEAR / CASES} seconds'"
    queue = pick([f"'{row.pk}'::uuid" for row in queues], "n / 5")
    person = pick([f"'{row.pk}'::uuid" for row in analysts], "n / 3")
    multiply(
        Case,
        case.pk,
        CASES,
        reference="'CS-' || lpad(n::text, 8, '0')",
        subject_id=key(Case),
        status="CASE WHEN n % 5 = 0 THEN 'open' ELSE 'closed' END",
        opened_at=opened,
        queue_id=queue,
    )
    shared = {"case_id": key(Case, f"1 + n % {CASES}"), "queue_id": queue, "arrived_at": opened}
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM compliance_casemark")
    for place, (measure, late) in enumerate([("arrived", 0), ("touched", 3), ("decided", 20)]):
        pattern = CaseMark.objects.create(
            case=case,
            measure=measure,
            arrived_at=mark.arrived_at,
            kind=duplicates.KIND,
            code="same",
            reason="fraud",
        )
        multiply(
            CaseMark,
            pattern.pk,
            CASES,
            id=key(CaseMark, f"n + {place * CASES}"),
            measure=f"'{measure}'",
            at=f"{opened} + interval '{late} hours' * (n % 7)",
            person_id=person if place else "NULL::uuid",
            seconds=f"(n * 37 % {late * 7200 + 1})::int" if place else "NULL::int",
            is_met="n % 9 > 0" if place == 2 else "NULL::boolean",
            **shared,
        )
    settle(Case, CaseMark)


def timed(client: Client, query: str) -> tuple[float, int]:
    times = []
    for _ in range(ROUNDS):
        with CaptureQueriesContext(connection) as captured:
            begun = time.perf_counter()
            assert client.get(f"/staff/dashboard/{query}").status_code == 200
            times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000, len(captured)


def test_the_dashboard_at_full_size() -> None:
    seed()
    client = sign_in(Client(), make_staff("compliance_manager"))
    plain = {query: timed(client, query) for query in ("?period=7", "?period=90")}
    begun = time.perf_counter()
    today = clock.today()
    for source in figures.all_sources():
        for back in range(1, 181):
            figures.count_day(source, today - figures.DAY * back)
    counted = time.perf_counter() - begun
    settle(Figure, DayCounted)
    kept = {query: timed(client, query) for query in plain}
    print(
        f"\n{Case.objects.count():,} cases, {CaseMark.objects.count():,} marks, {Figure.objects.count():,} figures"
    )
    print(f"counting 180 days of two sources: {counted:.1f} s")
    for query, (slow, many) in plain.items():
        fast, queries = kept[query]
        print(
            f"{query}: {fast:.0f} ms with kept days, {slow:.0f} ms counted on the spot, {slow / fast:.1f} x"
        )
        assert queries <= many <= queries + 40
    assert kept["?period=7"][1] == kept["?period=90"][1]
