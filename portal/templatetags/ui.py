"""Template tags of the design system (docs/design-system.md). Builtin: no `{% load %}` is needed.

Tags with content end in `end<name>`; what stands between is already-escaped template output.
"""

import json
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from portal import clock
from portal.ui import happenings
from portal.ui.chart import Gauge, bars, polyline
from portal.ui.drawing import component, drawn, inner, joined, markup, remembered, with_token
from portal.ui.json_view import highlight
from portal.ui.time import Moment, by_day, moment

register = template.Library()

TONES = ("neutral", "info", "success", "warning", "danger", "accent")
TONE_ICONS = {
    "neutral": "info",
    "info": "info",
    "success": "circle-check",
    "warning": "triangle-alert",
    "danger": "circle-alert",
    "accent": "info",
}
BALL = {
    "customer": ("user", "warning", "With the customer"),
    "us": ("briefcase", "info", "With us"),
    "provider": ("building-2", "neutral", "With the provider"),
    "nobody": ("circle-check", "success", "Nothing to do"),
}


def _tone(tone: str) -> str:
    return tone if tone in TONES else "neutral"


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """An icon of the sprite. `size`: "", "s", "l", "xl". Decorative unless `label` says what it means."""
    return _icon(name, size, label)


@lru_cache(maxsize=1024)
def _icon(name: str, size: str, label: str) -> SafeString:
    css = f"icon icon--{size}" if size else "icon"
    href = icon_url(name)
    if label:
        return markup('<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', css, label, href)
    return markup('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', css, href)


@register.simple_tag
def icon_url(name: str) -> str:
    """Where an icon's drawing is, for a `<use>` of your own."""
    return f"{static('img/icons.svg')}#{name}"


@register.simple_tag
def badge(text: Any, tone: str = "neutral") -> SafeString:
    """A status as a soft badge. Tones: neutral, info, success, warning, danger, accent."""
    return markup('<span class="badge tone-{}">{}</span>', _tone(tone), text)


@register.simple_tag
def button(
    text: str,
    kind: str = "primary",
    icon_name: str = "",
    name: str = "",
    value: str = "",
    small: bool = False,
) -> SafeString:
    """A submit button. Kinds: primary, secondary, danger, link."""
    return markup(
        '<button class="{}" type="submit"{}>{}{}</button>',
        _button_css(kind, small),
        markup(' name="{}" value="{}"', name, value) if name else "",
        icon(icon_name) if icon_name else "",
        text,
    )


@register.simple_tag
def link_button(
    text: str, url: str, kind: str = "primary", icon_name: str = "", small: bool = False
) -> SafeString:
    """A link that looks like a button."""
    return markup(
        '<a class="{}" href="{}">{}{}</a>',
        _button_css(kind, small),
        url,
        icon(icon_name) if icon_name else "",
        text,
    )


def _button_css(kind: str, small: bool) -> str:
    return f"button button--{kind} button--small" if small else f"button button--{kind}"


@register.simple_block_tag
def page_header(
    content: str,
    title: str,
    subtitle: str = "",
    back_url: str = "",
    back_label: str = "Back",
    crumbs: list[tuple[str, str]] | None = None,
    badge_text: str = "",
    badge_tone: str = "neutral",
) -> SafeString:
    """The page's h1, with what leads back before it and, as content, its actions."""
    return component(
        "page_header",
        content=inner(content),
        title=title,
        subtitle=subtitle,
        back_url=back_url,
        back_label=back_label,
        crumbs=crumbs,
        badge_text=badge_text,
        badge_tone=badge_tone,
    )


@register.simple_block_tag
def card(
    content: str, title: str = "", subtitle: str = "", flush: bool = False, level: int = 2
) -> SafeString:
    """A surface with an optional heading. `flush` takes the padding away (for tables)."""
    head: Any = ""
    if title:
        sub = markup('<span class="card__sub">{}</span>', subtitle) if subtitle else ""
        head = markup(
            '<div class="card__head"><h{0} class="card__title">{1}</h{0}>{2}</div>', level, title, sub
        )
    return markup(
        '<section class="card">\n{}\n<div class="card__body{}">{}</div>\n</section>\n',
        head,
        " card__body--flush" if flush else "",
        content,
    )


