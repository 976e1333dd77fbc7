"""What the pages of imports read."""

import csv
import io
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Count

from onboarding.imports.questions import targets
from onboarding.models import HandIn, ImportBatch, ImportRow
from portal import audit, permissions
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page, keyset
from portal.ui.plain import defused

VIEW = "import.view"
SAMPLE = 5
RUNS = 20
REASONS = "Reasons"


def batches_for_staff(viewer: User, *, after: str = "", before: str = "") -> Page[ImportBatch]:
    """Imports, newest first."""
    permissions.require(viewer, VIEW)
    return keyset(ImportBatch.objects.select_related("created_by"), after=after, before=before)


def batch_for_staff(viewer: User, batch_id: UUID) -> ImportBatch:
    """One import. Raises Forbidden or NotFound."""
    permissions.require(viewer, VIEW)
    batch = ImportBatch.objects.select_related("created_by").filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such import.")
    return batch


def hand_ins_of(batch: ImportBatch) -> list[HandIn]:
    """The last runs that handed in customers of the import, newest first."""
    return list(HandIn.objects.filter(batch=batch).select_related("started_by").order_by("-pk")[:RUNS])


def hand_in_for_staff(viewer: User, batch_id: UUID, hand_in_id: UUID) -> HandIn:
    """One run. Raises Forbidden or NotFound."""
    permissions.require(viewer, VIEW)
    runs = HandIn.objects.select_related("batch", "started_by")
    found = runs.filter(pk=hand_in_id, batch=batch_id).first()
    if found is None:
        raise NotFound("There is no such hand-in.")
    return found


def hand_in_rows(hand_in: HandIn, *, outcome: str = "", after: str = "", before: str = "") -> Page[ImportRow]:
    """The run's customers in the order of the file, all or those of one outcome, with where they stand today."""
    rows = hand_in.rows.select_related("application__account").prefetch_related("application__owners")
    if outcome in ImportRow.Outcome.values:
        rows = rows.filter(outcome=outcome)
    return keyset(rows.defer("cells"), after=after, before=before, oldest_first=True)


def hand_in_counts(hand_in: HandIn) -> dict[str, int]:
    """{outcome: customers}, of outcomes that anybody has."""
    found = hand_in.rows.values_list("outcome").annotate(Count("pk")).order_by()
    return dict(found)


def wrong_rows(batch: ImportBatch, *, after: str = "", before: str = "") -> Page[ImportRow]:
    """Rows that are not imported, in the order of the file."""
    rows = ImportRow.objects.filter(
        batch=batch, state__in=[ImportRow.State.WRONG, ImportRow.State.UNREADABLE]
    ).defer("cells")
    return keyset(rows, after=after, before=before, oldest_first=True)


def problems_of(batch: ImportBatch, row: ImportRow) -> list[dict[str, str]]:
    """What is wrong with a row: column, question and sentence."""
    known = targets()
    return [
        {
            "column": batch.mapping.get(name, "Not in the file" if name else "Whole row"),
            "question": known[name].label if name in known else "",
            "sentence": sentence,
        }
        for name, sentences in row.errors.items()
        for sentence in sentences
    ]


def sample_of(batch: ImportBatch) -> dict[str, list[str]]:
    """{column: the first rows' cells, only their shape}: enough to see what a column holds, not whose it is."""
    rows = batch.rows.filter(cells__isnull=False).order_by("number")[:SAMPLE]
    found: dict[str, list[str]] = {column: [] for column in batch.columns}
    for row in rows:
        assert row.cells is not None
        for column, cell in zip(batch.columns, row.cells.reveal(), strict=True):
            found[column].append(shape(cell))
    return found


def shape(cell: Any) -> str:
    """A cell with every letter and digit replaced: "Xxx 99"."""
    if cell is None or cell == "":
        return "empty"
    text = str(cell)
    drawn = "".join(
        "9" if mark.isdigit() else "X" if mark.isupper() else "x" if mark.isalpha() else mark
        for mark in text[:24]
        if mark.isprintable()
    )
    return drawn + ("…" if len(text) > 24 else "")


def failed_rows_csv(actor: User, batch: ImportBatch) -> Iterator[bytes]:
    """The rows that were not imported as CSV, with the reasons in a last column; recorded, since it is unmasked."""
    permissions.require(actor, "import.manage")
    audit.record(
        "import.download", subject=batch, actor=actor, source="page", after={"rows": batch.rows_wrong}
    )
    return _csv(batch)


def _csv(batch: ImportBatch) -> Iterator[bytes]:
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    yield "\ufeff".encode() + _line([*batch.columns, REASONS])
    rows = batch.rows.filter(state__in=[ImportRow.State.WRONG, ImportRow.State.UNREADABLE])
    for row in rows.order_by("number").iterator(chunk_size=500):
        cells = row.cells.reveal() if row.cells is not None else [""] * len(batch.columns)
        reasons = " ".join(
            f"{problem['column']}: {problem['sentence']}" for problem in problems_of(batch, row)
        )
        yield _line([*cells, f"Row {row.number}. {reasons}"])


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(["" if cell is None else defused(str(cell)) for cell in cells])
    return text.getvalue().encode()
