"""Holding calls back from a host that fails, so that workers do not queue up behind its time-outs.

After `THRESHOLD` unknown outcomes in a row within `WINDOW` a host's circuit opens for `COOL_DOWN`, doubled
at each failed probe up to `LONGEST`. Then one caller at a time may probe; its success closes the circuit.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

THRESHOLD = 5
WINDOW = timedelta(seconds=60)
COOL_DOWN = timedelta(seconds=15)
LONGEST = timedelta(minutes=5)
# A probe whose process died is given up after this; longer than a call may take.
PROBE_LEASE = timedelta(seconds=90)


@dataclass(frozen=True)
class Admission:
    """Leave to call a host. `probe` marks the one call that tests an open circuit; `failures` what was
    known before."""

    host: str
    probe: bool = False
    failures: int = 0


class CircuitStore(Protocol):
    """Where circuits are kept, one for all processes."""

    def admit(self, host: str) -> Admission:
        """Leave to call `host`. Raises CircuitOpen."""

    def succeeded(self, admission: Admission) -> None:
        """The host gave an answer, of whatever kind."""

    def failed(self, admission: Admission) -> None:
        """The outcome of the call is unknown, or it could not be sent."""