@register.simple_block_tag
def banner(content: str, tone: str = "info", title: str = "") -> SafeString:
    """A message that belongs to the page. Tones as `badge`."""
    return component(
        "banner", content=inner(content), tone=_tone(tone), title=title, icon_name=TONE_ICONS[_tone(tone)]
    )


@register.simple_block_tag
def disclosure(content: str, summary: str, is_open: bool = False) -> SafeString:
    """Detail that opens on demand, without JavaScript."""
    return markup(
        '<details class="disclosure"{}><summary>{}{}</summary><div class="disclosure__body">{}</div></details>',
        mark_safe(" open") if is_open else "",
        icon("chevron-right", size="s"),
        summary,
        content,
    )


@register.simple_block_tag
def data_table(content: str, caption: str, cards: bool = True, sticky: bool = False) -> SafeString:
    """A table round your `<thead>` and `<tbody>`; with `cards`, rows are cards on a phone (`data-label`)."""
    scrolls = not cards and not sticky
    return markup(
        '<div class="table-wrap{}"{}><table class="table{}"><caption class="visually-hidden">{}</caption>{}</table>'
        "</div>",
        " table-wrap--sticky" if sticky else "",
        markup(' tabindex="0" role="region" aria-label="{}"', caption) if scrolls else "",
        " table--cards" if cards else "",
        caption,
        content,
    )


@register.simple_block_tag
def empty_state(content: str, title: str, icon_name: str = "inbox") -> SafeString:
    """What a list shows when nothing is there: why, and what to do."""
    return component("empty_state", content=inner(content), title=title, icon_name=icon_name)


@register.simple_block_tag
def masked(content: str, value: Any, label: str = "") -> SafeString:
    """A sealed value's mask; the content is the place of a reveal button or of the revealed reason."""
    return component("masked", content=inner(content), value=value, label=label)


@register.simple_block_tag
def summary_row(content: str, label: str, change_url: str = "", change_text: str = "Change") -> SafeString:
    """One row of a `<dl class="summary-list">`; the content is the value."""
    return summary_line(label, inner(content), change_url, change_text)


def summary_line(label: str, value: Any, change_url: str = "", change_text: str = "Change") -> SafeString:
    """The same, for what draws rows itself."""
    return markup(
        '<div class="summary-list__row"><dt class="summary-list__key">{}</dt>'
        '<dd class="summary-list__value">{}</dd>{}</div>',
        label,
        value,
        markup(
            '<dd class="summary-list__action"><a href="{}">{}<span class="visually-hidden"> {}</span></a></dd>',
            change_url,
            change_text,
            label.lower(),
        )
        if change_url
        else "",
    )


@register.simple_tag
def fact_rows(rows: Any) -> SafeString:
    """A narrow summary list of rows, objects or dicts: label, value, and a page where more of it stands as url."""
    return markup(
        '<dl class="summary-list summary-list--narrow">{}</dl>', joined(_fact_row(row) for row in rows)
    )


def _fact_row(row: Any) -> SafeString:
    named = row if isinstance(row, dict) else vars(row)
    value, url = named["value"], named.get("url", "")
    if url:
        value = markup('<a href="{}">{}</a>', url, value or "Look")
    return summary_line(named["label"], value or "Not given")


@register.simple_tag
def steps(items: list[dict[str, Any]]) -> SafeString:
    """Where one is in a flow. Items: {title, url, state}; states done, current, todo, attention."""
    current = next((n for n, item in enumerate(items, 1) if item["state"] == "current"), 0)
    now = items[current - 1] if current else None
    following = items[current] if current and current < len(items) else None
    return component("steps", items=items, number=current, now=now, following=following)


