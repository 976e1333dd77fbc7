"""Template tags of what stands round every staff page (docs/design-system.md). Builtin: no `{% load %}` is needed."""

from functools import lru_cache
from typing import Any, NamedTuple

from django import template
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from portal.ui import nav
from portal.ui.drawing import drawn, with_token

register = template.Library()


@register.simple_tag(takes_context=True)
def staff_nav(context: template.Context) -> SafeString:
    """The sections this person may open, with what waits in them; `nav_section` marks the current one."""
    return drawn(template="components/staff_nav.html", items=_nav_items(context))


@register.simple_tag(takes_context=True)
def staff_side(context: template.Context) -> SafeString:
    """What stands beside every staff page: the brand, the menu and the reader's own, twice, for screens and phones."""
    html = drawn(
        template="components/staff_side.html",
        partner_name=context.get("partner_name", ""),
        items=_nav_items(context),
        reader=context.get("reader"),
    )
    return with_token(html, context.get("csrf_token", ""))


class NavItem(NamedTuple):
    """One entry of the menu as this reader sees it."""

    url: str
    icon: str
    label: str
    is_current: bool
    waiting: int


def _nav_items(context: template.Context) -> tuple[NavItem, ...]:
    user = getattr(context.get("request"), "user", None)
    waiting = context.get("nav_counts") or {}
    if callable(waiting):
        waiting = waiting()
    current = context.get("nav_section")
    return tuple(
        NavItem(url, section.icon, section.label, section.key == current, waiting.get(section.key) or 0)
        for section, url in _addresses(settings.ROOT_URLCONF)
        if section.open_to(user)
    )


@lru_cache(maxsize=8)
def _addresses(urlconf: Any) -> list[tuple[nav.Section, str]]:
    """The sections that have an address, with it."""
    found = []
    for section in nav.SECTIONS:
        try:
            found.append((section, reverse(section.url_name, urlconf=urlconf)))
        except NoReverseMatch:
            continue
    return found
