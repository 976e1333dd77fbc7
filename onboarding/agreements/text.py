"""The text of an agreement as customers read it: Markdown, with HTML in it shown as the characters it is."""

from markdown_it import MarkdownIt
from markdown_it.token import Token

#: The page has a heading of its own above the text, and the agreement's title.
HEADINGS_BELOW = 2


def _is_harmless(url: str) -> bool:
    return url.lower().startswith(("https://", "http://", "mailto:"))


def _reader() -> MarkdownIt:
    # Without html, tags in the text are escaped. Pictures would be fetched from elsewhere, so none are drawn.
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table").disable("image")
    reader.validateLink = _is_harmless  # type: ignore[method-assign]
    return reader


_READER = _reader()


def text_html(text: str) -> str:
    """The text as HTML that is safe to print: no tag, address or picture of the writer's own making."""
    tokens = _READER.parse(text)
    for token in tokens:
        _fit(token)
    return str(_READER.renderer.render(tokens, _READER.options, {}))


def _fit(token: Token) -> None:
    """Headings below those of the page, tables as the page draws them."""
    if token.type in {"heading_open", "heading_close"}:
        token.tag = f"h{min(6, int(token.tag[1]) + HEADINGS_BELOW)}"
    elif token.type == "table_open":
        token.attrSet("class", "table")
