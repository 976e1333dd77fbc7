"""The queue of differences: one open item for each movement and kind, told once, closed when it is right."""

from typing import Any

from compliance import services as compliance
from funding.models import AccountReading, MoneyRun, ReconciliationItem, StatedMovement, Transfer
from portal import clock

Kind, Status = ReconciliationItem.Kind, ReconciliationItem.Status
KIND = "funding.reconciliation"
#: So many items are looked at in one step of closing.
CHUNK = 500
#: What a later look may have changed.
SEEN = (
    "own", "transfer_id", "our_status", "our_direction", "our_minor", "their_status", "their_direction",
    "their_minor", "instrument", "type_word", "word", "reason_code", "their_at",
)  # fmt: skip
#: What makes a difference the same as one that was written off.
_SAME = ("our_status", "our_minor", "their_status", "their_minor")


def keep(run: MoneyRun, found: list[dict[str, Any]]) -> None:
    """Note what differs: new items for what is new, a later look at what is known. In the caller's transaction."""
    if not found:
        return
    keys = {row["key"] for row in found}
    rows = ReconciliationItem.objects.filter(key__in=keys)
    known = {(item.key, item.kind): item for item in rows.filter(status__in=ReconciliationItem.ACTIVE)}
    written_off = {
        (item.key, item.kind, *(getattr(item, name) for name in _SAME))
        for item in rows.filter(resolution=ReconciliationItem.Resolution.WRITTEN_OFF)
    }
    new: dict[tuple[str, str], ReconciliationItem] = {}
    for row in found:
        item = ReconciliationItem(run=run, seen_run=run, **row)
        name = (item.key, item.kind)
        if (*name, *(getattr(item, part) for part in _SAME)) in written_off:
            continue
        run.differ += 1
        if name in known:
            _look_again(known[name], run, row)
        else:
            new.setdefault(name, item)
    ReconciliationItem.objects.bulk_create(new.values(), batch_size=1000)
    run.opened += len(new)


def _look_again(item: ReconciliationItem, run: MoneyRun, row: dict[str, Any]) -> None:
    # A write-off that waits is of the amounts its second person sees.
    seen = {} if item.status == Status.PROPOSED else {name: row[name] for name in SEEN if name in row}
    ReconciliationItem.objects.filter(pk=item.pk, status=item.status).update(seen_run=run, **seen)


def close(run: MoneyRun) -> bool:
    """Close what is right by now, a chunk after the run's cursor; False when it was the last."""
    rows = ReconciliationItem.objects.filter(status__in=ReconciliationItem.ACTIVE).exclude(seen_run=run)
    rows = rows.exclude(kind=Kind.BALANCE).select_for_update(of=("self",)).order_by("pk")
    if run.cursor:
        rows = rows.filter(pk__gt=run.cursor)
    looked = list(rows[:CHUNK])
    for item in looked:
        why = _right(run, item)
        if why:
            _settle(run, item, why)
    if looked:
        run.cursor = str(looked[-1].pk)
    return len(looked) == CHUNK


def settle(run: MoneyRun, key: str, kind: str, why: str) -> None:
    """Close the item of the key and kind, where there is one."""
    rows = ReconciliationItem.objects.filter(key=key, kind=kind, status__in=ReconciliationItem.ACTIVE)
    for item in rows.select_for_update(of=("self",)):
        _settle(run, item, why)


def _settle(run: MoneyRun, item: ReconciliationItem, why: str) -> None:
    item.move_to(Status.SETTLED, actor=None, reason=why, source="reconciliation")
    run.settled += 1
    case_over(item, why)


def _right(run: MoneyRun, item: ReconciliationItem) -> str:
    """Why the item is right by now; "" where nothing shows that it is."""
    stated = StatedMovement.objects.filter(run=run, key__in={item.key, item.own or item.key})
    if item.kind == Kind.MISSING_HERE:
        if Transfer.objects.filter(reference__in={item.key, item.own or item.key}).exists():
            return "We have it by now."
        gone = _covered(run, item) and not stated.exists()
        return "Their record does not have it any more." if gone else ""
    if item.kind == Kind.MISSING_THERE:
        transfer = item.transfer
        if transfer and transfer.status in Transfer.ENDED_BADLY and not transfer.provider_word:
            return "It was given up here."
        return "They have it by now." if stated.exists() else ""
    many = stated.count()
    return "Both sides agree by now." if many == 1 or (many and item.kind != Kind.TWICE) else ""


def _covered(run: MoneyRun, item: ReconciliationItem) -> bool:
    """Whether the run read the whole record that would show the item's movement."""
    if not run.with_movements or item.their_at is None or item.their_at < run.since:
        return False
    return AccountReading.objects.filter(run=run, account=item.account_id, as_of__isnull=False).exists()


def case_over(item: ReconciliationItem, why: str) -> None:
    """Close the item's case, where one was opened."""
    if item.case_opened_at is not None:
        compliance.case_settle(kind=KIND, subject=subject_of(item), reason=why, source="reconciliation")


def subject_of(item: ReconciliationItem) -> compliance.Subject:
    """The item as its case is about it."""
    return compliance.Subject.of(item, f"{item.get_kind_display()}: {item.party_ref}"[:200])


def cases_open(older_than: Any, most: int) -> int:
    """Open a case for each item that nobody dealt with for that long; how many."""
    rows = ReconciliationItem.objects.filter(
        status__in=(Status.OPEN, Status.PROPOSED), case_opened_at=None, opened_at__lt=clock.now() - older_than
    )
    due = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:most])
    for item in due:
        compliance.case_open(
            kind=KIND,
            subject=subject_of(item),
            title=item.get_kind_display(),
            facts={"key": item.key, "account": item.party_ref},
            source="reconciliation",
            dedupe=str(item.pk),
        )
    ReconciliationItem.objects.filter(pk__in=[item.pk for item in due]).update(case_opened_at=clock.now())
    return len(due)
