"""The sandbox's own time."""

import time
from datetime import UTC, datetime


class Clock:
    """Real time plus what testers advanced, in epoch seconds. Callers hold the world's lock."""

    def __init__(self, advanced: float = 0.0) -> None:
        self.advanced = advanced

    def advance(self, seconds: float) -> None:
        self.advanced += seconds

    def now(self) -> float:
        return time.time() + self.advanced

    def real_moment(self, moment: float) -> float:
        """The real time at which the sandbox's clock will read `moment` if nobody touches it: what a partner,
        who lives in real time, is told."""
        return moment - self.advanced


def iso(moment: float) -> str:
    """Epoch seconds as Bakkt writes times: `2024-05-04T12:00:00.000Z`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
