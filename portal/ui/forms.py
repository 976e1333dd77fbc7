"""A form as sections and as error links."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from portal.forms_ui import MemorableDateInput


@dataclass(frozen=True)
class Section:
    """Fields drawn together; without a legend they stand free."""

    legend: str
    hint: str
    fields: list[BoundField]


@dataclass(frozen=True)
class ErrorLink:
    """One line of the error summary; `target` is the id of the control, empty for the whole form."""

    message: str
    target: str


def form_sections(form: forms.BaseForm) -> list[Section]:
    """The visible fields in the form's `fieldsets` order; fields no fieldset names follow after."""
    visible = {bound.name: bound for bound in form.visible_fields()}
    sections = []
    plan: Any = getattr(form, "fieldsets", ())
    for legend, hint, names in plan:
        fields = [visible.pop(name) for name in names if name in visible]
        if fields:
            sections.append(Section(legend, hint, fields))
    if visible:
        sections.append(Section("", "", list(visible.values())))
    return sections


def first_control(bound: BoundField) -> str:
    """The id a link must lead to: of the first box or choice when the field has several."""
    base = str(bound.auto_id)
    widget = bound.field.widget
    if isinstance(widget, MemorableDateInput):
        return f"{base}_month"
    if isinstance(widget, (forms.RadioSelect, forms.CheckboxSelectMultiple, forms.MultiWidget)):
        return f"{base}_0"
    return base


def _named(bound: BoundField, message: str) -> str:
    # Django's own words for an empty field do not say which one; in a list that tells a reader nothing.
    if message == str(forms.Field.default_error_messages["required"]):
        label = str(bound.label)
        if label.endswith(("?", ".", "!")):
            return f"{label} {message}"
        return f"{label}: {message[:1].lower()}{message[1:]}"
    return message


def error_links(form: forms.BaseForm) -> list[ErrorLink]:
    """The form's errors in the order a reader meets them: of the whole form, then field by field."""
    links = [ErrorLink(str(message), "") for message in form.non_field_errors()]
    for bound in form.hidden_fields():
        links += [ErrorLink(str(message), "") for message in bound.errors]
    for section in form_sections(form):
        for bound in section.fields:
            links += [
                ErrorLink(_named(bound, str(message)), first_control(bound)) for message in bound.errors
            ]
    return links
