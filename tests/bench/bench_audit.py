"""The audit trail when it is long: a page of the search anywhere in it, and the walk that shows whether it is whole.

    AUDIT_ROWS=1000000 pytest -m bench -s tests/bench/bench_audit.py

Compared with what one would write first: pages by offset, and reading and hashing every entry without seals.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from portal import audit, audit_check, audit_search
from portal.audit_seals import entry_digest
from portal.models import AuditCheck, AuditEntry, Role
from tests.people import make_staff

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
ROWS = int(os.environ.get("AUDIT_ROWS", "100000"))
FILL = """
INSERT INTO portal_auditentry (id, at, actor_id, actor_label, action, subject_type, subject_id, before, after, reason,
 source, ip, request_id)
SELECT gen_random_uuid(), now() - interval '20 hours' + n * interval '0.05 second', NULL, '', 'thing.' || (n %% 50),
 'portal.user', gen_random_uuid(), '{"status": "open"}', '{"status": "closed"}', 'Because', 'task',
 '192.0.2.' || (n %% 200), md5((n / 3)::text) FROM generate_series(1, %s) AS n"""


def took(work: Callable[[], Any], times: int = 5) -> float:
    """The shortest of some runs, in milliseconds."""
    runs = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        runs.append(time.perf_counter() - start)
    return min(runs) * 1000


def test_a_long_trail() -> None:
    actor = make_staff(Role.AUDITOR)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [ROWS])
        cursor.execute("ANALYZE portal_auditentry")
    rows = AuditEntry.objects.order_by("-at", "-pk")
    middle = rows[ROWS // 2]
    deep = f"{middle.at.isoformat()}~{middle.pk}"
    offset = took(lambda: list(rows[ROWS // 2 : ROWS // 2 + 51]), 3)
    print(f"by offset, in the middle: {offset:.1f} ms")
    for name, chosen in (
        ("no filter", audit_search.AuditFilter()),
        ("an action", audit_search.AuditFilter(action="thing.7")),
        ("a request", audit_search.AuditFilter(request_id=middle.request_id)),
        ("an address", audit_search.AuditFilter(address_of=str(middle.pk))),
    ):
        first = took(partial(audit_search.page, actor, chosen))
        there = took(partial(audit_search.page, actor, chosen, after=deep))
        print(f"{name}: first page {first:.1f} ms, in the middle {there:.1f} ms")
    while audit.seal_pending():
        pass
    check = audit_check.check_start(actor=actor)
    start, longest = time.perf_counter(), 0.0
    while check.status == AuditCheck.Status.RUNNING:
        step = time.perf_counter()
        audit_check.check_step(check.pk)
        longest = max(longest, time.perf_counter() - step)
        check.refresh_from_db()
    walked = time.perf_counter() - start
    start = time.perf_counter()
    for entry in AuditEntry.objects.iterator():
        entry_digest(entry)
    plain = time.perf_counter() - start
    assert check.status == AuditCheck.Status.WHOLE
    print(
        f"{check.entries} entries checked in {walked:.1f} s ({check.entries / walked:.0f}/s), the longest task "
        f"{longest:.1f} s; reading and hashing alone {plain:.1f} s: {walked / plain:.2f} times"
    )
