"""A drawing of who shares what: one in the middle of it all, what is shared, and with whom. The table says the same."""

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 560
STEP = 44
#: Columns of the drawing: left edges and widths of the boxes.
CENTRE, THINGS, OTHERS = (0, 120), (190, 150), (410, 150)
#: About so many letters fit into a box.
LETTERS = 19


@dataclass(frozen=True)
class Node:
    """A box with its words."""

    x: int
    y: float
    width: int
    words: str
    tone: str

    @property
    def middle(self) -> float:
        """Where the words stand, from the box's left edge."""
        return self.width / 2


@dataclass(frozen=True)
class Line:
    """From the right edge of one box to the left edge of another."""

    x1: int
    y1: float
    x2: int
    y2: float


@dataclass(frozen=True)
class Graph:
    """Everything drawn, in a box WIDTH wide."""

    height: int
    nodes: list[Node]
    lines: list[Line]

    @property
    def width(self) -> int:
        """Of the drawing's box."""
        return WIDTH


def sharing(centre: str, others: Iterable[tuple[str, Iterable[str]]]) -> Graph:
    """The centre at the left, what it shares in the middle, each of `others` (name, what they share) at the right."""
    rows = [(name, list(shares)) for name, shares in others]
    things = list(dict.fromkeys(thing for _, shares in rows for thing in shares))
    height = STEP * max(len(rows), len(things), 1)
    middle = Node(CENTRE[0], height / 2, CENTRE[1], _short(centre), "accent")
    between = {
        thing: _node(THINGS, at, len(things), height, thing, "info") for at, thing in enumerate(things)
    }
    right = [_node(OTHERS, at, len(rows), height, name, "neutral") for at, (name, _) in enumerate(rows)]
    lines = [_line(middle, node) for node in between.values()]
    lines += [
        _line(between[thing], node) for node, (_, shares) in zip(right, rows, strict=True) for thing in shares
    ]
    return Graph(height, [middle, *between.values(), *right], lines)


def _node(column: tuple[int, int], at: int, of: int, height: int, words: str, tone: str) -> Node:
    return Node(column[0], round(height * (at + 0.5) / of, 1), column[1], _short(words), tone)


def _line(left: Node, right: Node) -> Line:
    return Line(left.x + left.width, left.y, right.x, right.y)


def _short(words: str) -> str:
    return words if len(words) <= LETTERS else words[: LETTERS - 1].rstrip() + "…"
