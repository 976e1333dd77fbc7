"""What the case page says of whom a case is about, beside the case itself: who, risk, papers, links, happenings.

A kind names the row that all of it belongs to (`CaseKind.anchor`). Every app that knows something of such rows
registers once what it knows:

    dossier.register("onboarding.application", transfers_of)   # (UUID, Look) -> Part

The page puts the parts together: the worst signal first, links and charts in the order of registration. A part that
has nothing to say is left out, and no empty card is shown for it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from compliance import kinds
from compliance.models import Case
from portal.ball import Ball
from portal.composed import Question
from portal.models import User

#: So many links are drawn and listed; the rest is a number.
MOST_LINKS = 12


class Weight(IntEnum):
    """How much a signal counts towards the risk."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The weight in a word."""
        return self.name.capitalize()

    @property
    def tone(self) -> str:
        """Its colour, never alone."""
        return {Weight.HIGH: "danger", Weight.MEDIUM: "warning"}.get(self, "neutral")


@dataclass(frozen=True)
class Signal:
    """One thing that speaks for a risk: in plain words, where it comes from, and the page where it stands."""

    text: str
    source: str
    weight: Weight
    url: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Summary:
    """Who it is, in a few lines, and who has the ball."""

    title: str
    url: str
    rows: tuple[kinds.Row, ...]
    ball: Ball


@dataclass(frozen=True)
class Picture:
    """A page of a paper: where its picture is, and its words for who cannot see it."""

    url: str
    alt: str


@dataclass(frozen=True)
class Paper:
    """A paper, with what to hold against it. Pictures are there for the paper that was chosen alone."""

    id: UUID
    title: str
    whose: str
    state: tuple[tuple[str, str], ...] = ()
    url: str = ""
    facts: tuple[kinds.Row, ...] = ()
    pictures: tuple[Picture, ...] = ()
    is_chosen: bool = False
    #: Why there is no picture of the one chosen.
    why_no_picture: str = ""


@dataclass(frozen=True)
class Link:
    """Somebody else who shares something: what (each in a few words), who, and how it stands with them."""

    who: str
    url: str
    shares: tuple[str, ...]
    standing: str = ""
    #: How many cases there are about them.
    cases: int = 0


@dataclass(frozen=True)
class Chart:
    """Values over time for a bar chart: (label, value) each."""

    title: str
    points: tuple[tuple[str, float], ...]
    measure: str
    each: str = "Day"


@dataclass(frozen=True)
class Look:
    """Who looks at which case, and which paper they chose."""

    viewer: User
    case: Case
    paper: UUID | None = None


@dataclass(frozen=True)
class Part:
    """What one app knows."""

    summary: Summary | None = None
    signals: tuple[Signal, ...] = ()
    papers: tuple[Paper, ...] = ()
    links: tuple[Link, ...] = ()
    #: How many links there are beside these.
    more_links: int = 0
    #: What so many share that it says nothing of two of them, in words.
    common: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    #: Further pages: the customer's own as they see it, the whole timeline.
    pages: tuple[kinds.Row, ...] = ()
    #: Other rows that cases about the same customer may be about: a model's label and a key.
    about: tuple[tuple[str, UUID], ...] = ()


Source = Callable[[UUID, Look], Part]
_sources: dict[str, list[Source]] = {}


def register(anchor_type: str, source: Source) -> None:
    """Have `source` asked for what it knows of every such row that a case is about."""
    known = _sources.setdefault(anchor_type, [])
    if source not in known:
        known.append(source)


Questions = Callable[[UUID, Look], Iterable[Question]]
_questions: dict[str, list[Questions]] = {}


def register_questions(anchor_type: str, questions: Questions) -> None:
    """Have what a source asks of such a row be asked together with the questions of the page and of other sources."""
    known = _questions.setdefault(anchor_type, [])
    if questions not in known:
        known.append(questions)


_further: dict[str, list[Questions]] = {}


def register_further(anchor_type: str, questions: Questions) -> None:
    """The same of what a source asks once the questions before are answered: it may read their answers."""
    known = _further.setdefault(anchor_type, [])
    if questions not in known:
        known.append(questions)


def questions(look: Look) -> list[Question]:
    """What will be asked of whom the case is about, as far as it is known by now."""
    return _of(_questions, look)


def further(look: Look) -> list[Question]:
    """What will be asked after that."""
    return _of(_further, look)


def _of(registered: Mapping[str, list[Questions]], look: Look) -> list[Question]:
    anchor = kinds.get(look.case.kind).anchor(look.case)
    sources = registered.get(anchor.type, []) if anchor else []
    return [question for source in sources for question in source(anchor.id, look)] if anchor else []


@dataclass(frozen=True)
class Dossier:
    """All parts together."""

    summary: Summary | None
    signals: Sequence[Signal]
    papers: Sequence[Paper]
    links: Sequence[Link]
    more_links: int
    common: Sequence[str]
    charts: Sequence[Chart]
    pages: Sequence[kinds.Row]
    about: Sequence[tuple[str, UUID]]

    @property
    def risk(self) -> tuple[str, str]:
        """The worst weight with how many signals there are, and its colour."""
        if not self.signals:
            return "No signals", "success"
        worst, number = self.signals[0].weight, len(self.signals)
        return f"{worst.label}: {number} signal{'' if number == 1 else 's'}", worst.tone

    @property
    def chosen(self) -> Paper | None:
        """The paper whose pictures are shown."""
        return next((paper for paper in self.papers if paper.is_chosen), None)


def of(look: Look) -> Dossier | None:
    """All that is known of whom the case is about; None for kinds that name nobody."""
    anchor = kinds.get(look.case.kind).anchor(look.case)
    if anchor is None:
        return None
    parts = [source(anchor.id, look) for source in _sources.get(anchor.type, [])]
    links = [link for part in parts for link in part.links]
    return Dossier(
        summary=next((part.summary for part in parts if part.summary), None),
        signals=sorted((row for part in parts for row in part.signals), key=lambda row: -row.weight),
        papers=[paper for part in parts for paper in part.papers],
        links=links[:MOST_LINKS],
        more_links=max(0, len(links) - MOST_LINKS) + sum(part.more_links for part in parts),
        common=[words for part in parts for words in part.common],
        charts=[chart for part in parts for chart in part.charts],
        pages=[page for part in parts for page in part.pages],
        about=[row for part in parts for row in part.about],
    )


#: Lists of the timeline by the name of their filter, each read when it is asked for.
Happenings = Mapping[str, Callable[[], Iterable[Any]]]
_happenings: dict[str, list[Callable[[UUID, Look], Happenings]]] = {}


def register_happenings(anchor_type: str, source: Callable[[UUID, Look], Happenings]) -> None:
    """Have `source` asked for what happened around such a row that a case is about: apart, as it is read later."""
    known = _happenings.setdefault(anchor_type, [])
    if source not in known:
        known.append(source)


def happenings(look: Look) -> Happenings:
    """What happened around whom the case is about; nothing for kinds that name nobody."""
    anchor = kinds.get(look.case.kind).anchor(look.case)
    if anchor is None:
        return {}
    sources = _happenings.get(anchor.type, [])
    return {name: read for source in sources for name, read in source(anchor.id, look).items()}
