"""Panels of the dashboard. An app registers each of its own when it starts, so that the page knows none of them:

    panels.register(panels.Panel("funnel", "Account opening", words=(...), build=funnel, needs="application.view"))

`build` is called for each view of the page, with whom and what it is for, and gives what to draw, or None where
there is nothing to say. It reads kept figures (compliance/figures.py), never every row. What is drawn stands in `table`
too, which is also the panel's CSV; a number is a link to the list behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from compliance.measures import Word
from compliance.models import Queue
from compliance.sums import Memo, Period, Scope, Sums, sums
from portal.models import User
from portal.permissions import can_do
from portal.ui.chart import Gauge


@dataclass(frozen=True)
class Asked:
    """For whom, for which days, of which queue."""

    actor: User
    period: Period
    queue: Queue | None = None
    _memo: Memo = field(default_factory=dict, compare=False, repr=False)

    def sums(
        self, source: str, measures: Sequence[str], *, by: Sequence[str] = (), scope: Scope | None = None
    ) -> Sums:
        """Figures of the days added up (compliance/sums.py); what must be counted now is counted once."""
        return sums(source, self.period, measures, by=by, scope=scope, memo=self._memo)

    @property
    def own(self) -> bool:
        """Whether the person sees their own line alone."""
        return not can_do(self.actor, "dashboard.view")


@dataclass(frozen=True)
class Cell:
    """A value of the table: as it is shown, the list behind it, and what it was in the period before.

    `plain` is what the CSV says where it is not the text.
    """

    text: str
    url: str = ""
    before: str = ""
    plain: str | None = None


@dataclass(frozen=True)
class Table:
    """The same as the drawings, in rows. The first column names the row; `has_before` marks columns that compare."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    has_before: frozenset[int] = frozenset()
    #: So many columns from the left are text; the rest are numbers.
    texts: int = 1

    @property
    def lines(self) -> list[list[tuple[str, Cell]]]:
        """Each row as (column, cell), as a table on a phone needs it."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]

    def csv_rows(self) -> list[list[str]]:
        """Head and rows, with the period before in columns of its own."""
        head, rows = [], []
        for place, column in enumerate(self.columns):
            head += [column, f"{column}, period before"] if place in self.has_before else [column]
        for row in self.rows:
            line: list[str] = []
            for place, cell in enumerate(row):
                line.append(cell.text if cell.plain is None else cell.plain)
                line += [cell.before] if place in self.has_before else []
            rows.append(line)
        return [head, *rows]


@dataclass(frozen=True)
class Stat:
    """One figure with what it was before."""

    label: str
    value: str
    hint: str = ""
    tone: str = "neutral"
    url: str = ""


@dataclass(frozen=True)
class Chart:
    """Bars: (label, value) or (label, value, tone). `has_words`: the labels are words, not days in their order."""

    label: str
    points: tuple[tuple[str, float] | tuple[str, float, str], ...]
    has_words: bool = False


@dataclass(frozen=True)
class Content:
    """What a panel shows."""

    table: Table
    stats: tuple[Stat, ...] = ()
    charts: tuple[Chart, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """A part of the dashboard. `needs` is the permission to see it; `order` says where it stands."""

    name: str
    title: str
    build: Callable[[Asked], Content | None]
    words: tuple[Word, ...] = ()
    needs: str = "dashboard.view"
    order: int = 50


_panels: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Put a panel on the dashboard. Raises ValueError when the name is another's."""
    if _panels.get(panel.name, panel) is not panel:
        raise ValueError(f"There is a panel {panel.name} already.")
    _panels[panel.name] = panel


def seen_by(actor: User) -> list[Panel]:
    """The panels the actor may see, in their order."""
    rows = [panel for panel in _panels.values() if can_do(actor, panel.needs)]
    return sorted(rows, key=lambda panel: (panel.order, panel.name))
