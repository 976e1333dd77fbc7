"""Forms of the pages of imports."""

from datetime import date
from typing import Any

from django import forms
from django_countries import countries

from onboarding.imports.files import MOST_BYTES, MOST_ROWS
from onboarding.imports.questions import targets
from onboarding.models import ImportBatch
from onboarding.requirements import grace


class UploadForm(forms.Form):
    """A new file."""

    name = forms.CharField(
        label="Name of the wave",
        max_length=100,
        help_text="For example: March, branch north.",
        error_messages={"required": "Give it a name by which you will find it again."},
    )
    file = forms.FileField(
        label="File",
        help_text=(
            f"CSV or JSON Lines in UTF-8, up to {MOST_ROWS:,} rows and {MOST_BYTES // 1024**2} MB. "
            "The first line of a CSV names the columns."
        ),
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
    )
    country = forms.ChoiceField(
        label="Country of residence",
        initial="US",
        choices=lambda: list(countries),
        help_text="For rows that name none.",
    )


class MappingForm(forms.Form):
    """Which column answers which question, and what may be missing until when."""

    grace_until = forms.DateField(
        label="Last day of the grace period",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=(
            f"Until then an account may lack {grace.IN_WORDS}. Everybody accepts the agreements before they are "
            "handed in. Without a day everything is needed at once."
        ),
        error_messages={"invalid": "Enter a day such as 2030-04-17."},
    )

    def __init__(self, batch: ImportBatch, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["grace_until"].initial = batch.grace_until
        answered = {column: question for question, column in batch.mapping.items()}
        choices = [("", "Leave out")]
        grouped: dict[str, list[tuple[str, str]]] = {}
        for target in targets().values():
            grouped.setdefault(target.group, []).append((target.name, target.label))
        for number, column in enumerate(batch.columns):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=column,
                required=False,
                choices=[*choices, *grouped.items()],
                initial=answered.get(column, ""),
            )
            # "Leave out" is an answer: no label says "optional".
            self.fields[f"column_{number}"].must_answer = True  # type: ignore[attr-defined]
        self._columns = batch.columns

    def clean(self) -> dict[str, Any]:
        """Each question is answered by one column."""
        data = super().clean() or {}
        seen: dict[str, str] = {}
        for number, column in enumerate(self._columns):
            question = data.get(f"column_{number}")
            if question and question in seen:
                self.add_error(f"column_{number}", f"The column “{seen[question]}” answers this already.")
            elif question:
                seen[question] = column
        return data

    @property
    def mapping(self) -> dict[str, str]:
        """{question: column} as chosen."""
        return {
            self.cleaned_data[f"column_{number}"]: column
            for number, column in enumerate(self._columns)
            if self.cleaned_data.get(f"column_{number}")
        }

    @property
    def grace(self) -> date | None:
        """The last day of grace."""
        found = self.cleaned_data["grace_until"]
        return found if isinstance(found, date) else None
