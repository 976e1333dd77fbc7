"""Moving sealed values to the current key while the site runs.

What is left to do is read from the rows themselves, so a stopped run is simply started again. Rows are taken
in batches under row locks with SKIP LOCKED: a row that someone is writing is left to the next round, and
whoever writes it seals it under the current key anyway.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Func, Q, Value

from portal.keyring import CannotUnseal, current_key_id, header
from portal.sealed import BlindIndexField, SealedField

PAUSE_SECONDS = 0.5
#: Rounds over rows that others hold locked; after these the command says what is left and is run again.
ROUNDS = 20


@dataclass
class Outcome:
    """What a run came to for one model. `unopenable` maps a row's key to why it cannot be read."""

    model: type[models.Model]
    done: int = 0
    left: int = 0
    unopenable: dict[Any, str] = field(default_factory=dict)


def sealed_models() -> Iterator[tuple[type[models.Model], list[SealedField]]]:
    """Every table with sealed columns, and those columns."""
    for model in apps.get_models(include_auto_created=True):
        columns = [column for column in model._meta.local_concrete_fields if isinstance(column, SealedField)]
        if columns and model._meta.managed and not model._meta.proxy:
            yield model, columns


def stale(model: type[models.Model], columns: list[SealedField]) -> models.QuerySet[Any]:
    """The rows with a value under another key than the current one."""
    wanted = header(current_key_id())
    rows = model._base_manager.all()
    outdated = Q()
    for column in columns:
        head = Func(F(column.name), Value(1), Value(len(wanted)), function="substr", output_field=_Head())
        rows = rows.alias(**{f"head_{column.name}": head})
        outdated |= Q(**{f"{column.name}__isnull": False}) & ~Q(**{f"head_{column.name}": wanted})
    return rows.filter(outdated)


class _Head(models.BinaryField):  # type: ignore[type-arg]
    """The first bytes of a sealed column, which may be compared while the column itself may not."""


def rotate(
    model: type[models.Model],
    columns: list[SealedField],
    *,
    every_row: bool = False,
    batch: int = 200,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Seal the model's stale rows (or every row, when the index key changed) under the current key.

    Rows that cannot be opened are left as they are and named in the outcome; nothing stops for them.
    """
    outcome = Outcome(model)
    for round_number in range(ROUNDS):
        if round_number:
            time.sleep(PAUSE_SECONDS)
        _one_round(model, columns, every_row and round_number == 0, batch, outcome, progress)
        outcome.left = stale(model, columns).exclude(pk__in=list(outcome.unopenable)).count()
        if not outcome.left:
            break
    return outcome


def _one_round(
    model: type[models.Model],
    columns: list[SealedField],
    every_row: bool,
    batch: int,
    outcome: Outcome,
    progress: Callable[[int], None],
) -> None:
    after: UUID | int | str | None = None
    names = {column.name for column in columns}
    indexes = [
        index.name
        for index in model._meta.local_concrete_fields
        if isinstance(index, BlindIndexField) and index.source in names
    ]
    rows = model._base_manager.all() if every_row else stale(model, columns)
    while True:
        with transaction.atomic():
            page = rows.order_by("pk") if after is None else rows.filter(pk__gt=after).order_by("pk")
            # A page of every row waits for the locks: a skipped row would not be seen to be outdated later.
            found = list(
                page.select_for_update(of=("self",), skip_locked=not every_row).only("pk", *names)[:batch]
            )
            readable = [row for row in found if _opens(row, columns, outcome)]
            if readable:
                model._base_manager.bulk_update(readable, [*names, *indexes])
        if not found:
            return
        outcome.done += len(readable)
        after = found[-1].pk
        progress(len(readable))


def _opens(row: models.Model, columns: list[SealedField], outcome: Outcome) -> bool:
    try:
        for column in columns:
            value = getattr(row, column.attname)
            if value is not None:
                value.reveal()
    except CannotUnseal as error:
        outcome.unopenable[row.pk] = str(error)
        return False
    return True
