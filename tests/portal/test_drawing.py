"""What is drawn once: the same for the same facts, never another's, and with each request's own token."""

from typing import Any

import pytest
from django.template import Context, Template
from django.utils.functional import lazystr
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.models import User
from portal.sealed_value import Sealed
from portal.ui.drawing import TOKEN, drawn, joined, markup, remembered


def test_a_piece_is_drawn_once_for_its_facts_and_types_count() -> None:
    times = []

    @remembered(3)
    def piece(*, value: Any) -> SafeString:
        times.append(value)
        return joined([mark_safe(f"{type(value).__name__} "), mark_safe(str(len(times)))])

    assert piece(value="a") == piece(value="a") == "str 1"
    # Equal for Python, drawn differently: text that is safe and text that is not, one and true.
    assert piece(value=mark_safe("a")) == "SafeString 2"
    assert (piece(value=1), piece(value=True)) == ("int 3", "bool 4")
    assert piece(value=("a", (mark_safe("a"),))) != piece(value=("a", ("a",)))
    # Three are kept: the first had to go.
    assert piece(value="a").startswith("str 7")


@pytest.mark.parametrize("fact", [User(name="Ana"), {"a": 1}, ["a"], 1.5, (("a", User(name="Ana")),)])
def test_what_could_change_under_the_key_is_refused(fact: Any) -> None:
    with pytest.raises(TypeError, match="no plain fact"):
        drawn(template="components/brand.html", partner_name=fact)


def test_a_sealed_value_is_refused() -> None:
    with pytest.raises((TypeError, AttributeError)):
        drawn(template="components/brand.html", partner_name=Sealed.__new__(Sealed))


def test_what_is_drawn_sees_its_facts_alone_and_gets_each_requests_token() -> None:
    source = '{% drawn "components/find_box.html" find_text=word %}'

    def page(token: str, word: str, **more: Any) -> str:
        return Template(source).render(Context({"csrf_token": token, "word": word, **more}))

    assert 'value="first-token"' in page("first-token", "<b>")
    assert "&lt;b&gt;" in page("first-token", "<b>")
    other = page("second-token", "<b>", placeholder="nobody may see this")
    assert 'value="second-token"' in other and "first-token" not in other and TOKEN not in other
    assert "nobody may see" not in other


@pytest.mark.parametrize(
    "value",
    ["<a href='x'>\"&", mark_safe("<b>"), lazystr("<i>"), 7, None, format_html("<u>{}</u>", "<"), Sealed],
)
def test_markup_escapes_what_format_html_escapes(value: Any) -> None:
    drawn_here = markup('<td title="{0}">{0}{1}</td>', value, "&")
    assert drawn_here == format_html('<td title="{0}">{0}{1}</td>', value, "&")
    assert isinstance(drawn_here, SafeString)
