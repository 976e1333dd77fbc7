"""The columns of the list of cases. The case itself is always the first."""

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.models import ListColumns
from portal.models import User


@dataclass(frozen=True)
class Column:
    """One column."""

    key: str
    label: str


COLUMNS = (
    Column("about", "About"),
    Column("queue", "Queue"),
    Column("status", "Status"),
    Column("ball", "Who has the ball"),
    Column("age", "Age"),
    Column("due", "Due"),
    Column("assignee", "Assigned to"),
    Column("news", "Last news"),
    Column("country", "Country"),
    Column("amount", "Amount"),
)
USUAL = ("about", "queue", "status", "ball", "age", "due", "assignee")


def chosen_by(actor: User) -> Sequence[Column]:
    """The columns the actor chose; a key of an earlier release is left out."""
    row = ListColumns.objects.filter(user=actor).first()
    wanted = set(row.columns if row else USUAL)
    return [column for column in COLUMNS if column.key in wanted]
