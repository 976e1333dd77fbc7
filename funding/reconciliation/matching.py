"""Finding what differs, a chunk at a time, in the database: only differing rows come out of it.

`match` and `absent` deal with one chunk after the run's cursor, in the caller's transaction.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max

from funding import balances
from funding.models import MoneyRun, ReconciliationItem, StatedMovement, Transfer
from funding.reconciliation import items
from funding.reconciliation.stating import BALANCE
from onboarding.models import ProviderAccount
from portal.money import Money

Kind = ReconciliationItem.Kind
CHUNK = 5000
#: What changed so short a time before the record was read proves nothing: the two may have crossed.
SETTLING = timedelta(minutes=2)
#: What the provider began reaches us later than it began: at the edge of the window it may be theirs already.
EDGE = timedelta(days=3)
#: Before and after the key of any transfer.
FIRST, LAST = str(UUID(int=0)), str(UUID(int=2**128 - 1))

# Every look-up below is by an index, row after row of the chunk, whatever the planner knows of the tables: the laterals
# and OFFSET 0 keep it from reading a whole table for each chunk, which seems cheap to it while the tables are small.

# A movement that names a reference nobody here knows may be one that the provider began and that we have by its name.
_BY_OWN = """
UPDATE funding_statedmovement s SET key = s.own
WHERE s.run_id = %(run)s AND s.id > %(after)s AND s.id <= %(last)s AND s.own <> '' AND s.own <> s.key
  AND NOT EXISTS (SELECT FROM funding_transfer t WHERE t.reference = s.key OFFSET 0)
  AND EXISTS (SELECT FROM funding_transfer t WHERE t.reference = s.own OFFSET 0)
"""
_MATCH = """
SELECT s.key, s.own, s.party_ref, s.account_id, t.id AS transfer_id,
  coalesce(t.status, '') AS our_status, coalesce(t.direction, '') AS our_direction, t.amount_minor AS our_minor,
  s.status AS their_status, coalesce(nullif(s.direction, ''), t.direction, '') AS their_direction,
  s.amount_minor AS their_minor, s.currency, s.instrument, s.type_word, s.word, s.reason_code, s.at AS their_at
FROM funding_statedmovement s
LEFT JOIN LATERAL (
  SELECT * FROM funding_transfer t WHERE t.reference = s.key AND t.account_id = s.account_id LIMIT 1
) t ON true
WHERE s.run_id = %(run)s AND s.id > %(after)s AND s.id <= %(last)s AND (
  (t.id IS NULL AND (s.at IS NULL OR s.at < s.as_of - %(settling)s))
  OR t.amount_minor <> s.amount_minor OR t.currency <> s.currency
  OR (s.direction <> '' AND t.direction <> s.direction)
  OR (t.status_at < s.as_of - %(settling)s AND NOT (
    t.status = s.status
    OR (s.status = 'pending' AND t.status IN ('requested', 'sent'))
    OR (s.status IN ('declined', 'failed', 'cancelled') AND t.status IN ('declined', 'failed', 'cancelled'))
  ))
)
"""
# Told where the last of them by name stands, so once for all of them, whichever chunks they are in.
_TWICE = """
SELECT s.key, d.own, d.party_ref, d.their_minor, t.account_id, t.id AS transfer_id, t.status AS our_status,
  t.direction AS our_direction, t.amount_minor AS our_minor, t.currency, d.their_status,
  t.direction AS their_direction, d.instrument, d.word
FROM funding_statedmovement s
JOIN LATERAL (
  SELECT * FROM funding_transfer t WHERE t.reference = s.key AND t.account_id = s.account_id LIMIT 1
) t ON true
JOIN LATERAL (
  SELECT min(o.own) AS own, max(o.own) AS last, min(o.party_ref) AS party_ref, count(*)::text AS word,
    sum(o.amount_minor)::bigint AS their_minor, min(o.status) AS their_status, min(o.instrument) AS instrument
  FROM funding_statedmovement o
  WHERE o.run_id = %(run)s AND o.key = s.key AND o.own <> '' AND o.account_id = s.account_id
) d ON d.last = s.own
WHERE s.run_id = %(run)s AND s.id > %(after)s AND s.id <= %(last)s AND EXISTS (
  SELECT FROM funding_statedmovement o
  WHERE o.run_id = %(run)s AND o.key = s.key AND o.own <> '' AND o.own < s.own AND o.account_id = s.account_id
  OFFSET 0
)
"""
_ABSENT = """
SELECT t.reference AS key, '' AS own, a.client_account_id AS party_ref, t.account_id, t.id AS transfer_id,
  t.status AS our_status, t.direction AS our_direction, t.amount_minor AS our_minor, t.currency
