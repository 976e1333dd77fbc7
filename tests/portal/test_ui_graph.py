"""The drawing of who shares what: every box and line in its place, and words that fit."""

from portal.ui.graph import LETTERS, sharing


def test_each_is_joined_to_what_it_shares_and_that_to_the_middle() -> None:
    graph = sharing("This one", [("Bo Li", ["Phone", "Address"]), ("A name that is far too long", ["Phone"])])
    words = [node.words for node in graph.nodes]
    assert words == ["This one", "Phone", "Address", "Bo Li", "A name that is far…"]
    assert all(len(word) <= LETTERS for word in words)
    at = {node.words: node for node in graph.nodes}
    lines = {(line.x1, line.y1, line.x2, line.y2) for line in graph.lines}

    def joined(left: str, right: str) -> bool:
        one, two = at[left], at[right]
        return (one.x + one.width, one.y, two.x, two.y) in lines

    assert joined("This one", "Phone")
    assert joined("Phone", "Bo Li")
    assert joined("Phone", "A name that is far…")
    assert joined("Address", "Bo Li")
    assert not joined("Address", "A name that is far…")
    assert len(lines) == 5
    for node in graph.nodes:
        assert 16 <= node.y <= graph.height - 16
        assert node.x + node.width <= graph.width
    assert len({(node.x, node.y) for node in graph.nodes}) == len(graph.nodes)