@register.simple_tag(takes_context=True, name="drawn")
def drawn_tag(context: template.Context, name: str, **facts: Any) -> SafeString:
    """An include that sees these facts alone, and is drawn once for them (portal.ui.drawing.remembered).

    For what many pages show alike. Rows, forms, sealed values and moments are no facts: say what is printed of them.
    """
    return with_token(drawn(template=name, **facts), context.get("csrf_token", ""))


@register.simple_tag
def ball(ball: Any, compact: bool = False, to_customer: bool = False) -> SafeString:
    """Who has the ball: object with .holder, .line, .to_customer, .since, .unblocks, .due (docs/design-system.md)."""
    icon_name, tone, who = BALL.get(str(ball.holder), BALL["us"])
    line = ball.to_customer if to_customer else ball.line
    who = who.replace("the customer", "you") if to_customer else who
    late = bool(ball.due and ball.due < clock.now())
    if compact:
        return compact_ball(str(ball.holder), line, late)
    return _ball(
        line=str(line),
        unblocks=str(ball.unblocks),
        since=moment(ball.since) if ball.since else None,
        due=moment(ball.due) if ball.due else None,
        look=(icon_name, tone, who),
        late=late,
    )


@remembered(512)
def _ball(
    *,
    line: str,
    unblocks: str,
    since: Moment | None,
    due: Moment | None,
    look: tuple[str, str, str],
    late: bool,
) -> SafeString:
    icon_name, tone, who = look
    meta: list[Any] = []
    if since:
        meta.append(markup("<span>Since {}</span>", moment_html(since)))
    if due:
        words = "Overdue: it was due" if late else "Due"
        css = mark_safe(' class="overdue"') if late else ""
        meta.append(markup("<span{}>{} {}</span>", css, words, moment_html(due)))
    return markup(
        '<div class="ball"><span class="ball__mark tone-{}">{}</span><div>\n'
        '<p class="ball__who">{}</p><p class="ball__line">{}</p>\n{}{}</div></div>',
        tone,
        icon(icon_name),
        who,
        line,
        markup('<p class="ball__unblocks">{}</p>\n', unblocks) if unblocks else "",
        markup('<p class="ball__meta">{}</p>\n', joined(meta)) if meta else "",
    )


def compact_ball(holder: str, line: str, late: bool) -> SafeString:
    """Who has the ball as a list says it; `late` when its day has passed."""
    icon_name, tone, who = BALL.get(holder, BALL["us"])
    return markup(
        '<div class="ball ball--compact"><span class="ball__mark tone-{}">{}</span>'
        '<span class="ball__line">{}{}</span></div>',
        tone,
        icon(icon_name, label=who),
        line,
        mark_safe(' <span class="overdue">(overdue)</span>') if late else "",
    )


@register.simple_tag
def timeline(items: Any) -> SafeString:
    """Events newest first, grouped by day: items with .at .icon .title .actor .body .tone .details."""
    days = by_day(items)
    drawn_days = [
        (day, [happenings.drawn(item, icon(_icon_of(item))) for item in some]) for day, some in days
    ]
    return component("timeline", days=drawn_days)


def _icon_of(item: Any) -> str:
    return getattr(item, "icon", "") or "circle"


@register.simple_tag
def stat(
    label: str,
    value: Any,
    hint: str = "",
    tone: str = "neutral",
    url: str = "",
    trend: list[float] | None = None,
) -> SafeString:
    """One figure, with the line that led to it as `trend`; put several in `<div class="stats">`."""
    points = polyline(trend or [])
    return component("stat", label=label, value=value, hint=hint, tone=_tone(tone), url=url, points=points)


@register.simple_tag
def bar_chart(
    points: Any,
    label: str,
    measure: str = "Number",
    each: str = "Day",
    table: bool = True,
    words: bool = False,
) -> SafeString:
    """Bars of (label, value) or (label, value, tone), with a table of the same headed `each` and `measure`.

    `table=False` where the page has a table that says the same; `words=True` where the labels are words, each of
    which is shown.
    """
    chart = bars(points, every_label=words)
    return component(
        "bar_chart", chart=chart, label=label, measure=measure, each=each, table=table, words=words
    )


