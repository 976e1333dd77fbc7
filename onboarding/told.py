"""What the customer is told about where things stand: one value, filled in by standing and by the identity check."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """The customer's view: a heading, what it means, what to do, and how the page is coloured."""

    title: str
    body: tuple[str, ...]
    tone: str
    #: What comes next, for people and for apps.
    next_kind: str
    next_title: str
    #: Whether nothing else can be done before this.
    blocking: bool
    #: Whether the page should look again by itself, and after how many seconds.
    poll_after: int | None = None
