"""What the template tags share: components as templates, the content of block tags, and what is drawn only once.

A piece of a page that is drawn from plain facts alone is the same whenever the facts are the same, whoever reads it.
So it may be kept (`remembered`, `drawn`; docs/decisions/0032). What it is drawn from is its key, whole: it sees no
request, no reader and no clock. A reader's name or a moment in words is a fact like any other.
"""

import pickle
import secrets
from collections.abc import Callable, Iterable
from functools import cache, wraps
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import get_template
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from portal.ui.addresses import KEY

#: Stands in what is kept where a form's CSRF token belongs. Nobody outside this process knows it.
TOKEN = f"token-{secrets.token_hex(16)}"
_PLAIN = (str, int, UUID, type(None))


def component(name: str, /, **context: Any) -> SafeString:
    """A template of templates/components/ drawn with exactly this context."""
    return _draw(f"components/{name}.html", context)


def _draw(name: str, context: dict[str, Any]) -> SafeString:
    # Found once: a page draws a hundred of them. While one is developed, a change shows at once.
    template = get_template(name) if settings.DEBUG else _found(name)
    return SafeString(template.render(context))


@cache
def _found(name: str) -> Any:
    return get_template(name)


def inner(content: str) -> SafeString:
    """A block tag's content without the white space round it. It is rendered, escaped output already."""
    # strip() alone would lose the mark that says so.
    return SafeString(content.strip())


def markup(pattern: str, /, *values: Any) -> SafeString:
    """HTML with values in it, escaped unless they are drawn: Django's `format_html`, in a quarter of its time."""
    return SafeString(pattern.format(*[_escaped(value) for value in values]))


def _escaped(value: Any) -> str:
    if isinstance(value, SafeString):
        return value
    if isinstance(value, Promise):
        value = str(value)
    drawn_by_itself = getattr(value, "__html__", None)
    return drawn_by_itself() if drawn_by_itself else escape(str(value))


def joined(pieces: Iterable[SafeString]) -> SafeString:
    """Pieces of drawn, escaped output as one."""
    return SafeString("".join(pieces))


def remembered(most: int) -> Callable[[Callable[..., SafeString]], Callable[..., SafeString]]:
    """Make a function that draws HTML from plain facts draw each piece once; the last `most` pieces are kept.

    The facts are named arguments: text, numbers, ids and tuples of them. Anything else raises TypeError, a sealed
    value or a row of the database among them: nobody could say upon what such a piece depends.
    """

    def kept_by(draw: Callable[..., SafeString]) -> Callable[..., SafeString]:
        kept: dict[bytes, SafeString] = {}

        @wraps(draw)
        def once(**facts: Any) -> SafeString:
            # Written out with its types: text and text that is safe HTML are equal, and drawn differently.
            key = pickle.dumps(facts)
            found = kept.get(key)
            if found is None or settings.DEBUG:
                _check(facts.values())
                found = kept[key] = draw(**facts)
                while len(kept) > most:
                    # The oldest; another thread may have been faster.
                    kept.pop(next(iter(kept)), None)
            return found

        _all.append(kept)
        return once

    return kept_by


_all: list[dict[bytes, SafeString]] = []


def forget_all() -> None:
    """Keep nothing of what was drawn: for measuring what drawing costs."""
    for kept in _all:
        kept.clear()


def _check(facts: Iterable[Any]) -> None:
    for value in facts:
        if isinstance(value, tuple):
            _check(value)
        elif not isinstance(value, _PLAIN):
            raise TypeError(f"{type(value).__name__} is no plain fact; what is drawn from it cannot be kept")


@remembered(2048)
def drawn(*, template: str, **facts: Any) -> SafeString:
    """The template drawn with these facts and nothing else; a form's `{% csrf_token %}` is TOKEN (`with_token`)."""
    return _draw(template, {"csrf_token": TOKEN, **facts})


@remembered(1024)
def drawn_of_row(*, template: str, **facts: Any) -> SafeString:
    """The same of what is said of one row, kept apart: what many pages show alike shall not go for it."""
    return _draw(template, {"csrf_token": TOKEN, **facts})


def with_key(html: SafeString, key: UUID) -> SafeString:
    """What was kept for all rows, with this row's key where KEY stands."""
    return SafeString(html.replace(str(KEY), str(key)))


def with_token(html: SafeString, token: Any) -> SafeString:
    """What was kept, with this request's CSRF token in its forms."""
    return SafeString(html.replace(TOKEN, str(token))) if TOKEN in html else html
