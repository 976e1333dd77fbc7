"""Who has the ball: the one line that pages and the API say about whatever waits."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Ball:
    """Whom it waits on (customer, us, provider, nobody), in one line, since when, what moves it on, and by when."""

    holder: str
    line: str
    since: datetime
    unblocks: str = ""
    due: datetime | None = None

    @property
    def to_customer(self) -> str:
        """The same line as the customer reads it."""
        return (
            self.line.replace("the customer's", "your")
            .replace("the customer", "you")
            .replace("The customer", "You")
        )
