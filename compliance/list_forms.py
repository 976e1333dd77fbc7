"""Forms of the list of cases: columns, views, and what is done to many."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet

from compliance.desk import Option
from compliance.forms import PersonField
from compliance.list_columns import COLUMNS
from compliance.services.shared import LONGEST_TEXT
from portal.models import User


class ColumnsForm(forms.Form):
    """Which columns one wants to see."""

    columns = forms.MultipleChoiceField(
        label="Columns",
        required=False,
        choices=[(column.key, column.label) for column in COLUMNS],
        widget=forms.CheckboxSelectMultiple,
        help_text="The case itself is always the first.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["columns"].must_answer = True  # type: ignore[attr-defined]


class ViewForm(forms.Form):
    """A name for the filters that are set."""

    name = forms.CharField(label="Name", max_length=60, error_messages={"required": "Give the view a name."})
    is_shared = forms.BooleanField(label="Share it with everybody who sees cases", required=False)

    def __init__(self, *args: Any, may_share: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_share:
            del self.fields["is_shared"]


class BulkForm(forms.Form):
    """What is done to the chosen cases. Whom it is given to counts only for giving, the note only for noting."""

    to = PersonField(label="Give them to", queryset=User.objects.none(), required=False, empty_label="Choose")
    text = forms.CharField(
        label="Note on each",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For colleagues; customers never see it. No tax or account numbers.",
    )

    def __init__(
        self, *args: Any, people: QuerySet[User], offered: tuple[Option, ...], may_give: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for each in self.fields.values():
            each.must_answer = True  # type: ignore[attr-defined]
        bound = self.fields["to"]
        assert isinstance(bound, PersonField)
        bound.queryset = people
        bound.choices = [("", "Choose"), *offered]
        if not may_give:
            del self.fields["to"]


def ids_of(values: list[str]) -> list[UUID]:
    """The keys of the boxes that are ticked; what is no key is left out."""
    found = []
    for value in values:
        try:
            found.append(UUID(value))
        except ValueError:
            continue
    return found
