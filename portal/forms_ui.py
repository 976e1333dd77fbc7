"""How forms become HTML: the renderer named in settings.FORM_RENDERER, and the month/day/year date.

A form may carry `fieldsets = [("Legend", "hint", ["field"])]`; fields it does not name follow after.
A field's wrapper gets `data-shown-when` from `widget.attrs["data-shown-when"]`, written `"name=value|value"`.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting

Bound = dt.date | Callable[[], dt.date] | None
PARTS = ("month", "day", "year")


class PortalFormRenderer(TemplatesSetting):
    """Forms, fields and error lists drawn from templates/components/forms/."""

    form_template_name = "components/forms/form.html"
    field_template_name = "components/forms/field.html"


def add_errors(form: forms.BaseForm, fields: Mapping[str, list[str]]) -> None:
    """Put what a service says of each field beside it, and what is about no field of the form above them all."""
    for name, sentences in fields.items():
        form.add_error(name if name in form.fields else None, sentences)


class MemorableDateInput(forms.MultiWidget):
    """Three boxes, month, day and year, posted as `<name>_month`, `<name>_day`, `<name>_year`."""

    template_name = "components/forms/date_parts.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None, *, birthday: bool = False) -> None:
        numeric = {"inputmode": "numeric", "maxlength": "2"}
        widgets: dict[str, forms.Widget | type[forms.Widget]] = {
            "month": forms.TextInput(
                attrs={**numeric, **({"autocomplete": "bday-month"} if birthday else {})}
            ),
            "day": forms.TextInput(attrs={**numeric, **({"autocomplete": "bday-day"} if birthday else {})}),
            "year": forms.TextInput(
                attrs={**numeric, "maxlength": "4", **({"autocomplete": "bday-year"} if birthday else {})}
            ),
        }
        super().__init__(widgets, attrs)

    def decompress(self, value: Any) -> list[str]:
        """A date, or year-month-day of which parts may be missing, as the three boxes."""
        if isinstance(value, str):
            try:
                value = dt.date.fromisoformat(value)
            except ValueError:
                year, month, day = [*value.split("-", 2), "", ""][:3]
                return [month, day, year]
        if isinstance(value, dt.date):
            return [str(value.month), str(value.day), str(value.year)]
        return ["", "", ""]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        for part, widget in zip(PARTS, context["widget"]["subwidgets"], strict=True):
            widget["part"] = part
            if context["widget"]["attrs"].get("id"):
                widget["attrs"]["id"] = f"{context['widget']['attrs']['id']}_{part}"
            # The group carries the hint and the error; each box repeating them would be read three times.
            widget["attrs"].pop("aria-describedby", None)
        return context


class MemorableDateField(forms.MultiValueField):
    """A known date typed as month, day, year; cleans to `datetime.date` or None.

    `earliest` and `latest` are dates or functions giving one. Errors name what is missing or wrong.
    """

    default_error_messages = {
        "required": "Enter the date, for example 3 27 1985.",
        "incomplete": "The date must include a %(missing)s.",
        "digits": "Use numbers for the month, the day and the year, for example 3 27 1985.",
        "month": "The month must be between 1 and 12.",
        "year": "The year must have four digits.",
        "invalid": "There is no such day in the calendar. Check the day and the month.",
        "earliest": "The date must be %(limit)s or later.",
        "latest": "The date must be %(limit)s or earlier.",
    }

    def __init__(
        self, *, earliest: Bound = None, latest: Bound = None, birthday: bool = False, **kwargs: Any
    ) -> None:
        self.earliest, self.latest = earliest, latest
        kwargs.setdefault("widget", MemorableDateInput(birthday=birthday))
        boxes = tuple(forms.CharField(required=False) for _ in PARTS)
        super().__init__(fields=boxes, require_all_fields=False, **kwargs)

    def clean(self, value: Any) -> dt.date | None:
        """The date the three boxes say. Raises ValidationError with one message that says what to change."""
        boxes = (
            [str(box or "").strip() for box in value] if isinstance(value, (list, tuple)) else ["", "", ""]
        )
        missing = [part for part, box in zip(PARTS, boxes, strict=True) if not box]
        if len(missing) == len(PARTS):
            if self.required:
                raise self._error("required")
            return None
        if missing:
            raise self._error("incomplete", missing=" and a ".join(missing))
        date = self._date(boxes)
        self._within(date)
        self.run_validators(date)
        return date

    def _date(self, boxes: list[str]) -> dt.date:
        if not all(box.isascii() and box.isdigit() for box in boxes):
            raise self._error("digits")
        # Python refuses to read thousands of digits; no box needs more than four.
        month, day, year = (int(box) if len(box) <= 4 else 0 for box in boxes)
        if not 1 <= month <= 12:
            raise self._error("month")
        if len(boxes[2]) != 4:
            raise self._error("year")
        try:
            return dt.date(year, month, day)
        except ValueError:
            raise self._error("invalid") from None

    def _within(self, date: dt.date) -> None:
        earliest = self.earliest() if callable(self.earliest) else self.earliest
        latest = self.latest() if callable(self.latest) else self.latest
        if earliest and date < earliest:
            raise self._error("earliest", limit=f"{earliest:%B} {earliest.day}, {earliest.year}")
        if latest and date > latest:
            raise self._error("latest", limit=f"{latest:%B} {latest.day}, {latest.year}")

    def _error(self, code: str, **params: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params=params)

    def compress(self, data_list: list[Any]) -> dt.date | None:
        """Not used by `clean`; the same reading for callers of the MultiValueField protocol."""
        return self._date([str(box) for box in data_list]) if data_list else None
