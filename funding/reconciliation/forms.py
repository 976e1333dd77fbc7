"""Forms of the pages of reconciliation."""

from datetime import date
from typing import Any

from django import forms

from funding.models import MoneyRun, ReconciliationItem
from funding.reconciliation.selectors import ItemFilter

Status = ReconciliationItem.Status


def _day(label: str, help_text: str) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"})
    return forms.DateField(
        label=label, help_text=help_text, widget=widget, error_messages={"required": "Enter a day."}
    )


class FileForm(forms.Form):
    """A file of the provider's operations."""

    kind = forms.ChoiceField(
        label="What it is",
        choices=[(MoneyRun.Kind.ACTIVITY, "Cash Activity"), (MoneyRun.Kind.BALANCES, "Cash Balance")],
    )
    since = _day("First day it covers", "Transfers asked for before it are not looked for.")
    until = _day("Last day it covers", "Files are as of 16:40 Central Time of this day.")
    file = forms.FileField(
        label="File",
        help_text="CSV in UTF-8 whose first line names the columns, as the provider sends it.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )

    def clean(self) -> dict[str, Any]:
        """The days must follow each other, and be days with a clock."""
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        for name, day in (("since", since), ("until", until)):
            if isinstance(day, date) and not 2000 < day.year < 9000:
                self.add_error(name, "Enter a day of this century.")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first.")
        return data


class ItemFilterForm(forms.Form):
    """The filters of the list, read from the address; what does not hold is left out, not an error page."""

    q = forms.CharField(
        label="Account or reference",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    kind = forms.ChoiceField(
        label="What differs", required=False, choices=[("", "Any"), *ReconciliationItem.Kind.choices]
    )
    status = forms.ChoiceField(
        label="State", required=False, choices=[("", "Any"), ("active", "Waits"), *Status.choices]
    )
    run = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def chosen(self) -> ItemFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        return ItemFilter(
            kind=data.get("kind") or "",
            status=data.get("status") or "",
            text=(data.get("q") or "").replace("\x00", ""),
            run=data.get("run"),
        )


class NoteForm(forms.Form):
    """Why, or with whom it is."""

    note = forms.CharField(
        label="Note",
        help_text="For colleagues: what was found out, whom you wrote to, their ticket.",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": "Write a note."},
    )