FROM funding_transfer t
JOIN onboarding_provideraccount a ON a.id = t.account_id
LEFT JOIN funding_accountreading r ON r.run_id = %(run)s AND r.account_id = t.account_id
WHERE t.id > %(after)s AND t.id <= %(last)s AND t.created_at >= %(since)s
  AND (r.as_of IS NOT NULL OR %(file)s)
  AND greatest(t.created_at, t.status_at) < coalesce(r.as_of, %(as_of)s) - %(settling)s
  AND NOT (t.origin = 'staff' AND t.rail = 'book')
  AND (t.status IN ('sent', 'pending', 'completed', 'returned')
    OR (t.status IN ('declined', 'failed', 'cancelled') AND t.provider_word <> '')
    OR (t.status = 'requested' AND t.stuck_at IS NOT NULL))
  AND NOT EXISTS (
    SELECT FROM funding_statedmovement s WHERE s.run_id = %(run)s AND s.key = t.reference OFFSET 0
  )
"""


def match(run: MoneyRun) -> bool:
    """Compare the next movements of the record with the transfers they name; False when these were the last."""
    if not run.cursor:
        # The table was all but empty the last time it was looked at. A planner that does not know how many rows this
        # run has takes any index that begins with the run, and reads all of them for each chunk.
        _execute(f"ANALYZE {StatedMovement._meta.db_table}", {})
        run.stated_count = StatedMovement.objects.filter(run=run).count()
    after = int(run.cursor or 0)
    rows = StatedMovement.objects.filter(run=run, pk__gt=after).order_by("pk")[:CHUNK]
    found = rows.aggregate(last=Max("pk"), number=Count("pk"))
    number: int = found["number"]
    if not number:
        return False
    run.cursor = str(found["last"])
    run.compared += number
    if run.kind == MoneyRun.Kind.BALANCES:
        _balances(run, after, found["last"])
    else:
        span: dict[str, Any] = {"run": run.pk, "after": after, "last": found["last"], "settling": SETTLING}
        _execute(_BY_OWN, span)
        differ = [row | {"kind": kind_of(row)} for row in _rows(_MATCH, span)]
        items.keep(run, [*differ, *(row | {"kind": Kind.TWICE} for row in _rows(_TWICE, span))])
    return number == CHUNK


def kind_of(row: dict[str, Any]) -> str:
    """What a differing row is: amounts before states, since a state of another amount says little."""
    if row["transfer_id"] is None:
        return Kind.MISSING_HERE
    if row["their_minor"] not in {None, row["our_minor"]} or row["their_direction"] != row["our_direction"]:
        return Kind.AMOUNT
    return Kind.STATE


def absent(run: MoneyRun) -> bool:
    """Look for the next of our transfers in the record; False when these were the last."""
    is_file = run.kind != MoneyRun.Kind.READING
    since = run.since if is_file else run.since + EDGE
    after = run.cursor or FIRST
    rows = Transfer.objects.filter(pk__gt=after, created_at__gte=since).order_by("pk")
    last = rows.values_list("pk", flat=True)[CHUNK - 1 : CHUNK].first()
    span = {
        "run": run.pk,
        "after": after,
        "last": last or LAST,
        "since": since,
        "as_of": run.as_of,
        "file": is_file,
        "settling": SETTLING,
    }
    run.cursor = str(last or LAST)
    items.keep(run, [row | {"kind": Kind.MISSING_THERE} for row in _rows(_ABSENT, span)])
    return last is not None


def balance(run: MoneyRun, account: ProviderAccount, settled: Money, as_of: Any) -> None:
    """Compare the account's settled balance at the provider with our books, where these stood still meanwhile."""
    if account.ledger_lines.filter(entry__at__gte=as_of - SETTLING).exists():
        return
    ours = balances.standing(account)
    key = f"{BALANCE}{account.client_account_id}"
    if balances.agree(ours.available, ours.outgoing, settled):
        items.settle(run, key, Kind.BALANCE, "The balances agree again.")
        return
    row = {
        "kind": Kind.BALANCE,
        "key": key,
        "party_ref": account.client_account_id,
        "account_id": account.pk,
        "our_minor": ours.available.minor,
        "their_minor": settled.minor,
        "currency": settled.currency,
    }
    items.keep(run, [row])


def _balances(run: MoneyRun, after: int, last: int) -> None:
    rows = StatedMovement.objects.filter(run=run, pk__gt=after, pk__lte=last).select_related("account")
    for row in rows.iterator(chunk_size=500):
        if row.account is not None and row.amount_minor is not None:
            balance(run, row.account, Money(row.amount_minor, row.currency), row.as_of)
            continue
        lost = {
            "kind": Kind.BALANCE,
            "key": row.key,
            "party_ref": row.party_ref,
            "account_id": None,
            "our_minor": 0,
            "their_minor": row.amount_minor,
            "currency": row.currency,
        }
        items.keep(run, [lost] if row.amount_minor else [])


def _execute(sql: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def _rows(sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
