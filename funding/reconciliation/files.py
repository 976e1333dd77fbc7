"""The provider's Cash Activity and Cash Balance files (contract, section 11), read row by row and checked first.

The sources do not list the columns of the first and contradict each other about the second, so columns are found by
several names, compared by their letters alone.
"""

from datetime import date, datetime, time
from typing import IO, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from funding.models import MoneyRun
from funding.reconciliation import runs, stating
from onboarding.imports.files import CustomerFile, Record, refused
from portal import audit, permissions
from portal.models import User
from portal.money import Money
from providers.bakkt import assumptions
from providers.bakkt.fiat_events import Movement, movement_fields
from providers.bakkt.reading import money
from providers.errors import Unreadable

Kind, Status, Stage = MoneyRun.Kind, MoneyRun.Status, MoneyRun.Stage
#: Balances are as of 16:40 Central Time (contract, section 11).
CENTRAL, AS_OF = ZoneInfo("America/Chicago"), time(16, 40)
#: So many rows that cannot be read are shown.
MOST_ERRORS = 100
COLUMNS: dict[str, tuple[str, ...]] = {
    "partnerPartyRef": ("partnerpartyref", "partyref", "clientaccountid", "account"),
    "partnerTransactionRef": ("partnertransactionref", "transactionref", "partnerreference", "reference"),
    assumptions.FIAT_PROVIDER_IDS[0]: ("transactionid", "bakkttransactionid", "id"),
    "instrumentType": ("instrumenttype", "instrument"),
    "fiatTransactionType": ("fiattransactiontype", "transactiontype", "direction", "type"),
    "transactionStatus": ("transactionstatus", "status"),
    "amount": ("amount", "transactionamount"),
    "currency": ("currency",),
    "reasonCode": ("reasoncode", "returncode"),
    assumptions.FIAT_MOMENTS[0]: ("timestamp", "transactiondate", "createdat", "date"),
    "settled": ("settledamount", "settled"),
}
NEEDED = {
    Kind.ACTIVITY: (
        "partnerPartyRef",
        "fiatTransactionType",
        "transactionStatus",
        "amount",
        "instrumentType",
    ),
    Kind.BALANCES: ("partnerPartyRef", "settled"),
}


def file_check(
    *, actor: User, kind: str, since: date, until: date, file: IO[bytes], size: int, name: str, source: str
) -> MoneyRun:
    """Read a file and say what it holds; nothing is compared yet. `since` and `until` are the days it covers.

    Raises Forbidden, Invalid for what is no such file.
    """
    permissions.require(actor, runs.RUN)
    if size > settings.DOCUMENT_MAX_BYTES:
        raise refused(f"The file is larger than {settings.DOCUMENT_MAX_BYTES // 1024**2} MB. Split it.")
    found = CustomerFile(file)
    places = _places(found.columns)
    missing = [name for name in NEEDED[Kind(kind)] if name not in places]
    if missing:
        raise refused(
            f"These columns are missing: {', '.join(missing)}. The file has {', '.join(found.columns)[:200]}."
        )
    with transaction.atomic():
        run = MoneyRun.objects.create(
            kind=kind,
            status=Status.CHECKED,
            stage=Stage.MATCH,
            started_by=actor,
            since=datetime.combine(since, time(), tzinfo=CENTRAL),
            as_of=datetime.combine(until, AS_OF, tzinfo=CENTRAL),
            with_movements=kind == Kind.ACTIVITY,
            file_name=name[:200],
        )
        _take(run, found, places)
        if not run.expected:
            raise refused("The file has a header but no rows.")
        run.done = run.expected - run.refused
        run.save()
        audit.record(
            "money_reconciliation.file", subject=run, actor=actor, source=source, after={"rows": run.expected}
        )
    return run


def _places(columns: list[str]) -> dict[str, int]:
    plain = ["".join(letter for letter in column.lower() if letter.isalpha()) for column in columns]
    return {
        field: next(plain.index(name) for name in names if name in plain)
        for field, names in COLUMNS.items()
        if any(name in plain for name in names)
    }


def _take(run: MoneyRun, found: CustomerFile, places: dict[str, int]) -> None:
    waiting: list[stating.Stated] = []
    for record in found.records():
        run.expected += 1
        row, why = _row(run, record, places)
        if row is None:
            run.refused += 1
            if len(run.errors) < MOST_ERRORS:
                run.errors.append([record.number, why])
            continue
        waiting.append(row)
        if len(waiting) == stating.AT_ONCE:
            stating.write(waiting)
            waiting = []
    stating.write(waiting)


def _row(run: MoneyRun, record: Record, places: dict[str, int]) -> tuple[stating.Stated | None, str]:
    """The row as what it states, or why it cannot be read."""
    if record.unreadable:
        return None, record.unreadable
    body: dict[str, Any] = {name: str(record.cells[place] or "").strip() for name, place in places.items()}
    if not body["partnerPartyRef"]:
        return None, "It names no account."
    if run.kind == Kind.BALANCES:
        return _balance(run, body)
    body["amount"] = _plain(body["amount"])
    body["currency"] = body.get("currency") or "USD"
    movement = Movement(**movement_fields(body))
    if movement.amount is None:
        return None, "Its amount is no amount of money."
    if not movement.reference and not movement.provider_id:
        return None, "It names neither our reference nor one of theirs."
    if not movement.word:
        return None, "It has no status."
    return stating.row_of(run, movement, as_of=run.as_of), ""


def _balance(run: MoneyRun, body: dict[str, Any]) -> tuple[stating.Stated | None, str]:
    try:
        settled: Money = money(_plain(body["settled"]), "USD")
    except Unreadable:
        return None, "Its settled amount is no amount of money."
    return stating.state_balance(run, body["partnerPartyRef"], settled, as_of=run.as_of), ""


def _plain(text: str) -> str:
    return text.replace(",", "").replace("$", "")
