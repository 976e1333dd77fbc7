"""What people outside said in words, shown with the fact of a case that tells of it.

Facts stay for good and hold no personal data. So the words are kept, sealed, by the app that asked, which erases them
when their time is over; it registers where they are found:

    said.register(answers)   # (the dedupe keys of a case's facts) -> {key: Said}
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from portal.logs import redact_text
from portal.sealed import CannotUnseal, Sealed


@dataclass(frozen=True)
class Said:
    """Who said it, and what."""

    who: str
    words: Sealed

    @property
    def shown(self) -> str:
        """The words without numbers, addresses and whatever else looks like personal data."""
        try:
            return redact_text(str(self.words.reveal()))
        except CannotUnseal:
            # The page is of use without it.
            return str(self.words)

    @property
    def is_whole(self) -> bool:
        """Whether nothing was cut out of what is shown."""
        try:
            return self.shown == str(self.words.reveal())
        except CannotUnseal:
            return True


Source = Callable[[Collection[str]], Mapping[str, Said]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Have `source` asked for what was said."""
    if source not in _sources:
        _sources.append(source)


def of(keys: Collection[str]) -> dict[str, Said]:
    """What was said, by the dedupe keys of the facts that tell of it."""
    return {key: found for source in _sources for key, found in source(keys).items()}
