"""The items of a timeline, each drawn once for what it says (portal.ui.drawing)."""

from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from portal.ui.drawing import component, markup, remembered
from portal.ui.time import moment


def drawn(item: Any, icon: SafeString) -> SafeString:
    """An item with .at .title .actor .body .tone .details; the last four may be absent or empty."""
    at, title, details = moment(item.at), str(item.title), getattr(item, "details", None)
    local = timezone.localtime(item.at)
    return _item(
        icon=icon,
        tone=str(getattr(item, "tone", "") or "neutral"),
        title=title,
        actor=str(getattr(item, "actor", "") or ""),
        body=getattr(item, "body", "") or "",
        # As they may be anything, they are drawn each time.
        details=component("timeline_details", title=title, details=details) if details else SafeString(""),
        iso=at.iso,
        exact=at.exact,
        hour=f"{local.hour % 12 or 12}:{local:%M %p}",
    )


@remembered(4096)
def _item(
    *,
    icon: SafeString,
    tone: str,
    title: str,
    actor: str,
    body: str,
    details: SafeString,
    iso: str,
    exact: str,
    hour: str,
) -> SafeString:
    return markup(
        '<li class="timeline__item"><span class="timeline__mark tone-{}">{}</span><div>\n'
        '<p class="timeline__title">{}{}</p>\n{}{}</div>'
        '<time class="timeline__time" datetime="{}" title="{}">{}</time></li>\n',
        tone,
        icon,
        title,
        markup(' <span class="timeline__actor">· {}</span>', actor) if actor else "",
        markup('<p class="timeline__body">{}</p>\n', body) if body else "",
        details,
        iso,
        exact,
        hour,
    )
