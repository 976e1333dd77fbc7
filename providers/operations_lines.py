"""Figures that apps beyond this one put on the operations page: what of theirs is stuck between us and a provider."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from portal.models import User


@dataclass(frozen=True)
class Line:
    """One figure, and where whoever looks goes on."""

    label: str
    value: int
    hint: str = ""
    tone: str = "neutral"
    url: str = ""


Source = Callable[[User], Iterable[Line]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Have an app's figures shown: (who looks) -> lines, read by index on each look."""
    if source not in _sources:
        _sources.append(source)


def of(actor: User) -> list[Line]:
    """The figures of every app."""
    return [line for source in _sources for line in source(actor)]
