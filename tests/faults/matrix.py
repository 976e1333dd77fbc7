"""What the tables of faults share: the faults of a call, and a table of what each came to, printed when all is done."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from portal import outbox
from portal.models import OutboundCall
from tests.faults.way import later

#: Column -> the sandbox's fault.
FAULTS: dict[str, dict[str, Any]] = {
    "time-out": {"kind": "hang", "seconds": 5},
    "reset": {"kind": "drop_before"},
    "500": {"kind": "500_before"},
    "502 HTML": {"kind": "502_html"},
    "401": {"kind": "401"},
    "403": {"kind": "403"},
    "409": {"kind": "409"},
    "429": {"kind": "429", "seconds": 90},
    "200 nonsense": {"kind": "nonsense"},
}
#: A row of a table; its columns stand where the table is made.
Row = tuple[str | int, ...]


def table_of(*columns: str) -> Any:
    """The fixture of a module's table: tests append their rows, and it is printed after the last."""

    @pytest.fixture(scope="module")
    def table(request: pytest.FixtureRequest) -> Iterator[list[Row]]:
        rows: list[Row] = []
        yield rows
        widths = [max(len(str(cell)) for cell in column) for column in zip(columns, *rows, strict=True)]
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print()
            for row in (columns, *rows):
                print("  ".join(_aligned(cell, width) for cell, width in zip(row, widths, strict=True)))

    return table


def _aligned(cell: str | int, width: int) -> str:
    return f"{cell:>{width}}" if isinstance(cell, int) else f"{cell:<{width}}"


def until_finished(call: Callable[[], OutboundCall], *, most: int = 6) -> None:
    """Move the clock on and let workers work until the call is finished."""
    for moves in range(most):
        with later(minutes=6 * moves):
            outbox.perform(call().pk)
        if call().status in OutboundCall.FINAL:
            return
    raise AssertionError(f"the call is still {call().status}")
