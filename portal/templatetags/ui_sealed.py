"""Printing sealed values on pages: the mask, with the way to reveal it, or the value while the reader's grant lasts."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from portal import clock, revealing
from portal.models import User
from portal.permissions import can_do
from portal.sealed import CannotUnseal, Sealed
from portal.templatetags.ui import badge, data_table
from portal.ui.addresses import address
from portal.ui.drawing import component, joined, markup, remembered

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
    """What several sources say, side by side: .columns, .rows with a value for each, .differs with places of rows."""
    cells = [[_shown(context, value) if value else ("–", False) for value in row] for row in comparison.rows]
    is_revealed = any(revealed for row in cells for _, revealed in row)
    draw = _comparison.__wrapped__ if is_revealed else _comparison  # type: ignore[attr-defined]
    table: SafeString = draw(
        columns=tuple(comparison.columns),
        rows=tuple(tuple([value for value, _ in row]) for row in cells),
        differs=tuple(sorted(comparison.differs)),
        caption=caption,
    )
    return table


@remembered(512)
def _comparison(
    *, columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], differs: tuple[int, ...], caption: str
) -> SafeString:
    mark = markup(" {}", badge("Differs", "warning"))
    head = joined(markup('<th scope="col">{}</th>', column) for column in columns)
    lines = joined(
        markup(
            "<tr>{}</tr>\n",
            joined(
                markup(
                    '<td data-label="{}"><div>{}{}</div></td>',
                    column,
                    value,
                    mark if column_at == 0 and row_at in differs else "",
                )
                for column_at, (column, value) in enumerate(zip(columns, row, strict=True))
            ),
        )
        for row_at, row in enumerate(rows)
    )
    return data_table(markup("<thead><tr>{}</tr></thead>\n<tbody>{}</tbody>", head, lines), caption)


def printed(context: template.Context, value: Any) -> Any:
    """What stands for a value on the page of this request's user."""
    return _shown(context, value)[0] if isinstance(value, Sealed) and value else value


def _shown(context: template.Context, value: Any) -> tuple[str, bool]:
    """The same of a value that there is, in words, and whether it is revealed: that is drawn for this page alone."""
    if not isinstance(value, Sealed):
        return (value if isinstance(value, SafeString) else str(value)), False
    request = context.get("request")
    user = getattr(request, "user", None)
    place = revealing.address_of(value)
    if request is None or not isinstance(user, User) or place is None:
        return str(value), False
    name, row_id = place
    field = revealing.field(name)
    if not can_do(user, field.permission):
        return str(value), False
    if not hasattr(request, "live_reveals"):
        revealing.remember_live(request, user, clock.now())
    back, query = _way_back(request)
    url = address("reveals:reveal", row_id, name) + query
    grant = request.live_reveals.get(place)
    if grant is not None:
        try:
            words = _words(value.reveal())
        except CannotUnseal:
            pass  # What no key opens stays masked: the page is of use without it.
        else:
            request.shows_revealed = True
            shown = component(
                "sealed",
                mask=str(value),
                title=field.title,
                back=back,
                url=url,
                value=words,
                until=grant.until,
                seconds=max(0, int((grant.until - clock.now()).total_seconds())),
                hide_url=address("reveals:hide", row_id, name),
                csrf_token=context.get("csrf_token", ""),
            )
            return shown, True
    masked = markup(
        '<span class="masked"><span class="masked__value"><span class="visually-hidden">{}, hidden: </span>{}</span> '
        '<a href="{}">Show<span class="visually-hidden"> {}</span></a></span>',
        field.title,
        str(value),
        url,
        field.title.lower(),
    )
    return masked, False


def _way_back(request: Any) -> tuple[str, str]:
    """The page that the reader comes from, and the query that leads back there: worked out once for each page."""
    if not hasattr(request, "sealed_way_back"):
        back = request.get_full_path() if request.method == "GET" else ""
        request.sealed_way_back = back, f"?{urlencode({'next': back})}" if back else ""
    found: tuple[str, str] = request.sealed_way_back
    return found


def _words(value: Any) -> str:
    return date_format(value, "F j, Y") if isinstance(value, date) else str(value)
