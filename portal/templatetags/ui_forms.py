"""Template tags of forms, filters and searches (docs/design-system.md). Builtin: no `{% load %}` is needed."""

from typing import Any

from django import forms, template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

from portal.ui.drawing import component, inner, markup
from portal.ui.forms import error_links, form_sections

register = template.Library()


@register.simple_tag
def error_summary(form: forms.BaseForm) -> SafeString:
    """What is wrong with the form, each line a link to its field. Empty when nothing is."""
    return component("forms/error_summary", links=error_links(form)) if form.errors else SafeString("")


@register.simple_tag
def form_fields(form: forms.BaseForm) -> SafeString:
    """All fields, hidden ones too, in `form.fieldsets` when it has them. No `<form>`, no token."""
    return component("forms/fields", form=form, sections=form_sections(form))


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """One field: label, hint, error, control."""
    return bound.as_field_group()


@register.simple_tag
def widget_attrs(widget: dict[str, Any], css: str = "") -> SafeString:
    """A widget's attributes with our class merged in (used by the widget templates)."""
    attrs = dict(widget["attrs"])
    attrs.pop("data-shown-when", None)
    attrs["class"] = f"{css} {attrs.get('class', '')}".strip()
    pieces = []
    for name, value in attrs.items():
        if value is False or value is None or (name == "class" and not value):
            continue
        pieces.append(markup(" {}", name) if value is True else markup(' {}="{}"', name, value))
    return SafeString("".join(pieces))


@register.simple_block_tag
def fieldset(content: str, legend: str, hint: str = "") -> SafeString:
    """Fields that belong together, under a legend."""
    return component("forms/fieldset", content=content, legend=legend, hint=hint)


@register.simple_block_tag
def filter_panel(content: str, is_open: bool = True, action: str = "", clear_url: str = "") -> SafeString:
    """A GET form of filters; the content is its fields."""
    return component("filter_panel", content=content, is_open=is_open, action=action, clear_url=clear_url)


@register.simple_tag
def filter_chips(chips: list[dict[str, str]], clear_url: str = "") -> SafeString:
    """Filters in force, each a link that takes it away. Chips: {label, url}."""
    return component("filter_chips", chips=chips, clear_url=clear_url)


@register.simple_tag(takes_context=True)
def search_box(
    context: template.Context, label: str = "Search", name: str = "q", action: str = "", hint: str = ""
) -> SafeString:
    """One box that searches by GET; it shows what was asked for and works beside `filter_panel`."""
    request = context.get("request")
    value = request.GET.get(name, "") if request else ""
    return component("search_box", label=label, name=name, action=action, hint=hint, value=value)


@register.simple_block_tag(takes_context=True)
def confirm(
    context: template.Context,
    content: str,
    text: str,
    cancel_url: str,
    kind: str = "danger",
    cancel_text: str = "Cancel",
    action: str = "",
) -> SafeString:
    """The form of a page that asks once more: the content says what will happen and may hold fields."""
    return component(
        "confirm",
        content=inner(content),
        text=text,
        cancel_url=cancel_url,
        kind=kind,
        cancel_text=cancel_text,
        action=action,
        csrf_token=context.get("csrf_token", ""),
    )


@register.filter
def shown_when(attrs: dict[str, Any]) -> str:
    """The condition under which a field is shown, from its widget's attributes; empty for always."""
    return str(attrs.get("data-shown-when", ""))