@register.simple_tag
def gauge(gauge: Gauge) -> SafeString:
    """A value against its thresholds (portal.ui.chart.gauge), in a drawing and in words."""
    return component("gauge", gauge=gauge)


@register.simple_tag
def sharing_graph(graph: Any, label: str) -> SafeString:
    """A drawing of portal.ui.graph, for the eye alone: say the same in a table beside it."""
    return component("sharing_graph", graph=graph, label=label)


@register.simple_tag
def sparkline(values: list[float], label: str) -> SafeString:
    """A small line; `label` says in words what it shows."""
    return component("sparkline", points=polyline(values), label=label)


@register.simple_tag
def skeleton(rows: int = 3, label: str = "Loading") -> SafeString:
    """Grey rows where content is on its way; `label` is what a screen reader says."""
    return component("skeleton", rows=range(rows), label=label)


@register.simple_tag
def tabs(items: list[dict[str, Any]], label: str = "Sections") -> SafeString:
    """Sub-navigation. Items: {label, url, current, count?}."""
    return component("tabs", items=items, label=label)


@register.simple_tag
def pager(newer_url: str = "", older_url: str = "", text: str = "", oldest_first: bool = False) -> SafeString:
    """Keyset paging. In a list that begins with the oldest, `oldest_first`, the newer page is the next."""
    pages = [("Newer", newer_url), ("Older", older_url)]
    back, onward = reversed(pages) if oldest_first else pages
    return component("pager", back=back, onward=onward, text=text)


@register.simple_tag
def progress(value: int, maximum: int, label: str) -> SafeString:
    """How far along, in words and as a bar."""
    return component("progress", value=value, maximum=maximum, label=label)


@register.simple_tag
def copyable(text: Any, label: str = "Copy", mono: bool = True) -> SafeString:
    """Text with a button that copies it; without JavaScript just the text."""
    return component("copyable", text=text, label=label, mono=mono)


@register.simple_tag
def json_view(data: Any, label: str = "JSON") -> SafeString:
    """JSON, indented and coloured. Takes data or JSON text; text that does not parse is shown as it is."""
    if isinstance(data, (str, bytes)):
        try:
            data = json.loads(data)
        except ValueError:
            text = data.decode(errors="replace") if isinstance(data, bytes) else data
            return markup(
                '<pre class="code-block" tabindex="0" role="region" aria-label="{}">{}</pre>', label, text
            )
    return markup(
        '<pre class="json" tabindex="0" role="region" aria-label="{}">{}</pre>', label, highlight(data)
    )


@register.simple_tag
def when(at: Any) -> SafeString:
    """A moment in words ("12 minutes ago"), with the exact time in the title and for machines."""
    return moment_html(moment(at) if at else None)


def moment_html(at: Moment | None) -> SafeString:
    """The same of a moment in words already."""
    if at is None:
        return mark_safe("–")
    return markup('<time datetime="{}" title="{}">{}</time>', *at)


@register.simple_tag(takes_context=True)
def sort_header(
    context: template.Context, label: str, key: str, numeric: bool = False, default: str = ""
) -> SafeString:
    """A `<th>` that sorts by `?sort=key` / `?sort=-key` and drops the page cursor (`after`, `before`)."""
    request = context["request"]
    now = request.GET.get("sort") or default
    query = request.GET.copy()
    for cursor in ("after", "before", "cursor"):
        query.pop(cursor, None)
    query["sort"] = f"-{key}" if now == key else key
    order = {key: "ascending", f"-{key}": "descending"}.get(now, "")
    return component("sort_header", label=label, order=order, query=query.urlencode(), numeric=numeric)


@register.filter
def tone_icon(tone: str) -> str:
    """The icon that goes with a tone or a Django message level tag."""
    return TONE_ICONS[_tone({"error": "danger"}.get(tone, tone))]


@register.filter
def message_tone(level: str) -> str:
    """The tone of a Django message's level tag."""
    return {"error": "danger", "debug": "neutral"}.get(level, _tone(level))
