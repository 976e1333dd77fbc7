"""Series as drawings: the numbers a template needs to draw bars and lines as SVG, without styles or scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

#: Bars stand in a box of this height; the page stretches it to the room there is.
HEIGHT = 100
STEP = 10
#: More words than this under a chart run into each other on a phone.
MOST_LABELS = 6


@dataclass(frozen=True)
class Bar:
    """One bar, and its row in the table that says the same. `mark` is the label where there is room for one."""

    label: str
    value: float
    tone: str
    x: int
    y: float
    height: float
    mark: str


@dataclass(frozen=True)
class Bars:
    """A bar chart: `width` of its box, its highest value, its bars."""

    width: int
    top: float
    bars: list[Bar]


def bars(points: Iterable[Any], *, every_label: bool = False) -> Bars:
    """Bars from 0 up, of (label, value) or (label, value, tone). Values below 0 are refused by ValueError.

    `every_label` marks each bar, however many there are.
    """
    rows = [(str(label), value, tone[0] if tone else "accent") for label, value, *tone in points]
    if any(value < 0 for _, value, _ in rows):
        raise ValueError("A bar chart shows values from 0 up.")
    top = max((value for _, value, _ in rows), default=0)
    every = 1 if every_label else -(-len(rows) // MOST_LABELS) or 1
    drawn = []
    for number, (label, value, tone) in enumerate(rows):
        # A value above 0 must be seen, however small beside the highest.
        height = round(max(value / top * HEIGHT, 1.5), 2) if value else 0
        mark = label if number % every == 0 else ""
        drawn.append(Bar(label, value, tone, number * STEP + 1, round(HEIGHT - height, 2), height, mark))
    return Bars(len(rows) * STEP, top, drawn)


def polyline(values: Sequence[float], *, width: int = 96, height: int = 28) -> str:
    """The `points` of a line through the values, first at the left, between the lowest and the highest value."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1
    flat = high == low
    room = height - 4
    return " ".join(
        f"{round(number * width / (len(values) - 1), 1):g},"
        f"{height / 2 if flat else round(2 + room - (value - low) / span * room, 1):g}"
        for number, value in enumerate(values)
    )


@dataclass(frozen=True)
class Limit:
    """A line not to be crossed: `warn_at` is where one should look, before it is reached. `line` in the box of 100."""

    label: str
    value: float
    warn_at: float
    line: float = 0


@dataclass(frozen=True)
class Gauge:
    """A value against its thresholds, in a box of 100: how far it fills, where the lines stand, and in words."""

    label: str
    value: float
    unit: str
    limits: tuple[Limit, ...]
    fill: float
    tone: str
    words: str


def gauge(label: str, value: float, limits: Iterable[tuple[str, float, float]], *, unit: str = "%") -> Gauge:
    """A value from 0 up against limits of (label, value, where to warn); the lowest that is reached gives the tone.

    The box ends a quarter beyond the highest of all. Raises ValueError for a value below 0 or no limit.
    """
    rows = sorted(limits, key=lambda limit: limit[1])
    if value < 0 or not rows or rows[0][1] <= 0:
        raise ValueError("A gauge shows a value from 0 up against limits above 0.")
    end = max(value, rows[-1][1]) * 1.25
    drawn = tuple(Limit(name, at, warn, round(at / end * 100, 2)) for name, at, warn in rows)
    over = [limit for limit in drawn if value >= limit.value]
    near = [limit for limit in drawn if limit.warn_at <= value < limit.value]
    tone, words = "success", "Below every limit"
    if over:
        tone, words = "danger", f"At or over: {over[-1].label}"
    elif near:
        tone, words = "warning", f"Close to: {near[0].label}"
    return Gauge(label, value, unit, drawn, round(value / end * 100, 2), tone, words)
