"""Refusals of funding, each with all its reasons."""

from collections.abc import Sequence

from onboarding.availability import Stop
from portal.errors import Conflict, Forbidden


class TransferRefused(Conflict):
    """It cannot be asked for now. `stops` are all the reasons, each with its fix."""

    code = "transfer-refused"
    title = "This transfer cannot be made now"

    def __init__(self, stops: Sequence[Stop]) -> None:
        super().__init__(" ".join(str(stop) for stop in stops))
        self.stops = list(stops)
        self.reasons = [{"code": stop.code, "text": stop.text, "fix": stop.fix} for stop in stops]


class BankRefused(Conflict):
    """No bank can be linked, or unlinked, now. `stops` are all the reasons, each with its fix."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        super().__init__(" ".join(str(stop) for stop in stops))
        self.stops = list(stops)
        self.reasons = [{"code": stop.code, "text": stop.text, "fix": stop.fix} for stop in stops]


class SecondFactorNeeded(Forbidden):
    """So large an amount is confirmed with a second factor first."""

    code = "second-factor-needed"
    title = "Confirm it is you"

    def __init__(self) -> None:
        super().__init__("An amount this large needs a second factor. Confirm it is you and send it again.")
