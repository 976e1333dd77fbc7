"""Printing sealed values on pages: the mask, with the way to reveal it, or the value while the reader's grant lasts."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from portal import clock, revealing
from portal.models import User
from portal.permissions import can_do
from portal.sealed import CannotUnseal, Sealed
from portal.templatetags.ui import badge, data_table
from portal.ui.drawing import component, joined, markup

register = template.Library()


@register.simple_tag(takes_context=True)
def sealed(context: template.Context, value: Any) -> Any:
    """A sealed value as this reader may see it. Anything else prints as it is."""
    return printed(context, value)


@register.simple_tag(takes_context=True)
def summary_list(context: template.Context, rows: list[dict[str, Any]], narrow: bool = False) -> SafeString:
    """A whole summary list. Rows: {label, value, url?, action?}; an empty value reads "Not given"."""
    shown = [row | {"value": printed(context, row["value"])} for row in rows]
    return component("summary_list", rows=shown, narrow=narrow)


@register.simple_tag(takes_context=True)
def comparison_table(context: template.Context, comparison: Any, caption: str) -> SafeString:
    """What several sources say, side by side: .columns, and .lines with .cells (column, value) and .differs."""
    head = joined(markup('<th scope="col">{}</th>', column) for column in comparison.columns)
    rows = joined(markup("<tr>{}</tr>\n", joined(_cells(context, line))) for line in comparison.lines)
    content = markup("<thead><tr>{}</tr></thead>\n<tbody>{}</tbody>", head, rows)
    return data_table(content, caption)


def _cells(context: template.Context, line: Any) -> Iterator[SafeString]:
    for at, (column, value) in enumerate(line.cells):
        yield markup(
            '<td data-label="{}"><div>{}{}</div></td>',
            column,
            printed(context, value) if value else "–",
            markup(" {}", badge("Differs", "warning")) if at == 0 and line.differs else "",
        )


def printed(context: template.Context, value: Any) -> Any:
    """What stands for a value on the page of this request's user."""
    if not isinstance(value, Sealed) or not value:
        return value
    request = context.get("request")
    user = getattr(request, "user", None)
    address = revealing.address_of(value)
    if request is None or not isinstance(user, User) or address is None:
        return str(value)
    name, row_id = address
    field = revealing.field(name)
    if not can_do(user, field.permission):
        return str(value)
    if not hasattr(request, "live_reveals"):
        revealing.remember_live(request, user, clock.now())
    back = request.get_full_path() if request.method == "GET" else ""
    query = f"?{urlencode({'next': back})}" if back else ""
    facts: dict[str, Any] = {"mask": str(value), "title": field.title, "back": back}
    facts["url"] = reverse("reveals:reveal", args=[name, row_id]) + query
    grant = request.live_reveals.get(address)
    if grant is not None:
        try:
            facts |= {"value": _words(value.reveal()), "until": grant.until}
        except CannotUnseal:
            pass  # What no key opens stays masked: the page is of use without it.
        else:
            request.shows_revealed = True
            facts["seconds"] = max(0, int((grant.until - clock.now()).total_seconds()))
            facts["hide_url"] = reverse("reveals:hide", args=[name, row_id])
            facts["csrf_token"] = context.get("csrf_token", "")
    if "value" in facts:
        return component("sealed", **facts)
    return markup(
        '<span class="masked"><span class="masked__value"><span class="visually-hidden">{}, hidden: </span>{}</span> '
        '<a href="{}">Show<span class="visually-hidden"> {}</span></a></span>',
        field.title,
        str(value),
        facts["url"],
        field.title.lower(),
    )


def _words(value: Any) -> str:
    return date_format(value, "F j, Y") if isinstance(value, date) else str(value)
